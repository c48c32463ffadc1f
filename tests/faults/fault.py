"""A fault that befalls the process it is in: a signal just before a change of a folder.

Every change that Python makes is an audit event, so that a process can be ended before each of them
in turn, in the same place every time, without waiting and without a hand in the code under test.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
"""The audit events that come before something in a folder changes."""


class Fault:
    """Counts the changes of a folder, tells them, and sends this process a signal before one.

    Args:
        order: ``folder``; ``point``, a pattern of changes; ``at``, which change that fits it, from
            1 on, or 0 for none; ``signal``; and ``tally``, the file that is told all changes.
    """

    def __init__(self, order: dict[str, str | int]) -> None:
        self._folder = os.path.realpath(str(order["folder"]))
        self._point = re.compile(str(order["point"]))
        self._left = int(order["at"])
        self._signal = int(order["signal"])
        self._tally = os.open(str(order["tally"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._owner = os.getpid()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Look at an audit event."""
        change = self._change(event, arguments) if event in CHANGES else None
        if change is None or os.getpid() != self._owner:
            return
        os.write(self._tally, f"{change}\n".encode())
        if self._point.search(change):
            self._left -= 1
            if self._left == 0:
                os.kill(self._owner, self._signal)

    def _change(self, event: str, arguments: tuple[object, ...]) -> str | None:
        """Return the event in words, or None if it changes nothing in the folder."""
        path = arguments[0]
        flags = arguments[2] if event == "open" else os.O_WRONLY
        if not isinstance(path, str | bytes | os.PathLike) or not isinstance(flags, int):
            return None
        inside = os.path.relpath(os.path.realpath(os.fsdecode(path)), self._folder)
        if inside.startswith("..") or not flags & (os.O_WRONLY | os.O_RDWR):
            return None
        return f"{event} {inside}"


def obey() -> None:
    """Take the orders of the environment, which the children of this process are spared."""
    order = os.environ.pop("FAULT", None)
    if order is not None:
        sys.addaudithook(Fault(json.loads(order)))
    shift = float(os.environ.get("FAULT_CLOCK", "0"))
    if shift:
        shift_clock(shift)


def shift_clock(seconds: float) -> None:
    """Let the clock of this process be wrong by *seconds*, and of no process beside it."""
    right = time.time
    time.time = lambda: right() + seconds

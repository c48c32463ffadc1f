"""A fault in the process that imports this: a signal just before a chosen change of a folder.

Every change that Python makes is an audit event. A process can therefore be ended before each of
them in turn, at the same place every time, without waiting and without a hook in the tested code.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time

CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
"""The audit events that precede a change of a folder."""


class FaultHook:
    """An audit hook that records the changes of a folder, and sends a signal before one of them.

    Args:
        request: ``folder``; ``pattern``, a pattern of changes; ``at``, which change that matches
            it, from 1 on, or 0 for none; ``signal``, its name; and ``changes``, the file to which
            all changes are written.
    """

    def __init__(self, request: dict[str, str | int]) -> None:
        self._folder = os.path.realpath(str(request["folder"]))
        self._pattern = re.compile(str(request["pattern"]))
        self._left = int(request["at"])
        self._signal = signal.Signals[str(request["signal"])]
        self._changes = os.open(str(request["changes"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._owner = os.getpid()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Record an audit event if it is a change, and send the signal if it is the chosen one."""
        change = self._change(event, arguments) if event in CHANGES else None
        if change is None or os.getpid() != self._owner:
            return
        os.write(self._changes, f"{change}\n".encode())
        if self._pattern.search(change):
            self._left -= 1
            if self._left == 0:
                handler = signal.getsignal(self._signal)
                os.kill(self._owner, self._signal)
                self._wait_for_main_thread(handler)

    def _wait_for_main_thread(self, handler: object) -> None:
        """Wait in another thread until the main one has met the signal, at most for 10 seconds.

        It alone runs handlers, and on a busy machine not before this thread has done much more.
        The first signal replaces the *handler*: see `agentgym_gen.system.signals`.
        """
        if threading.current_thread() is threading.main_thread():
            return
        ends_at = time.monotonic() + 10.0
        while signal.getsignal(self._signal) is handler and time.monotonic() < ends_at:
            time.sleep(0.001)
        time.sleep(0.2)  # for the exception that the handler raises

    def _change(self, event: str, arguments: tuple[object, ...]) -> str | None:
        """Return the event as text, or None if it changes nothing in the folder."""
        path = arguments[0]
        flags = arguments[2] if event == "open" else os.O_WRONLY
        if not isinstance(path, str | bytes | os.PathLike) or not isinstance(flags, int):
            return None
        inside = os.path.relpath(os.path.realpath(os.fsdecode(path)), self._folder)
        if inside.startswith("..") or not flags & (os.O_WRONLY | os.O_RDWR):
            return None
        return f"{event} {inside}"


def install_from_environment() -> None:
    """Install the fault that the environment requests, and hide the request from children."""
    request = os.environ.pop("FAULT", None)
    if request is not None:
        sys.addaudithook(FaultHook(json.loads(request)))
    shift = float(os.environ.get("FAULT_CLOCK", "0"))
    if shift:
        shift_clock(shift)


def shift_clock(seconds: float) -> None:
    """Let the clock of this process be wrong by *seconds*, and of no other process."""
    real_time = time.time
    time.time = lambda: real_time() + seconds

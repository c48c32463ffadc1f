"""Victims at the price of a fork: a process that has imported everything and starts the rest.

``python -m faults.nursery`` reads an order a line and answers each with an exit code. The
children are real processes; only what importing costs is paid once.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from faults import subjects
from faults.fault import Fault, shift_clock
from faults.processes import NONE, ROOT, Ended, search
from faults.processes import Fault as Ordered


class Nursery:
    """Starts victims."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.nursery"],
            env={**os.environ, "PYTHONPATH": search()},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Nursery:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close it."""
        self._process.kill()
        self._process.communicate()
        self._scratch.cleanup()

    def run(
        self, name: str, folder: Path, fault: Ordered = NONE, *, clock: float = 0.0, room: int = 0
    ) -> Ended:
        """Let a victim work in *folder* until its end, and return what it left.

        Args:
            name: Which of the programs of `faults.subjects`.
            folder: Where.
            fault: What befalls it.
            clock: The seconds by which its clock is wrong.
            room: How many bytes a file may have; 0 is any number, and changes are only told then.
        """
        places = {name: Path(self._scratch.name) / name for name in ("tally", "out", "err")}
        for path in places.values():
            path.write_text("")
        told = {"name": name, "folder": str(folder), "clock": clock, "room": room}
        order = {**told, **fault.__dict__, **{key: str(path) for key, path in places.items()}}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        tally, out, err = (path.read_text() for path in places.values())
        return Ended(code, out, err, tuple(tally.splitlines()))


def serve() -> None:
    """Fork for each order on the standard input."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        order = json.loads(line)
        work = subjects.prepared(order["name"])
        child = os.fork()
        if not child:
            _live(work, order)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _live(work: Callable[[Path], int], order: dict[str, Any]) -> None:
    code = 1
    try:
        sys.stdin = io.StringIO()
        for number, path in ((1, order["out"]), (2, order["err"])):
            os.dup2(os.open(path, os.O_WRONLY), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        shift_clock(order["clock"])
        if order["room"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["room"], order["room"]))
        else:
            sys.addaudithook(Fault(order))
        code = work(Path(order["folder"]))
    except BaseException:  # noqa: BLE001  (the end of a process: it prints its traceback)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()

"""Programs at the price of a fork: a process that has imported everything starts them.

``python -m faults.fork_server`` reads a request a line and answers each with an exit code. The
children are real processes; only the time to import is spent once.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from faults import programs
from faults.default_signals import restore_default_handlers
from faults.fault import FaultHook, shift_clock
from faults.processes import NO_FAULT, PROGRESS, ROOT, Fault, ProgramResult, python_path


class ForkServer:
    """The parent's side of the process that starts programs."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.fork_server"],
            env={**os.environ, "PYTHONPATH": python_path()},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> ForkServer:
        """Return the server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._scratch.cleanup()

    def run(
        self,
        name: str,
        folder: Path,
        fault: Fault = NO_FAULT,
        *,
        clock: float = 0.0,
        max_file_bytes: int = 0,
    ) -> ProgramResult:
        """Run a program in *folder* to its end and return its result.

        Args:
            name: Which of the programs of `faults.programs`.
            folder: Where.
            fault: The fault that it meets.
            clock: The seconds by which its clock is wrong.
            max_file_bytes: How many bytes a file may have. 0 is no limit; only then the changes of
                the folder are recorded and the fault is met.
        """
        paths = {key: Path(self._scratch.name) / key for key in ("changes", "out", "err")}
        for path in paths.values():
            path.write_text("")
        request = {
            "name": name,
            "folder": str(folder),
            "clock": clock,
            "max_file_bytes": max_file_bytes,
            **fault.__dict__,
            **{key: str(path) for key, path in paths.items()},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        changes, out, err = (path.read_text() for path in paths.values())
        return ProgramResult(code, out, PROGRESS.sub("", err), tuple(changes.splitlines()))


def serve() -> None:
    """Fork for each request on the standard input, and answer with the exit code."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request = json.loads(line)
        work = programs.load_program(request["name"])
        child = os.fork()
        if not child:
            _run_child(work, request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _run_child(work: Callable[[Path], int], request: dict[str, Any]) -> None:
    """Run *work* as *request* says and end this process, which is a fork."""
    code = 1
    try:
        sys.stdin = io.StringIO()
        for number, path in ((1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, os.O_WRONLY), number)
        restore_default_handlers()
        shift_clock(request["clock"])
        limit = request["max_file_bytes"]
        if limit:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        else:
            sys.addaudithook(FaultHook(request))
        code = work(Path(request["folder"]))
    except BaseException:  # noqa: BLE001  (the end of a process: it prints its traceback)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()

"""Real processes that meet a fault at a chosen change of their folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
SITE = TESTS / "faults" / "site"
CLI = (sys.executable, "-m", "agentgym_gen.cli.main")
PROGRESS = re.compile(r"^\d+/\d+ \w+(, .*)?\n", re.MULTILINE)
"""A line of progress, such as ``4/32 episodes, 1 s left``."""
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Fault:
    """Which signal is sent to a process, and when."""

    at: int = 0
    """Before which change of its folder, from 1 on; 0 is never."""
    signal: str = "SIGKILL"
    """The name of the signal."""
    pattern: str = ""
    """Only changes that match it are counted, such as ``os.rename .*plan.json``."""


NO_FAULT = Fault()


@dataclass(frozen=True)
class ProgramResult:
    """What a process has left at its end."""

    code: int
    """Its exit code; minus the signal that ended it."""
    out: str
    """What it printed."""
    err: str
    """What it printed to standard error, without the lines of progress."""
    changes: tuple[str, ...]
    """The changes that it made to its folder, in order."""


@dataclass
class RunningProgram:
    """A process that works in its folder."""

    process: subprocess.Popen[str]
    """The process."""
    changes_file: Path
    """The file in which its changes are recorded."""

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def wait_until_stopped(self) -> None:
        """Wait until its fault, which is a SIGSTOP, has stopped it."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "it ended before it was stopped"

    def end(self) -> ProgramResult:
        """Wait for its end and return the result."""
        out, err = self.process.communicate(timeout=60)
        changes = tuple(self.changes_file.read_text(encoding="utf-8").splitlines())
        return ProgramResult(self.process.returncode, out, PROGRESS.sub("", err), changes)


@contextmanager
def start_program(
    command: Sequence[str], folder: Path, fault: Fault = NO_FAULT, **variables: str
) -> Iterator[RunningProgram]:
    """Start *command*, which works in *folder*; it is killed if it outlives the block."""
    with tempfile.TemporaryDirectory() as scratch:
        changes = Path(scratch) / "changes"
        changes.touch()
        request = {**fault.__dict__, "folder": str(folder), "changes": str(changes)}
        environ = {
            **os.environ,
            **variables,
            "FAULT": json.dumps(request),
            "PYTHONPATH": python_path(),
        }
        process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to its group must not reach pytest
        )
        try:
            yield RunningProgram(process, changes)
        finally:
            process.kill()
            process.communicate()


def run_program(
    command: Sequence[str], folder: Path, fault: Fault = NO_FAULT, **variables: str
) -> ProgramResult:
    """Run *command*, which works in *folder*, and return its result."""
    with start_program(command, folder, fault, **variables) as program:
        return program.end()


def python_path() -> str:
    """Return the PYTHONPATH of the processes."""
    return os.pathsep.join(map(str, (SITE, ROOT, TESTS, *filter(None, sys.path))))


def program_command(name: str, folder: Path, *more: str) -> tuple[str, ...]:
    """Return the command of a program of `faults.programs`."""
    return (sys.executable, "-m", "faults.programs", name, str(folder), *more)


def leftovers(folder: Path) -> list[str]:
    """Return the files that no finished run leaves: half-written files, drafts and locks."""
    endings = (".part", ".draft", ".lock")
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob(".*")
        if path.name.endswith(endings) or path.name.startswith((".lock-", ".making-"))
    )


def descendants(pid: int) -> list[int]:
    """Return the child processes of *pid*, their children, and so on."""
    pids: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            pids += [child, *descendants(child)]
    return pids


def is_alive(pid: int) -> bool:
    """Return whether *pid* is a process and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(holds: Callable[[], object], seconds: float = 60.0) -> bool:
    """Wait until *holds* returns true, and return whether it did within *seconds*."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_one_sentence(err: str) -> bool:
    """Return whether *err* is one sentence, as the command line prints it for an error."""
    return err.startswith("agentgym-gen: ") and err.count("\n") == 1 and err.endswith("\n")

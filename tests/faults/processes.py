"""Victims: real processes that meet a fault at a chosen change of their folder."""

from __future__ import annotations

import json
import os
import signal
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
YEARS = 365 * 24 * 3600


@dataclass(frozen=True)
class Fault:
    """When a process is sent which signal."""

    at: int = 0
    """Before which change of its folder, from 1 on; 0 is never."""
    signal: int = signal.SIGKILL
    """The signal."""
    point: str = ""
    """A pattern: only changes that it fits are counted, such as ``os.rename .*plan.json``."""


NONE = Fault()


@dataclass(frozen=True)
class Ended:
    """What a process left."""

    code: int
    """Its exit code; minus the signal that ended it."""
    out: str
    """What it printed."""
    err: str
    """What it printed as errors."""
    changes: tuple[str, ...]
    """The changes that it made of its folder, in order."""


@dataclass
class Victim:
    """A process in its folder."""

    process: subprocess.Popen[str]
    """The process."""
    tally: Path
    """The file of its changes."""

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def wait_until_stopped(self) -> None:
        """Wait until its fault, which is a SIGSTOP, has befallen it."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "it ended before it was stopped"

    def end(self) -> Ended:
        """Wait for its end and return what it left."""
        out, err = self.process.communicate(timeout=600)
        changes = tuple(self.tally.read_text(encoding="utf-8").splitlines())
        return Ended(self.process.returncode, out, err, changes)


@contextmanager
def started(
    command: Sequence[str], folder: Path, fault: Fault = NONE, **variables: str
) -> Iterator[Victim]:
    """Start *command*, whose results go to *folder*; it is killed if it outlives the block."""
    with tempfile.TemporaryDirectory() as scratch:
        tally = Path(scratch) / "tally"
        tally.touch()
        order = {**fault.__dict__, "folder": str(folder), "tally": str(tally)}
        environ = {**os.environ, **variables, "FAULT": json.dumps(order), "PYTHONPATH": search()}
        process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal that is sent to its group is not sent to us
        )
        try:
            yield Victim(process, tally)
        finally:
            process.kill()
            process.communicate()


def run(command: Sequence[str], folder: Path, fault: Fault = NONE, **variables: str) -> Ended:
    """Run *command*, whose results go to *folder*, and return what it left."""
    with started(command, folder, fault, **variables) as victim:
        return victim.end()


def search() -> str:
    """Return where victims look for modules."""
    return os.pathsep.join(map(str, (SITE, ROOT, TESTS, *filter(None, sys.path))))


def subject(name: str, folder: Path, *more: str) -> tuple[str, ...]:
    """Return the command of a program of `faults.subjects`."""
    return (sys.executable, "-m", "faults.subjects", name, str(folder), *more)


def leftovers(folder: Path) -> list[str]:
    """Return what no finished run leaves: half-written files, drafts and locks."""
    marks = (".part", ".draft", ".lock")
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob(".*")
        if path.name.endswith(marks) or path.name.startswith((".lock-", ".making-"))
    )


def descendants(pid: int) -> list[int]:
    """Return the processes that *pid* has started, and those that they have."""
    children = Path(f"/proc/{pid}/task")
    found: list[int] = []
    for task in children.glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def is_alive(pid: int) -> bool:
    """Return whether *pid* is a process and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(holds: Callable[[], object], seconds: float = 60.0) -> bool:
    """Wait until *holds* does and return True, or False when it takes too long."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_one_sentence(said: str) -> bool:
    """Return whether *said* is what the command line says of an error."""
    return said.startswith("agentgym-gen: ") and said.count("\n") == 1 and said.endswith("\n")

"""The undisturbed run of a program, with which others are compared, and small disks."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults.fork_server import ForkServer
from faults.processes import NO_FAULT, Fault, ProgramResult, leftovers
from faults.programs import FACTS


def program_params(*quick: str, slow: Sequence[str] = ()) -> list[object]:
    """Return names of programs as parameters of a test, which is slow for some of them."""
    return [*quick, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


@dataclass(frozen=True)
class Program:
    """A program, and the results of its undisturbed run."""

    name: str
    """Its name."""
    server: ForkServer
    """The process that starts it."""
    facts: object
    """Its results."""
    changes: tuple[str, ...]
    """The changes of its folder, in order."""

    def run(
        self, folder: Path, fault: Fault = NO_FAULT, *, clock: float = 0.0, max_file_bytes: int = 0
    ) -> ProgramResult:
        """Run the program in *folder*; see `ForkServer.run`."""
        return self.server.run(self.name, folder, fault, clock=clock, max_file_bytes=max_file_bytes)

    def read_facts(self, folder: Path) -> object:
        """Return the results in *folder*."""
        return FACTS[self.name](folder)


def run_undisturbed(name: str, server: ForkServer) -> Program:
    """Run the program called *name* once without a fault, and return it with its results."""
    if name == "games":
        pytest.importorskip("textworld")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "whole"
        result = server.run(name, folder)
        assert (result.code, leftovers(folder)) == (0, []), result.err
        return Program(name, server, FACTS[name](folder), result.changes)


@contextmanager
def mounted_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Yield *folder* as a disk of so many kilobytes; skip the test where nobody may mount one."""
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k,mode=777", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    """Change an *option* of the disk in *folder*, such as ``size=9m`` or ``ro``."""
    mount("-o", f"remount,{option}", str(folder))


def mount(*arguments: str) -> None:
    """Mount, or skip the test where that is not permitted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")

"""What tests of faults share: the undisturbed run of a program, and disks of their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults.nursery import Nursery
from faults.processes import NONE, Ended, Fault, leftovers
from faults.subjects import FACTS


def programs(*quick: str, slow: Sequence[str] = ()) -> list[object]:
    """Return programs as parameters of a test, which for some of them is *slow*."""
    return [*quick, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


@dataclass(frozen=True)
class Scene:
    """A program, and what it leaves when nothing goes wrong."""

    name: str
    """Its name."""
    nursery: Nursery
    """What starts it."""
    facts: object
    """What it has found."""
    changes: tuple[str, ...]
    """The changes of its folder, in order."""

    def run(self, folder: Path, fault: Fault = NONE, *, clock: float = 0.0, room: int = 0) -> Ended:
        """Let the program work in *folder*; see `Nursery.run`."""
        return self.nursery.run(self.name, folder, fault, clock=clock, room=room)

    def found(self, folder: Path) -> object:
        """Return what was found in *folder*."""
        return FACTS[self.name](folder)


def scene_of(name: str, nursery: Nursery) -> Scene:
    """Return the scene of the program called *name*, which has run once."""
    if name == "games":
        pytest.importorskip("textworld")
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        ended = nursery.run(name, whole)
        assert (ended.code, leftovers(whole)) == (0, []), ended.err
        return Scene(name, nursery, FACTS[name](whole), ended.changes)


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Yield *folder* as a disk of so many kilobytes; skip the test where nobody may mount one."""
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k,mode=777", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def change_disk(folder: Path, option: str) -> None:
    """Give the disk in *folder* an *option*, such as ``size=9m`` or ``ro``."""
    mount("-o", f"remount,{option}", str(folder))


def mount(*arguments: str) -> None:
    """Mount, or skip the test where that is not permitted."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")

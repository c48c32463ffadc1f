"""A clock that jumps by years decides nothing: neither what is newest nor whether a lock is old."""

import os
import signal
from pathlib import Path

import pytest
from faults.processes import YEARS, Fault, started, subject
from faults.scene import Scene, programs


def turn_ages_round(folder: Path) -> None:
    """Let what was written first look as if it had been written last, in a year to come."""
    for age, path in enumerate(sorted(folder.rglob("*"), key=lambda path: path.stat().st_mtime_ns)):
        os.utime(path, (4e9 - age, 4e9 - age))


@pytest.mark.parametrize("scene", programs("study", slow=("games", "rft")), indirect=True)
def test_a_run_goes_on_whatever_the_clock_says(scene: Scene, tmp_path: Path) -> None:
    """Killed in 10 years, killed again 30 years ago, and finished with all ages turned round."""
    folder = tmp_path / "x"
    third = len(scene.changes) // 3
    first = scene.run(folder, Fault(2 * third), clock=10 * YEARS)
    turn_ages_round(folder)
    second = scene.run(folder, Fault(third), clock=-30 * YEARS)
    turn_ages_round(folder)
    last = scene.run(folder)

    assert [first.code, second.code, last.code] == [-9, -9, 0], last.err
    assert scene.found(folder) == scene.facts


@pytest.mark.parametrize("scene", ["study"], indirect=True)
def test_a_lock_is_never_too_old(scene: Scene, tmp_path: Path) -> None:
    """A run in 10 years is refused by one of today, which only sleeps."""
    folder = tmp_path / "x"
    halfway = Fault(len(scene.changes) // 2, signal.SIGSTOP)
    with started(subject("study", folder), folder, halfway) as first:
        first.wait_until_stopped()
        turn_ages_round(folder)
        second = scene.run(folder, clock=10 * YEARS)

    assert (second.code, f"process {first.pid} on" in second.err) == (2, True), second.err

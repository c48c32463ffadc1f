"""A clock that jumps by years changes nothing: not what is newest, not whether a lock is held."""

import os
from pathlib import Path

import pytest
from faults.processes import YEAR_SECONDS, Fault, program_command, start_program
from faults.reference_run import Program, program_params
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")


def reverse_ages(folder: Path) -> None:
    """Date the files of *folder* in the far future, the oldest one last."""
    for age, path in enumerate(sorted(folder.rglob("*"), key=lambda path: path.stat().st_mtime_ns)):
        os.utime(path, (4e9 - age, 4e9 - age))


@pytest.mark.parametrize("program", program_params("study", slow=("games", "rft")), indirect=True)
def test_a_run_goes_on_whatever_the_clock_says(program: Program, tmp_path: Path) -> None:
    """A run is killed in 10 years and again 30 years ago; it ends with the same results."""
    folder = tmp_path / "x"
    third = len(program.changes) // 3
    first = program.run(folder, Fault(2 * third), clock=10 * YEAR_SECONDS)
    reverse_ages(folder)
    second = program.run(folder, Fault(third), clock=-30 * YEAR_SECONDS)
    reverse_ages(folder)
    last = program.run(folder)

    assert [first.code, second.code, last.code] == [-9, -9, 0], last.err
    assert program.read_facts(folder) == program.facts


@pytest.mark.parametrize("program", ["study"], indirect=True)
def test_a_lock_is_never_too_old(program: Program, tmp_path: Path) -> None:
    """A run of today that is only stopped excludes a run in 10 years."""
    folder = tmp_path / "x"
    halfway = Fault(len(program.changes) // 2, "SIGSTOP")
    with start_program(program_command("study", folder), folder, halfway) as first:
        first.wait_until_stopped()
        reverse_ages(folder)
        second = program.run(folder, clock=10 * YEAR_SECONDS)

    assert (second.code, f"process {first.pid} on" in second.err) == (2, True), second.err

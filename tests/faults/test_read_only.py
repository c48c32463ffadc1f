"""In a folder that may not be written a run prints one sentence, and results can be read."""

import os
from pathlib import Path

import pytest
from faults.processes import CLI, Fault, is_one_sentence, run_program
from faults.programs import file_facts
from faults.reference_run import Program, mounted_disk, program_params, remount
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")


@pytest.mark.parametrize(
    "program", program_params("study", "calibration", slow=("games", "rft")), indirect=True
)
def test_a_run_on_a_read_only_disk(program: Program, tmp_path: Path) -> None:
    """The sentence names the folder and what to do; the run resumes when the disk is writable."""
    with mounted_disk(tmp_path / "disk", 40_000) as folder:
        assert program.run(folder, Fault(len(program.changes) // 2)).code == -9
        before = file_facts(folder)
        remount(folder, "ro")
        ended = program.run(folder)

        assert (ended.code, is_one_sentence(ended.err)) == (2, True), ended.err
        assert str(folder) in ended.err
        assert "that you may write to" in ended.err or "that can be written" in ended.err
        assert file_facts(folder) == before
        remount(folder, "rw")
        again = program.run(folder)
        assert again.code == 0, again.err
        assert program.read_facts(folder) == program.facts


@pytest.mark.parametrize("program", ["study"], indirect=True)
def test_a_read_only_study_can_be_looked_at(program: Program, tmp_path: Path) -> None:
    """The status of a study needs no lock and writes nothing."""
    with mounted_disk(tmp_path / "disk", 40_000) as folder:
        assert program.run(folder).code == 0
        remount(folder, "ro")
        ended = run_program((*CLI, "study", "status", str(folder)), folder)

    assert (ended.code, ended.err) == (0, "")
    assert "100 % faulty in" in ended.out
    assert "(not running)" in ended.out


@pytest.mark.parametrize("program", ["study", "calibration"], indirect=True)
def test_a_folder_of_somebody_else(program: Program, tmp_path: Path) -> None:
    """A folder whose mode forbids writing is one sentence; root is never refused by a mode."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = tmp_path / "x"
    folder.mkdir(mode=0o555)
    ended = program.run(folder)

    assert (ended.code, is_one_sentence(ended.err)) == (2, True), ended.err
    assert "that you may write to" in ended.err

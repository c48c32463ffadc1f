"""A folder that may not be written is one sentence, changes nothing, and can still be read."""

import os
from pathlib import Path

import pytest
from faults.processes import CLI, Fault, is_one_sentence, run
from faults.scene import Scene, change_disk, disk, programs
from faults.subjects import file_facts


@pytest.mark.parametrize(
    "scene", programs("study", "calibration", slow=("games", "rft")), indirect=True
)
def test_a_run_on_a_read_only_disk(scene: Scene, tmp_path: Path) -> None:
    """It names the folder and what to do; once it may be written, the run goes on."""
    with disk(tmp_path / "disk", 40_000) as folder:
        assert scene.run(folder, Fault(len(scene.changes) // 2)).code == -9
        before = file_facts(folder)
        change_disk(folder, "ro")
        ended = scene.run(folder)

        assert (ended.code, is_one_sentence(ended.err)) == (2, True), ended.err
        assert str(folder) in ended.err
        assert "that you may write to" in ended.err or "that can be written" in ended.err
        assert file_facts(folder) == before
        change_disk(folder, "rw")
        again = scene.run(folder)
        assert again.code == 0, again.err
        assert scene.found(folder) == scene.facts


@pytest.mark.parametrize("scene", ["study"], indirect=True)
def test_a_read_only_study_can_be_looked_at(scene: Scene, tmp_path: Path) -> None:
    """Its status needs no lock, and leaves nothing."""
    with disk(tmp_path / "disk", 40_000) as folder:
        assert scene.run(folder).code == 0
        change_disk(folder, "ro")
        ended = run((*CLI, "study", "status", str(folder)), folder)

    assert (ended.code, ended.err) == (0, "")
    assert "100 % faulty in" in ended.out
    assert "(not running)" in ended.out


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("scene", ["study", "calibration"], indirect=True)
def test_a_folder_of_somebody_else(scene: Scene, tmp_path: Path) -> None:
    """By its mode; where tests run as root, the read-only disk has to do."""
    folder = tmp_path / "x"
    folder.mkdir(mode=0o555)
    ended = scene.run(folder)

    assert (ended.code, is_one_sentence(ended.err)) == (2, True), ended.err
    assert "that you may write to" in ended.err

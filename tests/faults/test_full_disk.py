"""Where there is no room, a run says where and what to do, damages nothing, and goes on later."""

from pathlib import Path

import pytest
from faults.processes import Fault, is_one_sentence, leftovers
from faults.scene import Scene, change_disk, disk

SMALL: list[object] = [("study", 4), ("study", 32), ("calibration", 12), ("rft", 300)]
SMALL += [
    pytest.param(name, size, marks=pytest.mark.slow)
    for name, sizes in {
        "study": (60,),
        "calibration": (4,),
        "sft": (60, 480),
        "rft": (700,),
        "games": (16,),
    }.items()
    for size in sizes
]
"""Programs and the kilobytes of a disk that is full before they end."""

LIMITED: list[object] = [("study", 300), ("calibration", 300), ("sft", 50_000)]
LIMITED += [
    pytest.param(*case, marks=pytest.mark.slow) for case in (("sft", 3000), ("rft", 60_000))
]
"""Programs and the bytes of the largest file that they may write."""


@pytest.mark.parametrize(("scene", "size"), SMALL, indirect=["scene"])
def test_a_full_disk(scene: Scene, size: int, tmp_path: Path) -> None:
    """The sentence names the folder; with more room the run ends with the same numbers."""
    with disk(tmp_path / "small", size) as folder:
        ended = scene.run(folder)

        assert ended.code == 2, ended.out
        assert is_one_sentence(ended.err)
        assert str(folder) in ended.err
        assert "make room" in ended.err
        change_disk(folder, "size=40m")
        again = scene.run(folder)
        assert again.code == 0, again.err
        assert scene.found(folder) == scene.facts
        assert leftovers(folder) == []


@pytest.mark.parametrize(("scene", "room"), LIMITED, indirect=["scene"])
def test_a_file_that_may_not_be_that_large(scene: Scene, room: int, tmp_path: Path) -> None:
    """A limit of the process is like a full disk, and is met wherever tests may run."""
    ended = scene.run(tmp_path / "x", room=room)

    assert ended.code == 2, ended.out
    assert is_one_sentence(ended.err)
    assert str(tmp_path / "x") in ended.err
    again = scene.run(tmp_path / "x")
    assert again.code == 0, again.err
    assert scene.found(tmp_path / "x") == scene.facts


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["rft"], indirect=True)
def test_the_older_checkpoint_survives_a_full_disk(scene: Scene, tmp_path: Path) -> None:
    """To the letter: a run that wants to write the third finds the second as it was."""
    with disk(tmp_path / "small", 40_000) as folder:
        stopped = scene.run(folder, Fault(1, point="open .step_000003.draft"))
        before = {path: path.read_bytes() for path in sorted(folder.glob("step_*/*"))}
        used = sum(len(text) for text in before.values())
        change_disk(folder, f"size={used // 1024 + 100}k")
        ended = scene.run(folder)

        assert stopped.code == -9
        assert (ended.code, "Cannot write the checkpoint" in ended.err) == (2, True), ended.err
        assert {path: path.read_bytes() for path in sorted(folder.glob("step_*/*"))} == before

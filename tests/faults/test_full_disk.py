"""On a full disk a run says where and what to do, damages nothing, and can be resumed."""

from pathlib import Path

import pytest
from faults.processes import Fault, is_one_sentence, leftovers
from faults.reference_run import Program, mounted_disk, remount
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")

SMALL_DISKS: list[object] = [("study", 4), ("study", 32), ("calibration", 12), ("rft", 300)]
SMALL_DISKS += [
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

FILE_LIMITS: list[object] = [("study", 300), ("calibration", 300), ("sft", 50_000)]
FILE_LIMITS += [
    pytest.param(*case, marks=pytest.mark.slow) for case in (("sft", 3000), ("rft", 60_000))
]
"""Programs and the bytes of the largest file that they may write."""


@pytest.mark.parametrize(("program", "size"), SMALL_DISKS, indirect=["program"])
def test_a_full_disk(program: Program, size: int, tmp_path: Path) -> None:
    """The sentence names the folder; with more room the run ends with the same numbers."""
    with mounted_disk(tmp_path / "small", size) as folder:
        ended = program.run(folder)

        assert ended.code == 2, ended.out
        assert is_one_sentence(ended.err)
        assert str(folder) in ended.err
        assert "make room" in ended.err
        remount(folder, "size=40m")
        again = program.run(folder)
        assert again.code == 0, again.err
        assert program.read_facts(folder) == program.facts
        assert leftovers(folder) == []


@pytest.mark.parametrize(("program", "max_file_bytes"), FILE_LIMITS, indirect=["program"])
def test_a_file_that_may_not_be_that_large(
    program: Program, max_file_bytes: int, tmp_path: Path
) -> None:
    """A limit on the size of files has the same effect as a full disk, and needs no rights."""
    ended = program.run(tmp_path / "x", max_file_bytes=max_file_bytes)

    assert ended.code == 2, ended.out
    assert is_one_sentence(ended.err)
    assert str(tmp_path / "x") in ended.err
    again = program.run(tmp_path / "x")
    assert again.code == 0, again.err
    assert program.read_facts(tmp_path / "x") == program.facts


@pytest.mark.slow
@pytest.mark.parametrize("program", ["rft"], indirect=True)
def test_the_older_checkpoint_survives_a_full_disk(program: Program, tmp_path: Path) -> None:
    """When the third checkpoint finds no room, the second is unchanged, byte by byte."""
    with mounted_disk(tmp_path / "small", 40_000) as folder:
        stopped = program.run(folder, Fault(1, pattern="open .step_000003.draft"))
        before = {path: path.read_bytes() for path in sorted(folder.glob("step_*/*"))}
        used = sum(len(text) for text in before.values())
        remount(folder, f"size={used // 1024 + 100}k")
        ended = program.run(folder)

        assert stopped.code == -9
        assert (ended.code, "Cannot write the checkpoint" in ended.err) == (2, True), ended.err
        assert {path: path.read_bytes() for path in sorted(folder.glob("step_*/*"))} == before

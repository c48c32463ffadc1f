"""Checkpoints are complete, and as many of the newest are kept as the settings say."""

from pathlib import Path

import pytest

from agentgym_gen.errors import ResultExistsError
from agentgym_gen.trainers import checkpoint


def write(root: Path, step: int, keep: int) -> None:
    """Write a checkpoint that holds a text file."""
    checkpoint.write(root, step, {}, lambda folder: _fill(folder, step), keep=keep)


def _fill(folder: Path, step: int) -> None:
    (folder / "weights").write_text(str(step), encoding="utf-8")


def test_the_newest_stay(tmp_path: Path) -> None:
    """As many of the newest checkpoints as `keep` says stay."""
    for step in range(1, 5):
        write(tmp_path, step, 2)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000003", "step_000004"]


def test_a_checkpoint_behind_a_link_is_not_removed(tmp_path: Path) -> None:
    """Removing or replacing a link to a checkpoint leaves the folder behind it as it was."""
    root, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    write(root, 1, 0)
    (root / "step_000001").rename(elsewhere)
    (root / "step_000001").symlink_to(elsewhere, target_is_directory=True)
    write(root, 2, 1)
    assert [path.name for path in root.iterdir()] == ["step_000002"]

    (root / "step_000003").symlink_to(elsewhere, target_is_directory=True)
    write(root, 3, 1)
    assert not (root / "step_000003").is_symlink()
    assert (elsewhere / "weights").read_text(encoding="utf-8") == "1"


def test_a_run_does_not_go_on_among_checkpoints_of_another_course(tmp_path: Path) -> None:
    """They would count as newer, and its own would be removed as soon as they are written."""
    for root in ("mine", "theirs"):
        for step in (2, 9):
            write(tmp_path / root, step, 0)
    aside = (tmp_path / "mine" / "step_000009").rename(tmp_path / "mine" / "step_000009.aside")
    for chosen in (tmp_path / "theirs" / "step_000002", aside):
        with pytest.raises(ResultExistsError, match="holds checkpoints of a training, and"):
            checkpoint.check_course(tmp_path / "mine", chosen)

    checkpoint.check_course(tmp_path / "mine", tmp_path / "mine" / "step_000002")
    checkpoint.check_course(tmp_path / "new", aside)

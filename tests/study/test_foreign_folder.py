"""A study leaves the files of others alone, and ends when its folder is deleted."""

import shutil
from pathlib import Path

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.agents.policy import Policy
from agentgym_gen.cli.main import main
from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.study import run_plan
from agentgym_gen.system.files import TEMPORARY_ENDING


@pytest.mark.parametrize("name", ["film.part", ".notes", "models", "cells", "plan.txt"])
def test_a_folder_of_others_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    """It is neither swept nor locked, whatever lies there."""
    (tmp_path / name).mkdir()
    (tmp_path / name / ".x.part").write_text("mine")
    with pytest.raises(ResultExistsError, match=f"holds no study, and is not empty: '{name}'"):
        run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe())

    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([name, ".x.part"])


def test_the_working_folder_is_refused_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--out .`` in a folder that is no study says so before it asks to start."""
    (tmp_path / "thesis.tex").write_text("")
    monkeypatch.chdir(tmp_path)

    assert main(["study", "run", "quick", "--out", ".", "--yes"]) == 2
    assert "'thesis.tex' is there; choose a new folder with --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


class DeletingRecipe(PretendRecipe):
    """Deletes the results folder while a model is trained or tested.

    Args:
        out: The results folder.
        moment: ``train`` or ``test``.
    """

    def __init__(self, out: Path, moment: str) -> None:
        super().__init__()
        self.out, self.moment = out, moment

    def make_base(self, folder: Path, seed: int, log: object) -> None:
        """Delete the folder instead, if it is the moment."""
        if self.moment == "train":
            shutil.rmtree(self.out)
            raise FileNotFoundError(folder)
        super().make_base(folder, seed, str)

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of a model, whose folder is gone then."""
        policy = super().load_policy(folder)
        shutil.rmtree(self.out)
        return policy


@pytest.mark.parametrize("moment", ["train", "test"])
def test_a_folder_that_is_deleted_ends_the_run(tmp_path: Path, moment: str) -> None:
    """The run ends with one sentence, and does not make a part of the folder again."""
    out = tmp_path / "out"
    with pytest.raises(DataError, match="out was deleted while the study ran"):
        run_plan(small_plan(), out, log=str, recipe=DeletingRecipe(out, moment))

    assert not out.exists()


def test_a_start_that_was_killed_is_started_again(tmp_path: Path) -> None:
    """A lock and a half-written plan.json are of a run that was killed at once."""
    (tmp_path / ".lock").write_text("process 1 on elsewhere\n")
    (tmp_path / f".plan.json.0123456789ab{TEMPORARY_ENDING}").write_text("{")
    with pytest.raises(KeyboardInterrupt):
        run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe(stop_after=0))

    assert [path.name for path in tmp_path.rglob("*.part")] == []
    assert (tmp_path / "plan.json").is_file()

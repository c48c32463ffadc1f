"""A study from plan to report, with policies instead of models."""

import json
from pathlib import Path

import pytest

from agentgym_gen.errors import InvalidValueError, ResultExistsError, UnknownNameError
from agentgym_gen.policy import ExpertPolicy, Policy, RandomPolicy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.study import Arm, Study, load_study, read_rows, report_study, run_study
from agentgym_gen.study.plan import STUDIES
from agentgym_gen.study.run import Say, held_out_tasks

SMALL = Study(
    name="small",
    recipe="none",
    arms=(Arm("craft", ("rftgen/TextCraft-easy-v0",)),),
    columns=("rftgen/TextCraft-easy-v0", "rftgen/TextCraft-medium-v0", "rftgen/Sokoban-easy-v0"),
    seeds=(0, 1),
    tasks=6,
    samples=2,
)


class Pretend:
    """A recipe whose base acts at random and whose training makes an expert."""

    style = PromptStyle("action", instruction=False)

    def __init__(self, die_after: int = 1000) -> None:
        self.trained: list[str] = []
        self._left = die_after

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    def train(self, base: Path, folder: Path, arm: Arm, seed: int, say: Say) -> None:
        assert base.exists()
        if not folder.exists():
            self.trained.append(folder.name)
        folder.mkdir(exist_ok=True)

    def load_policy(self, folder: Path) -> Policy:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return RandomPolicy() if folder.name.startswith("base") else ExpertPolicy()


def test_a_study_leaves_rows_and_a_report(tmp_path: Path) -> None:
    """A row an episode, a table with intervals and n, a figure, and the paper beside it."""
    said: list[str] = []
    run_study(SMALL, tmp_path, say=said.append, recipe=Pretend())
    text = report_study(SMALL, tmp_path)
    rows = read_rows(tmp_path / "rows")

    assert len(rows) == 2 * 2 * 3 * 6 * 2
    assert {row["schema"] for row in rows} == {1}
    assert "| craft | TextCraft-easy (held in) |" in text
    assert "100.0 [86.2, 100.0]" in text
    assert "evaluation noise" in text
    assert "WebShop hard +60.1" in text
    assert (tmp_path / "report.md").read_text() == text
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    assert said[0].startswith("[1/16] base model, seed 0")
    assert len(said) == 16


def test_a_stopped_study_goes_on_with_the_same_rows(tmp_path: Path) -> None:
    """Nothing that was done is done again."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_study(SMALL, whole, say=str, recipe=Pretend())
    stopped = Pretend(die_after=2)
    with pytest.raises(KeyboardInterrupt):
        run_study(SMALL, parts, say=str, recipe=stopped)
    done = {path: path.stat().st_mtime_ns for path in (parts / "rows").iterdir()}
    again = Pretend()
    run_study(SMALL, parts, say=str, recipe=again)

    assert read_rows(parts / "rows") == read_rows(whole / "rows")
    assert (stopped.trained, again.trained) == (["craft.s0"], ["craft.s1"])
    assert done
    assert all(path.stat().st_mtime_ns == time for path, time in done.items())


def test_the_results_of_another_plan_are_never_overwritten(tmp_path: Path) -> None:
    """The error names the folder and what to do."""
    run_study(SMALL, tmp_path, say=str, recipe=Pretend())
    other = Study(**{**SMALL.__dict__, "tasks": 7})
    with pytest.raises(ResultExistsError, match="choose another folder with --out"):
        run_study(other, tmp_path, say=str, recipe=Pretend())


def test_the_plan_is_written_with_the_versions(tmp_path: Path) -> None:
    """Everything needed to run it again."""
    run_study(SMALL, tmp_path, say=str, recipe=Pretend())
    plan = json.loads((tmp_path / "plan.json").read_text())

    assert plan["study"]["columns"] == list(SMALL.columns)
    assert plan["versions"]["numpy"]


def test_every_model_is_tested_on_the_same_tasks_through_every_interface() -> None:
    """So that gains and interface gaps are paired."""
    native, listed = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-easy-listed-v0"

    assert held_out_tasks(SMALL, native) == held_out_tasks(SMALL, listed)
    assert all(task.startswith("sokoban/easy/test/") for task in held_out_tasks(SMALL, native))


def test_an_unknown_column_stops_before_anything_is_run(tmp_path: Path) -> None:
    """No folder is made."""
    wrong = Study(**{**SMALL.__dict__, "columns": ("rftgen/TextCraft-eesy-v0",)})
    with pytest.raises(UnknownNameError, match="did you mean 'rftgen/TextCraft-easy-v0'"):
        run_study(wrong, tmp_path / "x", say=str, recipe=Pretend())
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"arms": ()},
        {"arms": (Arm("base", ("rftgen/TextCraft-easy-v0",)),)},
        {"arms": (Arm("nothing", ()),)},
        {"columns": ()},
        {"seeds": (1, 1)},
        {"tasks": 0},
    ],
)
def test_a_plan_that_cannot_be_run_is_an_error(change: dict[str, object]) -> None:
    """When it is made, not when it is run."""
    with pytest.raises(InvalidValueError):
        Study(**{**SMALL.__dict__, **change})


@pytest.mark.parametrize("name", STUDIES)
def test_every_preset_loads(name: str) -> None:
    """By its name."""
    assert load_study(name).name == name

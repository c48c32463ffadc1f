"""A study from plan to report, with policies instead of models."""

import json
from pathlib import Path

import pytest

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError, UnknownNameError
from agentgym_gen.policy import ExpertPolicy, Policy, RandomPolicy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.study import Arm, Study, load_study, read_rows, report_study, run_study
from agentgym_gen.study.plan import STUDIES
from agentgym_gen.study.report import claims
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

    def __init__(self, die_after: int = 1000) -> None:
        self.trained: list[str] = []
        self._left = die_after

    def style_of(self, env_id: str) -> PromptStyle:
        return PromptStyle("action", instruction=False)

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
    assert "100.0 [61.0, 100.0]" in text  # Wilson's interval of 6 tasks of 6
    assert "cover the noise of the evaluation only" in text
    assert "WebShop hard +60.1" in text
    assert (tmp_path / "report.md").read_text() == text
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    assert said[0].startswith("Study small: 4 models (2 seeds x (base + 1 trained)), 12 cells, 144")
    assert said[1] == "seed 0 [....................]   0 % the base model"
    assert len(said) == 1 + 2 * 8


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


def test_seeds_run_side_by_side_with_the_same_rows(tmp_path: Path) -> None:
    """Each in a process of its own."""
    run_study(SMALL, tmp_path / "one", say=str, recipe=Pretend())
    run_study(SMALL, tmp_path / "two", say=str, recipe=Pretend(), workers=2)

    assert read_rows(tmp_path / "two" / "rows") == read_rows(tmp_path / "one" / "rows")


def test_an_unfinished_study_has_no_report(tmp_path: Path) -> None:
    """The error counts the cells that are missing and says what to do."""
    with pytest.raises(KeyboardInterrupt):
        run_study(SMALL, tmp_path, say=str, recipe=Pretend(die_after=1))
    with pytest.raises(DataError, match=r"9 of 12 cells .* run the study again"):
        report_study(SMALL, tmp_path)


def test_a_cell_that_is_not_whole_is_no_result(tmp_path: Path) -> None:
    """Nor is a row of another schema."""
    run_study(SMALL, tmp_path, say=str, recipe=Pretend())
    path = tmp_path / "rows" / "craft.s1.TextCraft-easy-v0.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match="1 of 12 cells"):
        report_study(SMALL, tmp_path)
    path.write_text("\n".join([*lines[:-1], '{"schema": 0}']))
    with pytest.raises(DataError, match=r"Line 12 of .* is not a row of schema 1"):
        report_study(SMALL, tmp_path)


@pytest.mark.parametrize("plan", ["{", "[]", '{"study": 1}', "\x00"])
def test_a_plan_that_cannot_be_read_is_one_clear_error(tmp_path: Path, plan: str) -> None:
    """Nothing is run."""
    (tmp_path / "plan.json").write_text(plan)
    with pytest.raises(DataError, match="it is not the plan of a study"):
        run_study(SMALL, tmp_path, say=str, recipe=Pretend())


def test_results_without_a_plan_are_left_alone(tmp_path: Path) -> None:
    """Nobody knows what they are results of."""
    (tmp_path / "rows").mkdir()
    with pytest.raises(ResultExistsError, match=r"results without a plan\.json"):
        run_study(SMALL, tmp_path, say=str, recipe=Pretend())


def test_another_recipe_is_another_plan(tmp_path: Path) -> None:
    """Its models are others."""

    class Other(Pretend):
        """Another recipe."""

    run_study(SMALL, tmp_path, say=str, recipe=Pretend())
    with pytest.raises(ResultExistsError, match="another plan"):
        run_study(SMALL, tmp_path, say=str, recipe=Other())


@pytest.mark.parametrize(
    ("arm", "columns", "count"),
    [
        ("rftgen/Sokoban-easy-v0", ["rftgen/Sokoban-medium-v0", "rftgen/Sokoban-hard-v0"], 2),
        ("rftgen/Sokoban-hard-v0", ["rftgen/Sokoban-medium-v0"], 0),
        ("rftgen/Sokoban-medium-v0", ["rftgen/Sokoban-medium-listed-v0"], 0),
        ("rftgen/Sokoban-easy-v0", ["rftgen/TextCraft-hard-v0"], 0),
    ],
)
def test_t1_is_about_harder_tiers_of_the_same_environment(
    arm: str, columns: list[str], count: int
) -> None:
    """Through the same interface."""
    study = Study("x", "none", (Arm("a", (arm,)),), tuple(columns), (0,), tasks=2, samples=1)
    rows = [
        {"arm": name, "column": column, "seed": 0, "task_id": f"t{task}", "success": task > 0}
        for name in ("base", "a")
        for column in columns
        for task in range(2)
    ]

    assert sum("T1" in claim.sentence for claim in claims(study, rows, study.arms[0])) == count


def test_t6_is_about_the_same_tasks_without_the_list() -> None:
    """An arm that won 1 of 2 tasks with the list and loses it without has lost 50 points."""
    listed, plain = "rftgen/Sokoban-easy-listed-v0", "rftgen/Sokoban-easy-v0"
    study = Study("x", "none", (Arm("a", (listed,)),), (listed, plain), (0,), tasks=2, samples=1)
    rows = [
        {"arm": name, "column": column, "seed": 0, "task_id": f"t{task}", "success": task < won}
        for name, column, won in (
            ("base", listed, 0), ("base", plain, 1), ("a", listed, 1), ("a", plain, 0),
        )
        for task in range(2)
    ]  # fmt: skip
    found = [c for c in claims(study, rows, study.arms[0]) if "T6" in c.sentence]

    assert [claim.ours.value for claim in found] == [0.5]


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
        {"seeds": (-1,)},
        {"seeds": (True,)},
        {"arms": (Arm("../up", ("rftgen/TextCraft-easy-v0",)),)},
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

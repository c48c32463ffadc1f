"""Panels are frozen: their tasks and texts are those of the day on which they were made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import (
    DataError,
    InvalidValueError,
    MissingExtraError,
    ResultExistsError,
    UnknownNameError,
)
from agentgym_gen.evaluation import EvalSettings, Evaluation, evaluate, panel, score_line
from agentgym_gen.evaluation.panel import Panel, PanelColumn, column_hashes, load_panel, panel_names
from agentgym_gen.ids import EnvId

EPISODES = {"core-v1": 630, "shift-v1": 2940, "paper-v1": 990}
HASHES = {"core-v1": "93443502105c", "shift-v1": "9412b51c7bb5", "paper-v1": "af87c93e744f"}
"""A published panel never changes: another hash here means a new name, such as ``core-v2``."""


def columns(name: str, step: int = 1) -> list[Any]:
    """Return every so many columns of a panel whose tasks are made in no time."""
    parts = [
        part
        for part in load_panel(name).columns
        if ENVIRONMENTS[EnvId.parse(part.column.env_id).name].slow_tasks is None
    ]
    return [pytest.param(part, id=part.column.name) for part in parts[::step]]


@pytest.mark.parametrize("name", EPISODES)
def test_a_panel_is_what_was_published(name: str) -> None:
    """Its hash and the number of its episodes never change, and no task is listed twice."""
    frozen = load_panel(f"panel/{name}")

    assert name in panel_names()
    assert frozen.hash == HASHES[name]
    assert sum(len(part.column.task_ids) for part in frozen.columns) == EPISODES[name]
    assert all(len(set(p.column.task_ids)) == len(p.column.task_ids) for p in frozen.columns)
    assert {i.split("/")[2] for part in frozen.columns for i in part.column.task_ids} == {"test"}


@pytest.mark.parametrize("part", [*columns("core-v1"), *columns("shift-v1", 19)])
def test_the_texts_of_a_panel_are_those_that_were_frozen(part: PanelColumn) -> None:
    """A changed task, instruction, observation or list of actions needs a new panel."""
    if "BabyAI" in part.column.env_id:
        pytest.importorskip("minigrid")

    assert column_hashes(part.column, "test") == (part.content_hash, part.text_hash)


@pytest.mark.parametrize("name", ["core-v2", "core-v99", "panel/shift-v2"])
def test_a_panel_of_a_newer_version_is_an_error(name: str) -> None:
    """The error says which ones there are and what to install."""
    with pytest.raises(InvalidValueError, match=r"which has .*-v1; install a newer agentgym-gen"):
        load_panel(name)


def test_an_unknown_panel_is_an_error() -> None:
    """The nearest name is suggested."""
    with pytest.raises(UnknownNameError, match="Unknown panel 'coer-v1'; did you mean 'core-v1'"):
        load_panel("coer-v1")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Panel:
    """Return a panel of two tasks of two environments, which `load_panel` knows."""
    core = load_panel("core-v1")
    parts = []
    for env_id in ("rftgen/TextCraft-easy-v0", "rftgen/Sokoban-easy-v0"):
        part = next(part for part in core.columns if part.column.env_id == env_id)
        column = replace(part.column, task_ids=part.column.task_ids[:2])
        parts.append(PanelColumn(column, *column_hashes(column, "test")))
    frozen = replace(core, name="small-v1", columns=tuple(parts))
    monkeypatch.setattr("agentgym_gen.evaluation.request.load_panel", lambda _: frozen)
    return frozen


def test_a_score_names_the_panel_and_its_hash(small: Panel, tmp_path: Path) -> None:
    """It is one line with mean, interval, n and the hash of the prompt."""
    evaluation = evaluate("expert", panel="small-v1", out=tmp_path)
    line = score_line(evaluation)

    assert line.startswith(f"expert on panel/small-v1 ({small.hash}): success 100.0 % [")
    assert (
        "n = 4 tasks (react, lenient reader, 0 shots, temperature 0, at most 512 tokens, prompt "
        in line
    )
    assert "\n" not in line
    assert "WITHOUT" not in line


@pytest.mark.usefixtures("small")
def test_a_score_says_how_many_episodes_got_no_answer(tmp_path: Path) -> None:
    """They count as failures, and the next run plays them again."""
    evaluation = evaluate("expert", panel="small-v1", out=tmp_path)
    rows = tmp_path / "episodes.jsonl"
    first, *others = rows.read_text().splitlines(keepends=True)
    changed = {**json.loads(first), "end_reason": "policy_error", "success": False}
    rows.write_text("".join([json.dumps(changed) + "\n", *others]))

    line = score_line(Evaluation.open(evaluation.path))
    assert "WITHOUT AN ANSWER, counted as failures: 1 of 4 episodes; success 75.0 %" in line


def test_an_absent_extra_is_named_in_the_score(
    small: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score says that it is not the whole panel; with the extra the folder becomes whole."""
    make = panel.make_text_env

    def without_sokoban(env_id: str, split: str, *rest: Any) -> object:  # noqa: ANN401
        if "Sokoban" in env_id:
            raise MissingExtraError("absent")
        return make(env_id, split, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(panel, "make_text_env", without_sokoban)
        partly = evaluate("expert", panel="small-v1", out=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    whole = evaluate("expert", panel="small-v1", out=tmp_path)

    assert "WITHOUT Sokoban, which is not the whole panel: success" in score_line(partly)
    assert "This is not the whole panel" in page
    assert f"panel/small-v1 ({small.hash}): success" in score_line(whole)


def test_a_changed_text_stops_the_run(
    small: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a model is asked, and before anything is written."""
    changed = replace(small.columns[0], text_hash="0" * 16)
    frozen = replace(small, columns=(changed, *small.columns[1:]))
    monkeypatch.setattr("agentgym_gen.evaluation.request.load_panel", lambda _: frozen)
    with pytest.raises(DataError, match=r"The text of the tasks of .*TextCraft-easy-v0' is not"):
        evaluate("expert", panel="small-v1", out=tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", ["panel", "environment"])
def test_other_tasks_in_the_folder_of_a_panel_are_refused(
    small: Panel, tmp_path: Path, first: str
) -> None:
    """Whichever came first, the panel in the folder stays as it is."""
    calls: list[dict[str, Any]] = [
        {"panel": "small-v1"},
        {"envs": ["rftgen/Sokoban-hard-v0"], "tasks": 1},
    ]
    before, after = calls if first == "panel" else reversed(calls)
    line = score_line(evaluate("expert", out=tmp_path, **before))
    with pytest.raises(ResultExistsError, match=r"another panel: .*choose another folder"):
        evaluate("expert", out=tmp_path, **after)

    assert score_line(Evaluation.open(tmp_path)) == line


def test_a_panel_of_another_split_is_an_error(tmp_path: Path) -> None:
    """A panel's tasks are of the test split."""
    with pytest.raises(InvalidValueError, match="panel/core-v1 is of the split 'test'"):
        evaluate("expert", panel="core-v1", out=tmp_path, settings=EvalSettings(split="valid"))

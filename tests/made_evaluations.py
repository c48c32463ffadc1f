"""Folders of evaluations whose outcomes are made up: nothing is played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.evaluation import Decoding, EvalSettings
from agentgym_gen.evaluation.results import append_episode, finish, write_record
from agentgym_gen.study.plan.plan import ROW_SCHEMA

EASY, MEDIUM = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-medium-v0"
CRAFT = "rftgen/TextCraft-easy-v0"

MADE = {"version": "0.1.0", "prompt_hash": "p", "failure_rules": 1, "made_with": []}
"""What every record says of how it was made, unless a test says otherwise."""

SETTINGS = EvalSettings(decoding=Decoding(temperature=1.0)).as_dict()
"""The settings of every record, unless a test says otherwise."""

Outcomes = Mapping[str, Sequence[Sequence[float]]]
"""From a column to the outcomes of its tasks, and of each the samples."""


def of_tasks(values: Iterable[float]) -> list[list[float]]:
    """Return one sample for each of *values*."""
    return [[value] for value in values]


def write_evaluation(
    folder: Path,
    outcomes: Outcomes,
    *,
    split: str = "test",
    first_task: int = 0,
    mode: str = "loops",
    row_keys: dict[str, Any] | None = None,
    **record: Any,  # noqa: ANN401
) -> Path:
    """Write the evaluation of a model into *folder* and return it.

    Args:
        folder: Its name is the label of the model.
        outcomes: The scores; 1 is a success.
        split: The split of the tasks.
        first_task: The number of the first task.
        mode: The failure mode of what is lost.
        row_keys: More keys of each row.
        record: Keys of ``eval.json`` that are not as usual; ``settings`` are added to the usual.
    """
    settings = {**SETTINGS, "split": split, **record.pop("settings", {})}
    columns, rows = [], []
    for name, tasks in outcomes.items():
        env_id, _, interface = name.partition("?interface=")
        environment, tier, _ = env_id.partition("/")[2].lower().split("-", 2)
        task_ids = [f"{environment}/{tier}/{split}/{first_task + n}" for n in range(len(tasks))]
        columns.append(
            {
                "env_id": env_id,
                "interface": interface or "native",
                "task_ids": task_ids,
                "samples": len(tasks[0]),
            }
        )
        for task_id, samples in zip(task_ids, tasks, strict=True):
            for sample, value in enumerate(samples):
                row = {"column": name, "task_id": task_id, "sample": sample, "success": value == 1}
                row |= {"score": value, "reward": value, "failures": [] if value == 1 else [mode]}
                row |= row_keys or {}
                rows.append({**row, "env_id": env_id, "interface": interface or "native"})
    usual = {"model": {"label": folder.name, "name": str(folder)}, "settings": settings}
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, {**usual, **MADE, "columns": columns, **record})
    for row in rows:
        key = {name: row[name] for name in ("column", "task_id", "sample")}
        end = {
            "turns": 2,
            "invalid_turns": 0,
            "end_reason": "success" if row["success"] else "turn_limit",
        }
        shared = {"schema": ROW_SCHEMA, "arm": folder.name, "seed": 0, "split": split}
        turn = {"observation": "a <box>", "completion": f"push by {folder.name}", "valid": True}
        text = {**key, "success": row["success"], "end_reason": end["end_reason"], "turns": [turn]}
        append_episode(folder, {**shared, **row, **end}, {**text, "last_observation": "end"})
    finish(folder)
    return folder

"""Freeze the panels: write their task ids and hashes into agentgym_gen/evaluation/panels.

    python -m tools.make_panels core-v1 shift-v1 paper-v1

A published panel is never written again: what changes needs a new version of the name.  The tool
refuses to overwrite a file; remove it by hand while it is not published.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentgym_gen import sample_task_ids, stream
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.evaluation.panel import FOLDER, PANEL_SCHEMA, column_hashes
from agentgym_gen.evaluation.results import Column
from agentgym_gen.ids import TIERS
from agentgym_gen.interface.axes import PRESETS

HOME = Path(__file__).parents[1] / "agentgym_gen" / "evaluation" / FOLDER
SPLIT = "test"
NAMES = [environment.name for environment in BUNDLED]

CORE_TASKS, SHIFT_TASKS = 30, 20
COMPOSITIONS = ("synonyms+json", "symbols+call", "renamed+terse", "symbols+json+renamed")
PAPER_SIZES = {"WebShop": 200, "SearchQA": 400, "TextCraft": 100, "ALFWorld": 200, "BabyAI": 90}
"""The sizes of the test sets of AgentGym-RL, on whose scripts the paper builds."""

ABOUT = {
    "core-v1": "all seven environments in three tiers, 30 test tasks each, native interface",
    "shift-v1": "20 test tasks of each environment, native, under every preset and compositions",
    "paper-v1": "the five environments of arXiv 2603.12011 with the sizes of AgentGym-RL's tests",
}


def lists(panel: str) -> Iterator[tuple[str, int, Sequence[str]]]:
    """Yield each environment id of *panel*, how many tasks it has, and its interfaces."""
    if panel == "core-v1":
        for name in NAMES:
            for tier in TIERS:
                yield f"rftgen/{name}-{tier}-v0", CORE_TASKS, ("native",)
    elif panel == "shift-v1":
        for name in NAMES:
            yield f"rftgen/{name}-v0", SHIFT_TASKS, ("native", *PRESETS, *COMPOSITIONS)
    else:
        for name, size in PAPER_SIZES.items():
            yield f"rftgen/{name}-v0", size, ("native",)


def compact(task_ids: Sequence[str]) -> list[str]:
    """Return *task_ids* as lines of a prefix and keys, in the same order.

    >>> compact(["a/easy/test/3", "a/easy/test/1", "a/hard/test/2"])
    ['a/easy/test: 3 1', 'a/hard/test: 2']
    """
    lines: list[tuple[str, list[str]]] = []
    for task_id in task_ids:
        prefix, _, key = task_id.rpartition("/")
        if not lines or lines[-1][0] != prefix:
            lines.append((prefix, []))
        lines[-1][1].append(key)
    return [f"{prefix}: {' '.join(keys)}" for prefix, keys in lines]


def freeze(panel: str) -> None:
    """Write the file of *panel*."""
    path = HOME / f"{panel}.json"
    if path.exists():
        sys.exit(f"{path} is there; a panel is never written again")
    tasks, columns = {}, []
    for env_id, number, interfaces in lists(panel):
        sampled = sample_task_ids(env_id, SPLIT, number, stream("panel", panel, env_id))
        task_ids = sorted(sampled)  # tiers together, which keeps the file small
        tasks[env_id] = compact(task_ids)
        for interface in interfaces:
            column = Column(env_id, interface, tuple(task_ids))
            content, text = column_hashes(column, SPLIT)
            columns.append(
                {
                    "env_id": env_id,
                    "interface": interface,
                    "tasks": env_id,
                    "content": content,
                    "text": text,
                }
            )
            print(panel, column.name, content, text, flush=True)
    rows = ",\n    ".join(json.dumps(column) for column in columns)
    lines = ",\n    ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in tasks.items())
    head = json.dumps({"schema": PANEL_SCHEMA, "name": panel, "about": ABOUT[panel]})[1:-1]
    path.write_text(
        f'{{\n  {head}, "split": "{SPLIT}",\n  "tasks": {{\n    {lines}\n  }},\n'
        f'  "columns": [\n    {rows}\n  ]\n}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        freeze(name)

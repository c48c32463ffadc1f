"""One episode through several interfaces, in columns side by side: ``agentgym-gen show``."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agentgym_gen.describe.transcript import action_line
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.interface import Interface, Randomized
from agentgym_gen.world import TaskId

__all__ = [
    "GAP",
    "MIN_WIDTH",
    "Column",
    "format_columns",
    "play_columns",
]

MIN_WIDTH = 24
"""The narrowest column; if the columns do not fit, they are put one under the other."""

GAP = " | "


@dataclass(frozen=True)
class Column:
    """One interface and the texts of the episode through it."""

    title: str
    """The interface."""
    texts: tuple[str, ...]
    """Observations and actions in turn; every column has the same commands."""


def play_columns(
    env_id: str,
    task_id: str,
    interfaces: Sequence[Interface | Randomized | str],
    *,
    turns: int,
    instruction: bool = False,
) -> list[Column]:
    """Play the first *turns* actions of the expert in a task through each of *interfaces*.

    Args:
        env_id: A registered id.
        task_id: The task.
        interfaces: What `TextEnv` accepts as its interface.
        turns: How many actions are played.
        instruction: Whether a column begins with the instruction.
    """
    split = TaskId.parse(task_id).split
    envs = [make_text_env(env_id, split, {"interface": interface}) for interface in interfaces]
    names = list(map(str, interfaces))
    # A randomized interface that occurs twice is sampled anew: the second column has sample 1.
    samples = [names[:place].count(name) for place, name in enumerate(names)]
    texts = [
        [env.reset(options={"task_id": task_id, "interface_index": sample})[0]]
        for env, sample in zip(envs, samples, strict=True)
    ]
    if instruction:
        texts = [[env.instruction, *column] for env, column in zip(envs, texts, strict=True)]
    for _ in range(turns):
        plan = envs[0].world.expert_plan()
        if not plan:
            break
        ended = [
            _step(env, env.write(plan[0]), column) for env, column in zip(envs, texts, strict=True)
        ]
        if ended[0]:
            break
    titles = [str(env.interface) for env in envs]
    return [Column(title, tuple(column)) for title, column in zip(titles, texts, strict=True)]


def _step(env: TextEnv, action: str, texts: list[str]) -> bool:
    """Play *action*, append it and its observation to *texts*, and return whether that ended it."""
    observation, _, terminated, truncated, _ = env.step(action)
    texts += [action_line(action), observation]
    return terminated or truncated


def format_columns(columns: Sequence[Column], width: int) -> str:
    """Return *columns* as text of at most *width* characters a line.

    Columns that would be narrower than `MIN_WIDTH` are put one under the other.
    """
    column_width = (width - len(GAP) * (len(columns) - 1)) // len(columns)
    if column_width < MIN_WIDTH:
        return "\n\n".join(_format_column(column, width) for column in columns)
    rows = _cells([column.title for column in columns], column_width)
    rows.append(["-" * column_width] * len(columns))
    for texts in zip(*(column.texts for column in columns), strict=True):
        rows += _cells(texts, column_width)
        rows.append([""] * len(columns))
    return "\n".join(
        GAP.join(cell.ljust(column_width) for cell in row).rstrip() for row in rows[:-1]
    )


def _cells(texts: Sequence[str], width: int) -> list[list[str]]:
    """Return the rows of lines that *texts* take, each wrapped to *width*, next to one another."""
    return [*map(list, zip_longest(*(_wrap(text, width) for text in texts), fillvalue=""))]


def _format_column(column: Column, width: int) -> str:
    lines = [line for text in column.texts for line in [*_wrap(text, width), ""]]
    return "\n".join([*_wrap(f"=== {column.title}", width), "", *lines[:-1]])


def _wrap(text: str, width: int) -> list[str]:
    """Return the lines of *text*, each at most *width* long; its own line breaks stay."""
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, width, replace_whitespace=False, drop_whitespace=True)
        or [""]
    ]

"""The same episode through several interfaces, side by side: `agentgym-gen show`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.interface import Interface, Randomized
from agentgym_gen.world import TaskId

LEAST_WIDTH = 24
"""The narrowest column; when they do not fit, the interfaces stand one under the other."""

GAP = " | "


@dataclass(frozen=True)
class Column:
    """One interface and what is seen and said through it."""

    title: str
    """The interface."""
    texts: tuple[str, ...]
    """Observations and actions in turn, the same commands in every column."""


def columns(
    env_id: str,
    task_id: str,
    interfaces: Sequence[Interface | Randomized | str],
    *,
    turns: int,
    instruction: bool = False,
) -> list[Column]:
    """Return the first *turns* of the expert in a task, through each of *interfaces*.

    Args:
        env_id: A registered id.
        task_id: The task.
        interfaces: What `TextEnv` takes as its interface.
        turns: How many actions are shown.
        instruction: Whether the instruction comes first.
    """
    split = TaskId.parse(task_id).split
    envs = [make_text_env(env_id, split, {"interface": one}) for one in interfaces]
    # One that is drawn is drawn anew in every column that asks for the same.
    draws = [
        list(map(str, interfaces[:place])).count(str(one)) for place, one in enumerate(interfaces)
    ]
    told = [
        [env.reset(options={"task_id": task_id, "interface_index": draw})[0]]
        for env, draw in zip(envs, draws, strict=True)
    ]
    if instruction:
        told = [[env.instruction, *texts] for env, texts in zip(envs, told, strict=True)]
    for _ in range(turns):
        plan = envs[0].world.expert_plan()
        if not plan:
            break
        over = [
            _take(env, env.write(plan[0]), texts) for env, texts in zip(envs, told, strict=True)
        ]
        if over[0]:
            break
    titles = [str(env.interface) for env in envs]
    return [Column(title, tuple(texts)) for title, texts in zip(titles, told, strict=True)]


def _take(env: TextEnv, action: str, texts: list[str]) -> bool:
    observation, _, terminated, truncated, _ = env.step(action)
    texts += [f"> {action}", observation]
    return terminated or truncated


def side_by_side(told: Sequence[Column], width: int) -> str:
    """Return *told* as text of at most *width* characters a line.

    Columns that would be narrower than `LEAST_WIDTH` are put one under the other.
    """
    room = (width - len(GAP) * (len(told) - 1)) // len(told)
    if room < LEAST_WIDTH:
        return "\n\n".join(_stacked(column, width) for column in told)
    rows = [[column.title for column in told], ["-" * room] * len(told)]
    for texts in zip(*(column.texts for column in told), strict=True):
        rows += [*map(list, zip_longest(*(_wrapped(one, room) for one in texts), fillvalue=""))]
        rows.append([""] * len(told))
    rows[:1] = map(list, zip_longest(*(_wrapped(t, room) for t in rows[0]), fillvalue=""))
    return "\n".join(GAP.join(cell.ljust(room) for cell in row).rstrip() for row in rows[:-1])


def _stacked(column: Column, width: int) -> str:
    lines = [line for text in column.texts for line in [*_wrapped(text, width), ""]]
    return "\n".join([*_wrapped(f"=== {column.title}", width), "", *lines[:-1]])


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of *text*, each at most *width* long; line breaks stay."""
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, width, replace_whitespace=False, drop_whitespace=True)
        or [""]
    ]

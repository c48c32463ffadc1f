"""Environments and samples of tasks from ids: `make_text_env` and `sample_task_ids`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import gymnasium
import numpy as np

from agentgym_gen.env.registration import check_env_id
from agentgym_gen.env.text_env import TextEnv
from agentgym_gen.ids import split_query

__all__ = ["make_text_env", "sample_task_ids"]


def make_text_env(env_id: str, split: str, options: Mapping[str, Any] | None = None) -> TextEnv:
    """Return the unwrapped environment *env_id* on *split*.

    Args:
        env_id: A registered id; keyword arguments may follow it, as in
            ``rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu``.
        split: The split.
        options: More keyword arguments, such as ``interface``.

    Raises:
        UnknownNameError: if the id is not registered.
        InvalidValueError: if the id is not one of a text environment.
    """
    plain, query = split_query(check_env_id(env_id))
    kwargs: dict[str, Any] = {**query, **(options or {})}
    env = gymnasium.make(plain, disable_env_checker=True, split=split, **kwargs)
    return cast("TextEnv", env.unwrapped)


def sample_task_ids(
    env_id: str,
    split: str,
    number: int,
    rng: np.random.Generator,
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the ids of *number* tasks of *env_id*, all different while there are enough.

    Every tier has the same share; which tiers have the tasks that are left over is random. An
    environment with a list of tasks plays those of the list.

    Args:
        env_id: The environment's registered id.
        split: The split.
        number: How many tasks.
        rng: The stream that samples them.
        options: Keyword arguments of the environment, such as ``levels_dir``.
    """
    env = make_text_env(env_id, split, options)
    if env.task_list is not None:
        size = len(env.task_list)
        return [env.task_list[n] for n in rng.choice(size, size=number, replace=number > size)]
    tasks, ids = env.world.tasks, list[str]()
    for tier, share in zip(env.tiers, _shares(number, len(env.tiers), rng), strict=True):
        size = tasks.size(tier, split)
        indices = rng.choice(size, size=share, replace=share > size)
        ids += [str(tasks.task_id(tier, split, int(index))) for index in indices]
    return ids


def _shares(number: int, tiers: int, rng: np.random.Generator) -> list[int]:
    """Return how many of *number* tasks each tier gets; the first with one more is random."""
    first = int(rng.integers(tiers)) if tiers > 1 else 0
    return [number // tiers + ((n - first) % tiers < number % tiers) for n in range(tiers)]

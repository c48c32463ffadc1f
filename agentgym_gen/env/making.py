"""Environments and samples of tasks from ids: `make_text_env`, `sample_task_ids`, `task_rows`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import gymnasium
import numpy as np

from agentgym_gen.env.registration import check_env_id
from agentgym_gen.env.text_env import TextEnv
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.ids import split_query
from agentgym_gen.interface import Interface, Randomized, parse_interface
from agentgym_gen.seeding import stream

__all__ = ["TaskRow", "make_text_env", "sample_task_ids", "task_rows"]


class TaskRow(TypedDict):
    """A task as a row of a data set, from which one episode or a group of them is played."""

    env_id: str
    """The environment's registered id."""
    task_id: str
    """The task."""
    split: str
    """The split of the task."""
    interface: str
    """The interface as text, the option ``interface`` of the environment."""
    interface_index: int
    """Which interface of a `Randomized` is played; 0 for every other interface."""


def make_text_env(env_id: str, split: str, options: Mapping[str, Any] | None = None) -> TextEnv:
    """Return the unwrapped environment *env_id* on *split*.

    Args:
        env_id: A registered id; keyword arguments may follow it, as in
            ``rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu`` or
            ``rftgen/ALFWorld-easy-v0?task_type=pick``.
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


def env_name(env: TextEnv) -> str:
    """Return the registered id of *env* without options; the world's name where it has none."""
    return env.world.name if env.spec is None else str(env.spec.id)


def sample_task_ids(
    env_id: str,
    split: str,
    number: int,
    rng: np.random.Generator,
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the ids of *number* tasks of *env_id*, all different while a tier has enough.

    They are the first ones of a permutation that *rng* decides: a larger sample from the same
    stream begins with the smaller one. The tiers take turns, and which one is first is random, so
    that their shares differ by one at most. An environment with a list of tasks plays those of the
    list. Where there are too few tasks, another permutation of them follows.

    Args:
        env_id: The environment's registered id.
        split: The split.
        number: How many tasks.
        rng: The stream that samples them; what it has drawn afterwards does not depend on *number*.
        options: Keyword arguments of the environment, such as ``levels_dir``.

    Raises:
        UnknownNameError: if the id or the split is unknown.
        InvalidValueError: if *number* is below 0, or the id is not one of a text environment.
    """
    if number < 0:
        raise InvalidValueError(f"`number` of tasks is 0 or more, not {number!r}")
    env = make_text_env(env_id, split, options)
    return _sample_of(env, number, rng)


def task_rows(
    env_ids: Sequence[str],
    number: int,
    split: str = "train",
    seed: int = 0,
    interface: Interface | Randomized | str | Mapping[str, object] | None = None,
) -> list[TaskRow]:
    """Return *number* tasks of *env_ids* as rows of a data set, for trainers of any make.

    The environments take turns, and more rows of the same seed begin with fewer. A group of
    episodes of one task, as GRPO plays them, shares a row, and so an interface. A `Session` of it:

        Session(row["env_id"], row["task_id"], interface_index=row["interface_index"],
                options={"interface": row["interface"]})

    Args:
        env_ids: Registered ids, each once.
        number: How many rows; tasks repeat only where there are too few.
        split: The split that the tasks are from.
        seed: The root of the choice of tasks.
        interface: The interface of all rows; None takes that of each id.

    Raises:
        UnknownNameError: if an id, the split or the interface is unknown.
        InvalidValueError: if there is no id, one is named twice, or *number* is below 0.
    """
    if isinstance(env_ids, str) or not env_ids or len(set(env_ids)) < len(env_ids):
        raise InvalidValueError(f"`env_ids` is a list of different ids, not {env_ids!r}")
    if number < 0:
        raise InvalidValueError(f"`number` of rows is 0 or more, not {number!r}")
    options = {} if interface is None else {"interface": parse_interface(interface)}
    by_env: list[list[TaskRow]] = []
    for place, env_id in enumerate(env_ids):
        env = make_text_env(env_id, split, options)
        share = len(range(place, number, len(env_ids)))
        task_ids = _sample_of(env, share, stream("task rows", env_id, split, entropy=seed))
        sampled = isinstance(env.interfaces, Randomized)
        by_env.append(
            [
                TaskRow(
                    env_id=env_id,
                    task_id=task_id,
                    split=split,
                    interface=str(env.interfaces),
                    interface_index=n if sampled else 0,
                )
                for n, task_id in enumerate(task_ids)
            ]
        )
    return [by_env[n % len(by_env)][n // len(by_env)] for n in range(number)]


def _sample_of(env: TextEnv, number: int, rng: np.random.Generator) -> list[str]:
    """Return the ids of *number* tasks of *env*."""
    split = env.split
    if env.task_list is not None:
        places = _permuted(len(env.task_list), number, _fork(rng))
        return [env.task_list[place] for place in places]
    tasks, tiers = env.world.tasks, env.tiers
    first = int(rng.integers(len(tiers))) if len(tiers) > 1 else 0
    order = [tiers[(first + n) % len(tiers)] for n in range(len(tiers))]
    forks = [_fork(rng) for _ in order]  # all of them, however few tasks are wanted
    task_ids = [""] * number
    for n, (tier, fork) in enumerate(zip(order, forks, strict=True)):
        places = _permuted(tasks.size(tier, split), len(range(n, number, len(order))), fork)
        ids = [str(tasks.task_id(tier, split, place)) for place in places]
        task_ids[n :: len(order)] = ids
    return task_ids


def _fork(rng: np.random.Generator) -> np.random.Generator:
    """Return a generator that one draw of *rng* decides."""
    return np.random.default_rng(int(rng.integers(2**63)))


def _permuted(size: int, number: int, rng: np.random.Generator) -> list[int]:
    """Return the first *number* entries of permutations of ``range(size)``, one after the other.

    The shuffle of Fisher and Yates, of which only the entries that were moved are kept: time and
    memory depend on *number* and not on *size*. An entry depends on those before it only.
    """
    if number and not size:
        raise InvalidValueError(f"There are no tasks to sample {number} from")
    places: list[int] = []
    moved: dict[int, int] = {}
    for step, share in enumerate(rng.random(number).tolist()):
        n = step % size
        if n == 0:
            moved = {}
        other = n + int(share * (size - n))
        places.append(moved.get(other, other))
        moved[other] = moved.pop(n, n)
    return places

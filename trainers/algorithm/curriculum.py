"""Which environments a step trains on: fixed weights, or a curriculum from easy to hard.

A curriculum is a pure function of the step and of the rows logged so far, so that a training that
resumes from a checkpoint samples the same tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import InvalidValueError

__all__ = [
    "Curriculum",
    "FixedCurriculum",
    "StepCurriculum",
    "SuccessCurriculum",
    "as_curriculum",
    "task_counts",
]


@runtime_checkable
class Curriculum(Protocol):
    """Decides which environments a step trains on."""

    @property
    def env_ids(self) -> tuple[str, ...]:
        """Every environment that it may ever choose."""

    def weights(self, step: int, history: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
        """Return the weights of the environments at *step*, given the rows of the steps before."""


@dataclass(frozen=True)
class FixedCurriculum:
    """A mixture of environments with the same weights at all steps.

    Raises:
        InvalidValueError: if there is no environment, or a weight is negative or infinite.
        UnknownNameError: if an id is not registered.
    """

    env_weights: Mapping[str, float]
    """The weight of each environment, in any unit."""

    def __post_init__(self) -> None:
        """Check the ids and their weights."""
        weights = self.env_weights.values()
        if not all(0 <= weight < math.inf for weight in weights) or not 0 < sum(weights) < math.inf:
            raise InvalidValueError(
                "A mixture has environment ids with finite weights of 0 or more, not "
                f"{dict(self.env_weights)!r}"
            )
        for env_id in self.env_weights:
            check_env_id(env_id)

    @property
    def env_ids(self) -> tuple[str, ...]:
        """The ids."""
        return tuple(self.env_weights)

    def weights(self, step: int, history: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
        """Return the weights."""
        return self.env_weights


@dataclass(frozen=True)
class StepCurriculum:
    """One mixture of environments after the other, each from a given step on.

    Raises:
        InvalidValueError: if the first stage does not begin at step 0, or the steps do not rise.
    """

    stages: tuple[tuple[int, Mapping[str, float]], ...]
    """The step at which each stage begins, and its weights."""

    def __post_init__(self) -> None:
        """Check the stages."""
        starts = [start for start, _ in self.stages]
        if starts != sorted(set(starts)) or starts[:1] != [0]:
            raise InvalidValueError(f"The stages of a curriculum begin at 0 and rise, not {starts}")
        for _, weights in self.stages:
            FixedCurriculum(weights)

    @property
    def env_ids(self) -> tuple[str, ...]:
        """The ids of all stages."""
        return tuple(dict.fromkeys(env_id for _, weights in self.stages for env_id in weights))

    def weights(self, step: int, history: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
        """Return the weights of the stage that *step* is in."""
        return next(weights for start, weights in reversed(self.stages) if step >= start)


@dataclass(frozen=True)
class SuccessCurriculum:
    """One environment after the other, from easy to hard, as each is mastered.

    The next environment opens when the success rate in the last one is high enough. Those before it
    keep a smaller weight, so that they are not forgotten.

    Raises:
        InvalidValueError: if a setting is outside its range.
        UnknownNameError: if an id is not registered.
    """

    env_ids: tuple[str, ...]
    """The environments, from the easiest."""
    threshold: float = 0.7
    """The success rate that opens the next one."""
    window: int = 5
    """Over how many steps the rate is averaged."""
    rehearsal: float = 0.25
    """The share of a step that goes to the environments opened before, together."""

    def __post_init__(self) -> None:
        """Check the fields."""
        FixedCurriculum(dict.fromkeys(self.env_ids, 1.0))
        if not 0 < self.threshold <= 1 or not 0 <= self.rehearsal < 1 or self.window < 1:
            raise InvalidValueError(
                "`threshold` is above 0 and at most 1, `rehearsal` from 0 to below 1 and `window` "
                f"1 or more, not {self.threshold!r}, {self.rehearsal!r} and {self.window!r}"
            )

    def weights(self, step: int, history: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
        """Return the weights: most for the hardest open one, the rest for those before it."""
        opened, rates = 1, list[float]()
        for row in history:
            rate = row.get(f"{self.env_ids[opened - 1]}/success")
            rates += [] if rate is None else [float(rate)]
            full = len(rates) >= self.window
            if full and np.mean(rates[-self.window :]) >= self.threshold:
                opened, rates = min(opened + 1, len(self.env_ids)), []
        before = self.env_ids[: opened - 1]
        newest = self.env_ids[opened - 1]
        share = self.rehearsal if before else 0.0
        return {**dict.fromkeys(before, share / max(1, len(before))), newest: 1 - share}


def as_curriculum(envs: Curriculum | Mapping[str, float] | Sequence[str]) -> Curriculum:
    """Return *envs* as a curriculum: a list has equal weights.

    Raises:
        InvalidValueError: if there is no environment, a list names one twice, or it is a set.
        UnknownNameError: if an id is not registered.
    """
    if isinstance(envs, Curriculum):
        return envs
    # The order of a set is another one in every process, and with it the tasks of a seed.
    if not envs or isinstance(envs, str | set | frozenset):
        raise InvalidValueError(f"`envs` is a list of one or more environment ids, not {envs!r}")
    if isinstance(envs, Mapping):
        return FixedCurriculum(dict(envs))
    if len(set(envs)) < len(envs):
        raise InvalidValueError(
            f"`envs` names each environment once, not {list(envs)!r}; a mapping from id to weight "
            "trains more on one than on others"
        )
    return FixedCurriculum(dict.fromkeys(envs, 1.0))


def task_counts(
    weights: Mapping[str, float], number: int, rng: np.random.Generator
) -> dict[str, int]:
    """Return how many of *number* tasks each environment gets, in proportion on average.

    Systematic sampling: the weights lie end to end on a line of length *number*, and points at
    distance 1, all shifted by one random offset, are counted in each of them. So the counts add up
    to *number*, and each is its exact share rounded down or up.
    """
    edges = np.cumsum(list(weights.values())) / sum(weights.values()) * number
    # 1e-9 keeps an edge that is a whole number, but for rounding, from counting a point too many
    counted = np.floor(edges - 1e-9 + rng.random()).astype(int).clip(0, number)
    counted[-1] = number
    return dict(zip(weights, np.diff(counted, prepend=0).tolist(), strict=True))

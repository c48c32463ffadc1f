"""The tasks: games generated from seeds, in three tiers and three splits."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from agentgym_gen.envs.textworld.levels import CHALLENGES, CYCLES, Level
from agentgym_gen.envs.textworld.plots import Seeds, is_of_split
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import Task, TaskId, Tasks

ROUNDS = {"train": 250, "valid": 50, "test": 50}
"""How often each split goes through a tier's cycle of levels."""

CANDIDATES = 6
"""How many seeds a task names, and how many may make no game at all before it counts as broken."""

MOST_CANDIDATES = 64
"""How many seeds are tried for one task; see ``tools/every_task.py``."""

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class GameSpec:
    """The specification of a game: the content of a task."""

    level: Level
    """The challenge and its settings."""
    candidates: tuple[Seeds, ...]
    """The first seeds to try, in their order: what a fingerprint knows of the game."""
    task_id: TaskId = field(compare=False)
    """The task, whose stream the seeds are drawn from."""

    def seeds(self) -> list[Seeds]:
        """Return all seeds to try; the first that makes a game which can be won is the game."""
        return list(islice(_draw_seeds(self.level, self.task_id), MOST_CANDIDATES))

    def __repr__(self) -> str:
        """Return the text that fingerprints and the cache hash.

        The class's name in it is of an earlier version: a new one would change every fingerprint,
        and have every game built again.
        """
        return f"Brief(level={self.level!r}, candidates={self.candidates!r})"


class GeneratedTasks(Tasks[GameSpec]):
    """Games of the original's makers.

    Task *index* has level ``index % 16`` of its tier's cycle, so that a filter knows its tasks
    without generating them. The seeds of the splits differ in their remainder by three.

    Args:
        challenge: The challenge that is played alone; None plays all. A task keeps its id.
        first: How many tasks of each tier and split there are; None for all.

    Raises:
        UnknownNameError: if there is no such challenge.
        InvalidValueError: if *first* is not positive.
    """

    env = "textworld"

    def __init__(self, challenge: str | None = None, first: int | None = None) -> None:
        if challenge is not None and challenge not in CHALLENGES:
            raise unknown_name("challenge", challenge, CHALLENGES)
        if first is not None and (isinstance(first, bool) or first < 1):
            raise InvalidValueError(f"`first` is a positive number or None, not {first!r}")
        self._challenge = challenge
        self._first = first

    def size(self, tier: str, split: str) -> int:
        """Return how many tasks there are.

        Raises:
            UnknownNameError: if there is no such tier or split.
        """
        self._check(tier, split)
        size = len(self._level_numbers(tier)) * ROUNDS[split]
        return size if self._first is None else min(size, self._first)

    def make(self, tier: str, split: str, index: int) -> Task[GameSpec]:
        """Return task *index* of those of *tier* and *split* that are played.

        Raises:
            UnknownNameError: if there is no such tier or split.
            InvalidValueError: if the index is outside ``0 .. size - 1``.
        """
        task_id = self.task_id(tier, split, index)
        return Task(task_id, self.generate(task_id, int(task_id.key)))

    def find(self, task_id: str) -> Task[GameSpec]:
        """Return the task called *task_id*, whether it is one of those that are played or not.

        Raises:
            InvalidValueError: if the id is malformed or no task has it.
        """
        everything = GeneratedTasks()
        return super().find(task_id) if self._is_everything() else everything.find(task_id)

    def generate(self, task_id: TaskId, index: int) -> GameSpec:
        """Return the level and the first seeds of the task's stream that are of its split."""
        return _generate_spec(task_id, index)

    def _key(self, tier: str, split: str, index: int) -> str:
        # The key counts through the whole cycle, so that a filtered task keeps its id.
        numbers = self._level_numbers(tier)
        turn, place = divmod(index, len(numbers))
        return str(turn * len(CYCLES[tier]) + numbers[place])

    def _level_numbers(self, tier: str) -> list[int]:
        """Return the places in the tier's cycle of the levels that are played."""
        return [
            number
            for number, level in enumerate(CYCLES[tier])
            if self._challenge in (None, level.challenge)
        ]

    def _is_everything(self) -> bool:
        return self._challenge is None and self._first is None


@functools.lru_cache(maxsize=256)
def _generate_spec(task_id: TaskId, number: int) -> GameSpec:
    level = _level(CYCLES[task_id.tier][number % len(CYCLES[task_id.tier])], task_id.split)
    candidates = tuple(islice(_draw_seeds(level, task_id), CANDIDATES))
    return GameSpec(level, candidates, task_id)


def _draw_seeds(level: Level, task_id: TaskId) -> Iterator[Seeds]:
    """Yield the seeds of the stream of *task_id* whose games are of its split, without end."""
    rng = task_id.stream("seeds")
    remainder = Tasks.splits.index(task_id.split)
    while True:
        # Multiples of three plus the split's number: no seed belongs to two splits.
        numbers = 3 * rng.integers(MAX_SEED // 3, size=4) + remainder
        seeds = Seeds(*numbers.tolist())
        if is_of_split(level, seeds, task_id.split):
            yield seeds


def _level(level: Level, split: str) -> Level:
    """Return *level* with the original's own settings for *split*."""
    settings = dict(level.settings)
    if level.challenge == "cooking":
        settings["split"] = split
    if level.challenge == "simple":
        settings["test"] = split == "test"
    return Level(level.challenge, tuple(settings.items()))

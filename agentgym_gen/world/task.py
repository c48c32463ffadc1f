"""Tasks: the problems of an environment, their ids, and their random streams."""

from __future__ import annotations

import abc
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.ids import TIERS
from agentgym_gen.seeding import stream

__all__ = ["SPLITS", "Task", "TaskId", "Tasks"]

SPLITS = ("train", "valid", "test")
"""The splits, which share no content."""

ContentT = TypeVar("ContentT")


@dataclass(frozen=True, order=True)
class TaskId:
    """The name of one task: ``textcraft/hard/test/17``.

    The same id is the same episode in any process, thread, interface and hash seed.
    """

    env: str
    """The environment's name in lower case."""
    tier: str
    """One of the environment's tiers."""
    split: str
    """One of the environment's splits."""
    key: str
    """Which task of the split: its index as a decimal number, or the name of an official game."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this id, in which nothing changes."""
        return self

    def __str__(self) -> str:
        """Return the id as it is written everywhere."""
        return f"{self.env}/{self.tier}/{self.split}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> TaskId:
        """Return the id that *text* spells.

        Raises:
            InvalidValueError: if *text* has fewer than four non-empty parts.
        """
        parts = text.split("/", 3) if isinstance(text, str) else []
        if len(parts) != 4 or not all(parts):
            raise InvalidValueError(
                f"Malformed task id {text!r}; a task id is <env>/<tier>/<split>/<index>, "
                "for example 'textcraft/easy/test/17'"
            )
        return cls(*parts)

    def stream(self, purpose: str) -> np.random.Generator:
        """Return this task's own random stream for *purpose*."""
        return stream(self.env, self.tier, self.split, self.key, purpose)


@dataclass(frozen=True)
class Task(Generic[ContentT]):
    """One solvable problem."""

    id: TaskId
    """Its name."""
    content: ContentT
    """The initial state: a frozen dataclass of plain data that belongs to the environment."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this task, whose content no world changes."""
        return self

    @property
    def fingerprint(self) -> str:
        """The hash of the content; tests compare it to show that splits share nothing."""
        return hashlib.sha256(repr(self.content).encode()).hexdigest()


_INDEX = re.compile("0|[1-9][0-9]{0,8}")
"""One spelling a number: with two, a list could name one task twice."""


class Tasks(abc.ABC, Generic[ContentT]):
    """The tasks of one environment, by tier, split and index.

    A subclass sets `env` and says how many there are (`size`) and what each contains (`generate`).
    The same call always returns the same, so that copies of a world share its tasks.
    """

    env: str
    """The environment's name in lower case, the first part of every task id."""
    tiers: tuple[str, ...] = TIERS
    splits: tuple[str, ...] = SPLITS

    @abc.abstractmethod
    def size(self, tier: str, split: str) -> int:
        """Return how many tasks *split* of *tier* has."""

    @abc.abstractmethod
    def generate(self, task_id: TaskId, index: int) -> ContentT:
        """Return the content of a task, generated from ``task_id.stream(...)`` only."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return these tasks, which all copies of a world share."""
        return self

    def make(self, tier: str, split: str, index: int) -> Task[ContentT]:
        """Return task *index* of *split* of *tier*.

        Raises:
            UnknownNameError: if there is no such tier or split.
            InvalidValueError: if the index is outside ``0 .. size - 1``.
        """
        task_id = self.task_id(tier, split, index)
        return Task(task_id, self.generate(task_id, index))

    def task_id(self, tier: str, split: str, index: int) -> TaskId:
        """Return the name of task *index* of *split* of *tier*, without making the task.

        Raises:
            UnknownNameError: if there is no such tier or split.
            InvalidValueError: if the index is outside ``0 .. size - 1``.
        """
        self._check(tier, split)
        size = self.size(tier, split)
        if not 0 <= index < size:
            raise InvalidValueError(
                f"No task {index!r} in {self.env}/{tier}/{split}; indices are 0 to {size - 1}"
            )
        return TaskId(self.env, tier, split, self._key(tier, split, index))

    def find(self, task_id: str) -> Task[ContentT]:
        """Return the task called *task_id*.

        Raises:
            InvalidValueError: if the id is malformed or no task has it.
        """
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name(f"environment of task {str(task_id)!r}:", parsed.env, [self.env])
        self._check(parsed.tier, parsed.split)
        if not _INDEX.fullmatch(parsed.key):
            raise InvalidValueError(
                f"Malformed task id {task_id!r}; its last part is an index, 0 to "
                f"{self.size(parsed.tier, parsed.split) - 1}, without leading zeros, but is "
                f"{parsed.key!r}"
            )
        return self.make(parsed.tier, parsed.split, int(parsed.key))

    def _key(self, tier: str, split: str, index: int) -> str:
        """Return the last part of the id of task *index*; official games override it."""
        return str(index)

    def _check(self, tier: str, split: str) -> None:
        if tier not in self.tiers:
            raise unknown_name("tier", tier, self.tiers, "list them with: agentgym-gen envs")
        if split not in self.splits:
            raise unknown_name("split", split, self.splits, "list them with: agentgym-gen envs")

"""Random choices from one stream, fast enough for a hundred thousand products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BATCH = 128


class FastRandom:
    """Random choices from *rng*, named like those of Python's `random.Random`.

    A call of a numpy generator costs as much for one number as for a hundred, so numbers are drawn
    `_BATCH` at a time. The batch size decides which numbers come out, so it never changes.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._numbers: list[float] = []

    def random(self) -> float:
        """Return a number from 0 to 1, without 1."""
        if not self._numbers:
            self._numbers = self._rng.random(_BATCH).tolist()
        return self._numbers.pop()

    def randrange(self, end: int) -> int:
        """Return a whole number from 0 to *end*, without *end*."""
        return int(self.random() * end)

    def choice(self, items: Sequence[T]) -> T:
        """Return one of *items*."""
        return items[int(self.random() * len(items))]

    def sample(self, items: Sequence[T], amount: int) -> list[T]:
        """Return *amount* of *items*, or all if there are fewer, in a random order."""
        remaining = list(items)
        return [
            remaining.pop(self.randrange(len(remaining)))
            for _ in range(min(amount, len(remaining)))
        ]

    def sample_in_order(self, items: Sequence[T], amount: int) -> list[T]:
        """Return *amount* of *items*, or all if there are fewer, in their own order."""
        indices = sorted(self.sample(range(len(items)), amount))
        return [items[index] for index in indices]

    def chance(self, probability: float) -> bool:
        """Return True with *probability*."""
        return self.random() < probability

"""Choices from one random stream, fast enough for a hundred thousand products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BATCH = 128


class FastRandom:
    """Choices from *rng*, whose numbers are drawn many at a time."""

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
        left = list(items)
        return [left.pop(self.randrange(len(left))) for _ in range(min(amount, len(left)))]

    def sample_in_order(self, items: Sequence[T], amount: int) -> list[T]:
        """Return *amount* of *items*, or all if there are fewer, in their own order."""
        places = sorted(self.sample(range(len(items)), amount))
        return [items[place] for place in places]

    def chance(self, share: float) -> bool:
        """Return True in *share* of all cases."""
        return self.random() < share

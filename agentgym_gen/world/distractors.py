"""Distractors: goal-irrelevant lines, after the augmentation of arXiv 2601.18217.

A world decides what they mention (`Surface.distractors`). The ``distractors`` axis of an interface
decides how many an observation gets, and how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from agentgym_gen.seeding import stream

ItemT = TypeVar("ItemT")

COMMON_DISTRACTORS = (
    "A clock ticks somewhere.",
    "The light flickers for a moment.",
    "A faint smell of rain hangs in the air.",
    "Somebody hums a tune far away.",
    "A feather drifts past.",
    "It is a little warmer than before.",
    "A distant bell rings twice.",
    "Dust dances in the light.",
)
"""The sentences of worlds that have none of their own."""

TRAITS = (
    "slightly dusty",
    "scratched on one side",
    "with a faded label",
    "a little crooked",
    "as good as new",
    "smelling of soap",
    "wrapped in foil",
    "somewhat heavy",
    "with a loose screw",
    "painted twice",
    "leaning to one side",
    "older than it seems",
    "with a price tag on it",
    "worn at the edges",
    "still a bit damp",
    "marked with chalk",
    "forgotten by somebody",
    "kept for later",
    "oddly shiny",
)
"""Nineteen trivial descriptions, which fit any thing; as many as the augmentation has."""


def sample_lines(pool: Sequence[ItemT], amount: int, rng: np.random.Generator) -> tuple[ItemT, ...]:
    """Return *amount* items of *pool*; none comes twice before all have come.

    >>> sorted(sample_lines("abc", 3, np.random.default_rng(0)))
    ['a', 'b', 'c']
    """
    size = len(pool)
    places = [int(chance * size) for chance in rng.random(amount).tolist()]
    if len(set(places)) < amount:
        places = _different(places, size)
    return tuple(map(pool.__getitem__, places))


def sample_evenly(pool: tuple[str, ...], amount: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return *amount* different lines of a long, `shuffled` *pool*, at equal distances in it.

    The first place and the distance are random. Two random numbers are enough for any amount; one
    for each line would take longer than a step of Sokoban.
    """
    size = len(pool)
    if amount > size:
        return sample_lines(pool, amount, rng)
    start, stride = rng.random(2).tolist()
    step = 1 + int(stride * (size // max(amount, 1)))
    first = int(start * size)
    lines = pool[first : first + amount * step : step]
    missing = amount - len(lines)
    if missing:  # the stride ran over the end of the pool: go on from its start
        first += len(lines) * step - size
        lines += pool[first : first + missing * step : step]
    return lines


def shuffled(lines: Sequence[str], *purpose: str) -> tuple[str, ...]:
    """Return *lines* in a random order, which is that of the stream of *purpose*.

    The stream's first name is from an earlier version; renaming it would change every text.
    """
    return tuple(lines[place] for place in stream("asides", *purpose).permutation(len(lines)))


def _different(places: list[int], size: int) -> list[int]:
    """Return *places*, each below *size*; a repeated one is moved to the next free place."""
    different: list[int] = []
    for start in range(0, len(places), size):
        taken: dict[int, None] = {}
        for place in places[start : start + size]:
            free = place
            while free in taken:
                free = (free + 1) % size
            taken[free] = None
        different += taken
    return different

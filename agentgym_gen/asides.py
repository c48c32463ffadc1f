"""Goal-irrelevant lines, after the augmentation of arXiv 2601.18217: how they are drawn and filled.

A world says what fits it (`World.distract`); the ``distractors`` axis says how many and how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

ItemT = TypeVar("ItemT")

COMMON_ASIDES = (
    "A clock ticks somewhere.",
    "The light flickers for a moment.",
    "A faint smell of rain hangs in the air.",
    "Somebody hums a tune far away.",
    "A feather drifts past.",
    "It is a little warmer than before.",
    "A distant bell rings twice.",
    "Dust dances in the light.",
)
"""The sentences for worlds that bring none of their own."""

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


def drawn(pool: Sequence[ItemT], amount: int, rng: np.random.Generator) -> tuple[ItemT, ...]:
    """Return *amount* of *pool*, each once before any comes again.

    A world with many lines makes them once and draws here: the copy of a long list, or a line that
    is put together anew, would take longer than a step of Sokoban.

    >>> sorted(drawn("abc", 3, np.random.default_rng(0)))
    ['a', 'b', 'c']
    """
    size = len(pool)
    places = [int(chance * size) for chance in rng.random(amount).tolist()]
    if len(set(places)) < amount:
        places = _different(places, size)
    return tuple([pool[place] for place in places])


def _different(places: list[int], size: int) -> list[int]:
    """Return *places*, each below *size*, none of which comes again before all have come."""
    found: list[int] = []
    used: set[int] = set()
    for place in places:
        if len(used) == size:
            used.clear()
        while place in used:
            place = (place + 1) % size
        used.add(place)
        found.append(place)
    return found

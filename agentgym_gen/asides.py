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


def drawn(pool: Sequence[ItemT], amount: int, rng: np.random.Generator) -> list[ItemT]:
    """Return *amount* of *pool* in a drawn order, each once before any comes again.

    >>> sorted(drawn("abc", 3, np.random.default_rng(0)))
    ['a', 'b', 'c']
    """
    chances = rng.random(amount).tolist()
    left = list(pool)
    found: list[ItemT] = []
    for chance in chances:
        if not left:
            left = list(pool)
        found.append(left.pop(int(chance * len(left))))
    return found


def traits(amount: int, rng: np.random.Generator) -> list[str]:
    """Return *amount* of `TRAITS`, each drawn by itself."""
    return [TRAITS[int(chance * len(TRAITS))] for chance in rng.random(amount).tolist()]

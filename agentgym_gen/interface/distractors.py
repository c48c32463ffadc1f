"""Goal-irrelevant lines after an observation (after arXiv 2601.18217, section on augmentation)."""

from __future__ import annotations

import numpy as np

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


def aside_lines(asides: tuple[str, ...], amount: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return *amount* sentences drawn from *asides* without repetition while they last."""
    pool = asides or COMMON_ASIDES
    order: list[str] = []
    while len(order) < amount:
        order.extend(pool[int(i)] for i in rng.permutation(len(pool)))
    return tuple(order[:amount])

"""Notes about squares outside the board, for the ``distractors`` axis (arXiv 2601.18217)."""

from __future__ import annotations

import numpy as np

from agentgym_gen.asides import drawn, traits

THINGS = (
    "barrel",
    "bicycle",
    "broom",
    "bucket",
    "carpet",
    "cat",
    "clock",
    "fountain",
    "ladder",
    "lantern",
    "mirror",
    "poster",
    "radio",
    "rocking chair",
    "statue",
    "tree",
)

DEPTH = 10
"""How many rows below the board the notes speak of."""

BREADTH = 20
"""In how many columns."""


def outside_lines(height: int, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return *amount* notes about things below a board of *height* rows, counted from 0."""
    things = drawn(THINGS, amount, rng)
    rows = rng.integers(height, height + DEPTH, size=amount).tolist()
    columns = rng.integers(BREADTH, size=amount).tolist()
    return tuple(
        f"({row}, {column}) shows a {thing} ({trait}; unreachable)."
        for row, column, thing, trait in zip(
            rows, columns, things, traits(amount, rng), strict=True
        )
    )

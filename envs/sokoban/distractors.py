"""Notes about squares below the board, for the ``distractors`` axis (arXiv 2601.18217)."""

from __future__ import annotations

import functools

from agentgym_gen.seeding import stream
from agentgym_gen.world.distractors import TRAITS, shuffled

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

ROWS_BELOW = 10
"""How many rows below the board the notes mention."""

COLUMNS = 20
"""How many columns the notes mention."""


@functools.lru_cache(maxsize=32)
def note_lines(height: int) -> tuple[str, ...]:
    """Return notes about things below a board of *height* rows, which are counted from 0."""
    texts = [f"shows a {thing} ({trait}; unreachable)." for thing in THINGS for trait in TRAITS]
    notes = shuffled(texts, "sokoban")
    # The stream has an earlier name of the distractors: another name would change every text.
    rng = stream("sokoban", "asides", height)
    rows = rng.integers(height, height + ROWS_BELOW, size=len(notes)).tolist()
    columns = rng.integers(COLUMNS, size=len(notes)).tolist()
    return tuple(
        f"({row}, {column}) {note}" for row, column, note in zip(rows, columns, notes, strict=True)
    )

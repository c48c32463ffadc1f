"""Random streams that never meet, each named by a key.

Nothing in the library draws from a global generator or computes ``seed + i``: neighbouring seeds
of a sum share their streams (seed 1 index 2 is seed 2 index 1), keys of a
``numpy.random.SeedSequence`` do not.
"""

from __future__ import annotations

import zlib

import numpy as np

__all__ = ["SUITE_SEED", "stream"]

SUITE_SEED = 260312011
"""The entropy behind every task of every environment: the number of the paper."""


def stream(*key: str | int, entropy: int = SUITE_SEED) -> np.random.Generator:
    """Return the generator named by *key*, independent of that of every other key.

    Args:
        key: Words and non-negative numbers, such as ``("sokoban", "hard", "test", 17, "names")``.
        entropy: The root of all streams of the family.
    """
    spawn_key = tuple(zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key)
    return np.random.default_rng(np.random.SeedSequence(entropy=entropy, spawn_key=spawn_key))

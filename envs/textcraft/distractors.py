"""Lines about things that Minecraft does not have, for the ``distractors`` axis.

The recipe of arXiv 2601.18217, which has no TextCraft, as it stands for ALFWorld.
"""

from __future__ import annotations

import functools

from agentgym_gen.world.distractors import TRAITS, shuffled

CURIOS = (
    "brass whistle",
    "chess piece",
    "cork",
    "fountain pen",
    "hourglass",
    "marble",
    "music sheet",
    "pair of dice",
    "pocket mirror",
    "straw hat",
    "tea cup",
    "thimble",
    "tin soldier",
    "toy whale",
    "velvet ribbon",
    "wind chime",
)
"""The things; none of them is an item of Minecraft."""


@functools.cache
def curio_lines() -> tuple[str, ...]:
    """Return sentences about things that can be neither got nor used."""
    lines = [
        f"You spot {count} {thing} across the ravine ({trait}; out of reach)."
        for thing in CURIOS
        for count in range(1, 10)
        for trait in TRAITS
    ]
    return shuffled(lines, "textcraft")

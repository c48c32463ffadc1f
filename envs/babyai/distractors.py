"""Things under the ceiling, for the ``distractors`` axis.

The recipe of arXiv 2601.18217, which has no BabyAI, as it stands for ALFWorld: new objects, each
with one of 19 trivial descriptions. Their kinds and their colours are none of BabyAI's.
"""

from __future__ import annotations

import functools

from agentgym_gen.world.distractors import TRAITS, shuffled

COLOURS = ("black", "brown", "golden", "pink", "teal", "white")

THINGS = (
    "balloon",
    "banner",
    "basket",
    "bell",
    "birdcage",
    "clock",
    "fan",
    "garland",
    "hammock",
    "kite",
    "lampshade",
    "lantern",
    "mirror",
    "pennant",
    "umbrella",
    "wreath",
)


@functools.cache
def ceiling_lines() -> tuple[str, ...]:
    """Return sentences about things that hang where nobody gets."""
    lines = [
        f"A {colour} {thing} hangs from the ceiling ({trait}; out of reach)."
        for thing in THINGS
        for colour in COLOURS
        for trait in TRAITS
    ]
    return shuffled(lines, "babyai")

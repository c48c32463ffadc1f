"""Things that hang from the ceiling, for the ``distractors`` axis.

arXiv 2601.18217 has no distractors for BabyAI. These follow its recipe for ALFWorld: new objects,
each with one of 19 trivial descriptions. Their kinds and colours are none of BabyAI's.
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
    """Return sentences about things that hang out of reach, in a fixed random order."""
    lines = [
        f"A {colour} {thing} hangs from the ceiling ({trait}; out of reach)."
        for thing in THINGS
        for colour in COLOURS
        for trait in TRAITS
    ]
    return shuffled(lines, "babyai")

"""Lines about things that no game has, for the ``distractors`` axis, in the style of the rooms.

The recipe of arXiv 2601.18217 as it stands for ALFWorld: new objects of 28 kinds, each with one of
19 trivial descriptions. They stand where the player cannot get, and the original's text grammars
know none of them.
"""

from __future__ import annotations

import functools
import re

from agentgym_gen.seeding import stream
from agentgym_gen.world.distractors import TRAITS

KINDS = (
    "accordion",
    "anchor",
    "birdcage",
    "cannon",
    "carousel",
    "cuckoo clock",
    "dinosaur skeleton",
    "gargoyle",
    "globe",
    "gramophone",
    "harp",
    "kaleidoscope",
    "lighthouse",
    "loom",
    "rocking horse",
    "rowing boat",
    "sextant",
    "spinning wheel",
    "submarine",
    "suit of armour",
    "sundial",
    "telescope",
    "totem pole",
    "tuba",
    "weathercock",
    "windmill",
    "xylophone",
    "zeppelin",
)
"""The 28 kinds of new objects."""

PLACES = (
    "up in the rafters",
    "far below the window",
    "behind a pane of glass",
    "on the other side of a chasm",
)
"""Places that the player cannot get to."""

OPENERS = ("You can see", "You can make out", "You make out", "You see")
"""How the original's rooms introduce a thing."""

REMARKS = (
    "Out of reach, what a letdown!",
    "You can't get at it. Oh well.",
    "It is out of reach, and that's that.",
    "Too far away for anybody, here in TextWorld!",
    "Why couldn't it be within reach?",
    "",
)
"""What a line may end with."""


def distractor_lines(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines about things that a game with things called *names* does not have.

    No line contains the name of a thing of the game, which only custom games put at risk.
    """
    # Without names the pattern must match nothing: nothing follows the end of a text.
    alternatives = "|".join(map(re.escape, names)) or r"\Z\A."
    taken = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)
    parts = (KINDS, PLACES, OPENERS, REMARKS)
    return _lines(
        *(tuple(text for text in part if not taken.search(text)) or part for part in parts)
    )


@functools.lru_cache(maxsize=32)
def _lines(
    kinds: tuple[str, ...],
    places: tuple[str, ...],
    openers: tuple[str, ...],
    remarks: tuple[str, ...],
) -> tuple[str, ...]:
    """Return a line for each of *kinds* with each trait in each of *places*.

    Openers and remarks are random.
    """
    things = [(kind, trait, place) for kind in kinds for trait in TRAITS for place in places]
    # The stream has the module's former name: a new one would change every line.
    rng = stream("textworld", "asides")
    begins = rng.integers(len(openers), size=len(things)).tolist()
    ends = rng.integers(len(remarks), size=len(things)).tolist()
    return tuple(
        f"{openers[begin]} {_article(kind)} {kind} {place}, {trait}. {remarks[end]}".rstrip()
        for (kind, trait, place), begin, end in zip(things, begins, ends, strict=True)
    )


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"

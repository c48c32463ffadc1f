"""Sentences about things that are no part of a game, for the ``distractors`` axis.

They follow arXiv 2601.18217: new objects of 28 kinds, with a number that is not in use and one of
19 trivial descriptions.
"""

from __future__ import annotations

import functools

from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.world.distractors import TRAITS, shuffled

DISTRACTOR_KINDS = (
    "alarmclock",
    "apple",
    "book",
    "bowl",
    "box",
    "candle",
    "cd",
    "cellphone",
    "creditcard",
    "cup",
    "egg",
    "fork",
    "keychain",
    "laptop",
    "mug",
    "newspaper",
    "pen",
    "pencil",
    "pillow",
    "plate",
    "potato",
    "soapbar",
    "spoon",
    "statue",
    "tomato",
    "vase",
    "watch",
    "wateringcan",
)
"""The 28 kinds of new objects; all are kinds of the game."""

NUMBERS_PER_KIND = 5
"""How many unused numbers there are sentences for, of every kind."""


def distractor_lines(house: House) -> tuple[str, ...]:
    """Return sentences about objects that *house* does not have, none of the goal's kind."""
    names = [item.name for items in (house.things, house.receptacles) for item in items]
    numbers = [name.rpartition(" ")[2] for name in names]
    first_unused = 1 + max(int(number) for number in numbers if number.isdigit())
    return _lines(first_unused, house.goal.thing)


@functools.lru_cache(maxsize=32)
def _lines(first_number: int, excluded_kind: str) -> tuple[str, ...]:
    kinds = [kind for kind in DISTRACTOR_KINDS if kind != excluded_kind]
    lines = [
        f"You notice a {kind} {number} out of reach, {trait}."
        for kind in kinds
        for number in range(first_number, first_number + NUMBERS_PER_KIND)
        for trait in TRAITS
    ]
    return shuffled(lines, "alfworld")

"""Things that are no part of a game, for the ``distractors`` axis.

The recipe of arXiv 2601.18217: sentences about new objects of 28 kinds with a number that is not in
use, each with one of 19 trivial descriptions.
"""

from __future__ import annotations

import numpy as np

from agentgym_gen.asides import drawn, traits
from agentgym_gen.envs.alfworld.house import House

KINDS = (
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

NUMBERS = 9
"""From how many unused numbers that of an object is drawn."""


class Asides:
    """Makes up objects that a house does not have.

    Args:
        house: The house.
    """

    def __init__(self, house: House) -> None:
        names = [*(one.name for one in house.things), *(one.name for one in house.receptacles)]
        numbers = [name.rpartition(" ")[2] for name in names]
        self._last = max(int(number) for number in numbers if number.isdigit())
        self._kinds = [kind for kind in KINDS if kind != house.goal.thing]

    def lines(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return *amount* sentences about objects that are not there, none of the goal's kind."""
        kinds = drawn(self._kinds, amount, rng)
        numbers = rng.integers(self._last + 1, self._last + 1 + NUMBERS, size=amount).tolist()
        return tuple(
            f"You notice a {kind} {number} out of reach, {trait}."
            for kind, number, trait in zip(kinds, numbers, traits(amount, rng), strict=True)
        )

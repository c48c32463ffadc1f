"""The levels of the tiers: which of the original's challenges, with which of its settings.

Each tier goes through a cycle of sixteen levels, four of each challenge, so that challenges are
equally frequent. A game of each is built in a few seconds; levels 25 and above of the treasure
hunt, which take over ten, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHALLENGES = ("coin_collector", "treasure_hunter", "cooking", "simple")
"""The original's challenges, by their names without ``tw-``."""

Settings = tuple[tuple[str, int | str | bool], ...]
"""The original's own settings of a challenge, by name."""


@dataclass(frozen=True)
class Level:
    """A challenge and its settings."""

    challenge: str
    """One of `CHALLENGES`."""
    settings: Settings
    """The arguments of the original's maker of the challenge."""


def _numbered(challenge: str, *numbers: int) -> tuple[Level, ...]:
    return tuple(Level(challenge, (("level", number),)) for number in numbers)


def _cooking(ingredients: int, *variants: tuple[int, str]) -> tuple[Level, ...]:
    """Return a level for each of *variants*: the number of rooms, and the skills that it needs."""
    return tuple(
        Level(
            "cooking",
            (
                ("recipe", ingredients),
                ("take", ingredients),
                ("go", rooms),
                *((skill, skill in skills.split()) for skill in ("open", "cook", "cut", "drop")),
                ("recipe_seed", 0),
            ),
        )
        for rooms, skills in variants
    )


def _simple(rewards: str, goal: str) -> tuple[Level, ...]:
    return (Level("simple", (("rewards", rewards), ("goal", goal), ("test", False))),) * 4


def _cycle(*challenges: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return the levels of *challenges* in turn: the first of each, the second of each, ..."""
    return tuple(level for turn in zip(*challenges, strict=True) for level in turn)


CYCLES: Mapping[str, tuple[Level, ...]] = {
    "easy": _cycle(
        _cooking(1, (1, "open cook cut"), (1, "open cook"), (1, "open cut"), (1, "open")),
        _numbered("coin_collector", 4, 6, 8, 10),
        _numbered("treasure_hunter", 3, 5, 7, 9),
        _simple("dense", "detailed"),
    ),
    "medium": _cycle(
        _numbered("treasure_hunter", 13, 15, 17, 19),
        _simple("balanced", "brief"),
        _cooking(2, (6, "open cook"), (6, "open cut"), (6, "open cook cut"), (6, "open")),
        _numbered("coin_collector", 104, 106, 108, 110),
    ),
    "hard": _cycle(
        _simple("sparse", "none"),
        _cooking(
            3,
            (9, "open cook cut drop"),
            (9, "open cook cut"),
            (12, "open cook cut drop"),
            (12, "open cook cut"),
        ),
        _numbered("coin_collector", 206, 208, 210, 212),
        _numbered("treasure_hunter", 21, 22, 23, 24),
    ),
}
"""The levels of the tasks of every tier, repeated from the start.

The tiers begin with different challenges, so that their first tasks show all of them.
"""

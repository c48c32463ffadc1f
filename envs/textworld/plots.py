"""The plot of a game, computed from its seeds without making the game.

Different seeds may give the same plot: a chain of four rooms has only 36 shapes, and the simple
game hides the same dishes in the same places. The plot of such a game is what has to be done,
without the words; its hash decides which split it belongs to, so that no plot is in two splits.
Hunts and recipes need no plot: two hunts are hardly ever the same, and the original has
ingredients and preparations of its own for each split.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from agentgym_gen.envs.textworld.levels import Level

_OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
_FOODS = ("apple", "milk", "half of a bag of chips", "tomato plant", "bell pepper", "lettuce")
_SHARES = (("train", 60), ("valid", 20), ("test", 20))
"""How many of a hundred plots each split has."""


class Seeds(NamedTuple):
    """The seeds of the original's four random generators."""

    map: int
    """Of the rooms."""
    objects: int
    """Of what lies where."""
    quest: int
    """Of what is to be done."""
    grammar: int
    """Of the words."""


def is_of_split(level: Level, seeds: Seeds, split: str) -> bool:
    """Return whether the game of *level* that *seeds* make is one of *split*."""
    plot = plot_of(level, seeds)
    if plot is None or (level.challenge, split) == ("simple", "test"):
        # The simple game has dishes of its own for the test.
        return True
    # A number from 0 to 99, which the shares divide into three ranges.
    number = int(hashlib.sha256(repr(plot).encode()).hexdigest(), 16) % 100
    for name, share in _SHARES:
        if number < share:
            return name == split
        number -= share
    return False


def plot_of(level: Level, seeds: Seeds) -> tuple[str, ...] | None:
    """Return what has to be done in a game, or None where seeds alone do not decide it."""
    if level.challenge == "coin_collector":
        return _coin_route(dict(level.settings)["level"], seeds)
    if level.challenge == "simple":
        return _simple_plot(seeds)
    return None


def _coin_route(number: int | str | bool, seeds: Seeds) -> tuple[str, ...]:
    """Return the directions to the coin, drawn as `tw_coin_collector.make_game` draws them."""
    # The original's generator, whose draws have to be repeated.
    rng = np.random.RandomState(seeds.map)
    route: list[str] = []
    # The last two digits are the length; the hundreds are the number of dead ends for each room.
    for _ in range((int(number) - 1) % 100):
        came_from = _OPPOSITE[route[-1]] if route else None
        route.append(str(rng.choice([exit_ for exit_ in _OPPOSITE if exit_ != came_from])))
    return tuple(route)


def _simple_plot(seeds: Seeds) -> tuple[str, ...]:
    """Return where key and dish are and which, drawn as `tw_simple.make` draws them."""
    # The original's generator, whose draws have to be repeated.
    rng = np.random.RandomState(seeds.quest)
    names = list(_FOODS)
    rng.shuffle(names)
    holder = "chest drawer" if rng.rand() > 0.5 else "antique trunk"
    place = int(rng.choice(len(_FOODS)))
    return holder, _FOODS[place], names[place]

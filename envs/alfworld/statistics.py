"""Counts over the official games, from which generated households are sampled."""

from __future__ import annotations

import functools
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import accumulate
from typing import Any

import numpy as np


class WeightedChoice:
    """A random choice with weights.

    Args:
        weights: The weight of every option.
    """

    def __init__(self, weights: Mapping[str, int]) -> None:
        self.options = tuple(weights)
        """The options."""
        self._ends = list(accumulate(weights.values()))
        self.total = self._ends[-1] if self._ends else 0
        """The sum of all weights."""

    def sample(self, rng: np.random.Generator) -> str:
        """Return one option."""
        # The running sums cut 0..total into a piece per option: find the piece of a random point.
        return self.options[bisect_right(self._ends, rng.random() * self.total)]


@dataclass(frozen=True)
class RoomStatistics:
    """The counts for rooms of one type."""

    games: int
    """How many games are played in such a room."""
    receptacles: Mapping[str, WeightedChoice]
    """How many receptacles of a kind there are, where there are any."""
    things: Mapping[str, WeightedChoice]
    """How many things of a kind there are, where there are any."""
    locations: Mapping[str, Mapping[str, int]]
    """For every kind of thing: how many receptacles of a kind had one in them."""


@dataclass(frozen=True)
class Statistics:
    """All counts."""

    rooms: Mapping[str, RoomStatistics]
    """The rooms by type."""
    goals: Mapping[str, Mapping[tuple[str, str], int]]
    """How often a task type asks for which thing and which receptacle or lamp."""
    traits: Mapping[str, tuple[str, ...]]
    """What can be done with things of a kind."""
    containers: frozenset[str]
    """The kinds of things that are receptacles themselves, such as mugs."""
    fits: tuple[tuple[str, str], ...]
    """Which kind of receptacle takes which kind of thing."""


@functools.cache
def load_statistics() -> Statistics:
    """Return the counts, read once."""
    path = resources.files("agentgym_gen.envs.alfworld") / "data" / "counts.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    return Statistics(
        rooms={room: _room(part) for room, part in data["rooms"].items()},
        goals={
            task: {(pair.split()[0], pair.split()[1]): n for pair, n in pairs.items()}
            for task, pairs in data["goals"].items()
        },
        traits={kind: tuple(traits) for kind, traits in data["traits"].items()},
        containers=frozenset(data["hollow"]),
        fits=tuple((kind, thing) for kind, things in data["fits"].items() for thing in things),
    )


def _room(data: Mapping[str, Any]) -> RoomStatistics:
    return RoomStatistics(
        games=data["games"],
        receptacles={
            kind: WeightedChoice(weights) for kind, weights in data["receptacles"].items()
        },
        things={kind: WeightedChoice(weights) for kind, weights in data["things"].items()},
        locations=data["lies"],
    )

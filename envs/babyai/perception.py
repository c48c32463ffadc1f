"""What a player knows in one state: the pose, the view, and what is carried."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from agentgym_gen.envs.babyai.paths import Pose
from agentgym_gen.envs.babyai.view import Thing, View, look


class CarriedThing(NamedTuple):
    """What is carried."""

    colour: str
    kind: str

    @property
    def name(self) -> str:
        """What it is called: ``red key``."""
        return f"{self.colour} {self.kind}"


class Perception:
    """The present state of a game as far as the player perceives it.

    Args:
        game: The game; later changes of it change nothing here.
    """

    def __init__(self, game: Any) -> None:  # noqa: ANN401  (a Game, which needs minigrid)
        self.pose: Pose = game.pose
        self.view: View = look(game.env.grid, *self.pose)
        carrying = game.carrying
        self.carried = None if carrying is None else CarriedThing(carrying.color, carrying.type)

    @cached_property
    def named_things(self) -> tuple[tuple[str, Thing], ...]:
        """The things in view, the nearest first, with their names and numbers: ``red ball 2``."""
        counts: dict[str, int] = {}
        pairs = []
        for thing in self.view.things:
            counts[thing.name] = counts.get(thing.name, 0) + 1
            pairs.append((f"{thing.name} {counts[thing.name]}", thing))
        return tuple(pairs)

    @cached_property
    def thing_ahead(self) -> Thing | None:
        """The thing in the cell right ahead, or None where there is none or a wall."""
        nearest = self.view.things[:4]  # in view, at most three cells are one step away
        return next((thing for thing in nearest if thing.ahead == 1 and thing.right == 0), None)

    @property
    def is_free_ahead(self) -> bool:
        """Whether the cell right ahead can be walked on."""
        wall = self.view.barrier is not None and self.view.barrier[1] == 1
        return not wall and (self.thing_ahead is None or self.thing_ahead.state == "open")

    def can_open(self, door: Thing) -> bool:
        """Say whether the player can open *door*: it is not locked, or the key is carried."""
        return door.state != "locked" or self.carried == CarriedThing(door.colour, "key")

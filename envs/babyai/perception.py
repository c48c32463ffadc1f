"""All that a player can know at one moment: where, what is in view, what is carried."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from agentgym_gen.envs.babyai.paths import State
from agentgym_gen.envs.babyai.view import Thing, View, look


class Carried(NamedTuple):
    """What is carried."""

    colour: str
    kind: str

    @property
    def name(self) -> str:
        """What it is called: ``red key``."""
        return f"{self.colour} {self.kind}"


class Moment:
    """The state of a game as far as it can be seen.

    Args:
        game: The game, whose state of now is taken.
    """

    def __init__(self, game: Any) -> None:  # noqa: ANN401  (an engine.Game, which needs minigrid)
        self.place: State = game.place
        self.view: View = look(game.env.grid, *self.place)
        held = game.carrying
        self.carried = None if held is None else Carried(held.color, held.type)

    @cached_property
    def numbered(self) -> tuple[tuple[str, Thing], ...]:
        """The things in view, the nearest first, with their names and numbers: ``red ball 2``."""
        counts: dict[str, int] = {}
        named = []
        for thing in self.view.things:
            counts[thing.name] = counts.get(thing.name, 0) + 1
            named.append((f"{thing.name} {counts[thing.name]}", thing))
        return tuple(named)

    @cached_property
    def ahead(self) -> Thing | None:
        """The thing in the cell right ahead, or None where there is none or a wall."""
        nearest = self.view.things[:4]
        return next((one for one in nearest if one.ahead == 1 and one.right == 0), None)

    @property
    def is_free_ahead(self) -> bool:
        """Whether the cell right ahead can be walked on."""
        wall = self.view.barrier is not None and self.view.barrier[1] == 1
        return not wall and (self.ahead is None or self.ahead.state == "open")

    def opens(self, door: Thing) -> bool:
        """Say whether the player can open *door*: it is not locked, or the key is at hand."""
        return door.state != "locked" or self.carried == Carried(door.colour, "key")

"""How hard a household is, and the filter by task type and room."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.envs.alfworld.expert import View, shortest_plan
from agentgym_gen.envs.alfworld.game import Game
from agentgym_gen.envs.alfworld.house import OFFICIAL_TYPES, ROOMS, House
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import TIERS

MANY_RECEPTACLES = 40
"""With more receptacles than this, searching them takes long."""


@dataclass(frozen=True)
class Difficulty:
    """The properties that make a household hard."""

    plan_length: int
    """The length of the shortest plan."""
    hidden: bool
    """Whether too few of the targets can be seen without opening something."""
    receptacles: int
    """How many receptacles there are to search."""

    @property
    def tier(self) -> str:
        """The tier by points: for a long plan (one or two), hidden targets, many receptacles."""
        length_points = (self.plan_length > 5) + (self.plan_length > 7)
        points = length_points + self.hidden + (self.receptacles > MANY_RECEPTACLES)
        return TIERS[min(points, 2)]


def measure_difficulty(house: House) -> Difficulty | None:
    """Return how hard *house* is, or None if the expert cannot win it."""
    game = Game(house)
    moves = shortest_plan(View(game))
    if not moves:
        return None
    hidden = _is_hidden(game)
    for move in moves:
        if move not in game.go_to_moves() and move not in game.local_moves():
            return None
        game.apply(move)
    return Difficulty(len(moves), hidden, len(house.receptacles)) if game.is_won() else None


def _is_hidden(game: Game) -> bool:
    visible = {
        thing
        for receptacle, content in enumerate(game.content)
        if game.is_open(receptacle)
        for thing in content
    }
    goal = game.house.goal
    needed = 2 if goal.type == "two" else 1
    has_lamp = goal.type != "look" or any(map(game.is_lamp, visible))
    return sum(map(game.is_target, visible)) < needed or not has_lamp


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks are played; None stands for all.

    Raises:
        UnknownNameError: if there is no such task type or room.
    """

    task_type: str | None = None
    """A task type, by our short name or the original's."""
    room: str | None = None
    """A room type."""

    def __post_init__(self) -> None:
        """Check the names."""
        types = [*OFFICIAL_TYPES, *OFFICIAL_TYPES.values()]
        if self.task_type is not None and self.task_type not in types:
            raise unknown_name("task type", self.task_type, types)
        if self.room is not None and self.room not in ROOMS:
            raise unknown_name("room", self.room, ROOMS)

    def check(self, task_id: str, task_type: str, room: str) -> None:
        """Raise `InvalidValueError` unless the task *task_id* is one of those that are played."""
        if not self.matches(task_type, room):
            raise InvalidValueError(
                f"The task {str(task_id)!r} is {OFFICIAL_TYPES[task_type]!r} in a {room}, and "
                f"`task_type` is {self.task_type!r}, `room` {self.room!r}: name another task, or "
                "leave the option out"
            )

    def matches(self, task_type: str, room: str) -> bool:
        """Say whether tasks of *task_type*, a short name, in a *room* are played."""
        is_type = self.task_type in (None, task_type, OFFICIAL_TYPES[task_type])
        return is_type and self.room in (None, room)

"""A policy that knows only what it has seen, for demonstrations that look like play.

It searches the receptacles in which things of the kind it needs most often lie in official games.
It follows the shortest plan as soon as it has seen enough to make one.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.envs.alfworld.expert import Memory, View, shortest_plan
from agentgym_gen.envs.alfworld.game import NO_ITEM, Game, Move
from agentgym_gen.envs.alfworld.statistics import load_statistics
from agentgym_gen.envs.alfworld.world import ALFWorld
from agentgym_gen.errors import InvalidValueError

__all__ = ["SearchPolicy", "next_move", "target_frequency"]


class SearchPolicy:
    """Searches the room, then does the task, using nothing but what the episode has shown."""

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return an action for each request.

        Raises:
            InvalidValueError: if an environment is not ALFWorld.
        """
        return [Completion(r.write_completion(self._action(r))) for r in requests]

    @staticmethod
    def _action(request: Request) -> str:
        world = request.env.world
        if not isinstance(world, ALFWorld):
            raise InvalidValueError(f"SearchPolicy plays ALFWorld only, not {world.name!r}")
        move = next_move(world.game, world.memory)
        if move is not None:
            return request.env.write(world.command(move))
        admissible = request.env.admissible_actions
        return admissible[int(request.rng.integers(len(admissible)))]


def next_move(game: Game, memory: Memory) -> Move | None:
    """Return the next move for a player who knows *memory* of *game*, or None if none is useful."""
    view = View(game, memory)
    moves = shortest_plan(view)
    if moves:
        return moves[0]
    unknown = [number for number in view.receptacles if number not in memory.content_known]
    if not unknown:
        return None
    here = [number for number in unknown if view.places[number] == game.place]
    if here:
        number = here[0]
        return ("open" if number in memory.open_state_known else "examine", number, NO_ITEM)
    return ("go_to", max(unknown, key=lambda number: target_frequency(game, view, number)), NO_ITEM)


def target_frequency(game: Game, view: View, receptacle: int) -> float:
    """Return how often things that are still needed lie in a receptacle like *receptacle*.

    The count over official games is that of all receptacles of the kind in a room. It is divided by
    how many of them this room has.
    """
    house = game.house
    needed = [house.goal.thing]
    if house.goal.type == "look":
        is_lamp_known = any(map(game.is_lamp, _things_in_view(view)))
        is_target_known = any(map(game.is_target, _things_in_view(view)))
        needed = [house.goal.place] * (not is_lamp_known)
        needed += [house.goal.thing] * (not is_target_known)
    kind = house.receptacles[receptacle].kind
    locations = load_statistics().rooms[house.room].locations
    return sum(locations.get(thing, {}).get(kind, 0) for thing in needed) / len(
        view.receptacles_of(kind)
    )


def _things_in_view(view: View) -> list[int]:
    held = [] if view.game.in_hand is None else [view.game.in_hand]
    return [*held, *(thing for number in view.receptacles for thing in view.content(number))]

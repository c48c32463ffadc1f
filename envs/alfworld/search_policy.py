"""A player who knows only what was seen: for demonstrations that look like play.

It looks where things of the wanted kind most often lie, by the counts over the official games,
and follows the shortest plan as soon as what it has seen makes one.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.agents.prompt import wrap_action
from agentgym_gen.envs.alfworld.statistics import load_statistics
from agentgym_gen.envs.alfworld.expert import Memory, View, shortest_plan
from agentgym_gen.envs.alfworld.game import NO_ITEM, Game, Move
from agentgym_gen.envs.alfworld.world import ALFWorld
from agentgym_gen.errors import InvalidValueError


class SearchPolicy:
    """Searches the room and then does the task; needs nothing but what the episode has shown."""

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return an action for each request.

        Raises:
            InvalidValueError: if an environment is not ALFWorld.
        """
        return [Completion(wrap_action(r.style, self._action(r))) for r in requests]

    @staticmethod
    def _action(request: Request) -> str:
        world = request.env.world
        if not isinstance(world, ALFWorld):
            raise InvalidValueError(f"SearchPolicy plays ALFWorld only, not {world.name!r}")
        move = next_move(world.game, world.memory)
        if move is not None:
            return request.env.write(world.command(move))
        menu = request.env.admissible_actions
        return menu[int(request.rng.integers(len(menu)))]


def next_move(game: Game, memory: Memory) -> Move | None:
    """Return what somebody who knows *memory* of *game* does, or None with nothing left to try."""
    known = View(game, memory)
    moves = shortest_plan(known)
    if moves:
        return moves[0]
    unseen = [number for number in known.receptacles if number not in memory.content_known]
    if not unseen:
        return None
    here = [number for number in unseen if known.places[number] == game.place]
    if here:
        number = here[0]
        return ("open" if number in memory.open_state_known else "examine", number, NO_ITEM)
    return ("go_to", max(unseen, key=lambda number: target_frequency(game, known, number)), NO_ITEM)


def target_frequency(game: Game, known: View, receptacle: int) -> float:
    """Return how much of what is wanted lies in a receptacle like *receptacle*, in official games.

    Counted in all receptacles of its kind, and shared among those of this room.
    """
    house = game.house
    wanted = [house.goal.thing]
    if house.goal.type == "look":
        lamp = any(map(game.is_lamp, _things_in_view(known)))
        target = any(map(game.is_target, _things_in_view(known)))
        wanted = [house.goal.place] * (not lamp) + [house.goal.thing] * (not target)
    kind = house.receptacles[receptacle].kind
    lies = load_statistics().rooms[house.room].locations
    return sum(lies.get(one, {}).get(kind, 0) for one in wanted) / len(known.receptacles_of(kind))


def _things_in_view(known: View) -> list[int]:
    held = [] if known.game.in_hand is None else [known.game.in_hand]
    return [*held, *(thing for number in known.receptacles for thing in known.content(number))]

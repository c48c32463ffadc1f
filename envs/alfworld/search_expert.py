"""An expert that knows only what it has seen, for demonstrations that look like play.

It searches the receptacles in which things of the kind it needs most often lie in official games.
It follows the shortest plan as soon as it has seen enough to make one.
"""

from __future__ import annotations

from agentgym_gen.envs.alfworld.expert import Memory, View, shortest_plan
from agentgym_gen.envs.alfworld.game import NO_ITEM, Game, Move
from agentgym_gen.envs.alfworld.statistics import load_statistics

__all__ = ["next_move", "target_frequency"]


def next_move(game: Game, memory: Memory) -> Move | None:
    """Return the next move for a player who knows *memory* of *game*, or None if none is useful."""
    view = View(game, memory)
    moves = shortest_plan(view)
    if moves:
        verb, _, place = moves[0]
        # A receptacle at the place of another may never have been looked at, and may be closed.
        is_unseen = verb == "move" and place not in memory.open_state_known
        if is_unseen and game.house.receptacles[place].openable:
            return ("examine", place, NO_ITEM)
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

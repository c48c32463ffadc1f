"""Why a command is not admissible, for the ``explained`` feedback.

A reason never reveals more than the player can know.
"""

from __future__ import annotations

from agentgym_gen.envs.alfworld.game import Game
from agentgym_gen.world import Command


def reason_for(game: Game, command: Command) -> str:
    """Return why *command* is not admissible in *game*."""
    verb, args = command
    receptacles = {receptacle.name for receptacle in game.house.receptacles}
    if verb == "go_to":
        return "you are there already" if args[0] in receptacles else "there is no such receptacle"
    unreachable = next((name for name in args if name not in _within_reach(game)), None)
    if unreachable is not None:
        return f"there is no {unreachable} within reach"
    if verb == "take" and game.in_hand is not None:
        return "you can carry one object only"
    if verb in ("move", "heat", "clean", "cool") and not _carries(game, args[0]):
        return f"you do not carry {args[0]}"
    return "that does not work with this"


def _carries(game: Game, name: str) -> bool:
    return game.in_hand is not None and game.house.things[game.in_hand].name == name


def _within_reach(game: Game) -> set[str]:
    """Return the names of the receptacles here, the things seen in them, and the thing in hand."""
    house = game.house
    names = {house.receptacles[number].name for number in game.receptacles_here()}
    if game.in_hand is not None:
        names.add(house.things[game.in_hand].name)
    for number in game.receptacles_here():
        if game.is_open(number):
            names |= {house.things[thing].name for thing in game.content[number]}
    return names

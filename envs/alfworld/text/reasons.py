"""Why a command cannot be done, for the ``explained`` feedback; it gives nothing away."""

from __future__ import annotations

from agentgym_gen.envs.alfworld.game import Game
from agentgym_gen.world import Command


def reason_for(game: Game, command: Command) -> str:
    """Return why *command* is not admissible, from what the player can know."""
    verb, args = command
    receptacles = {one.name: number for number, one in enumerate(game.house.receptacles)}
    if verb == "go_to":
        return "you are there already" if args[0] in receptacles else "there is no such receptacle"
    far = next((name for name in args if name not in _within_reach(game)), None)
    if far is not None:
        return f"there is no {far} within reach"
    if verb == "take" and game.in_hand is not None:
        return "you can carry one object only"
    if verb in ("move", "heat", "clean", "cool") and not _carries(game, args[0]):
        return f"you do not carry {args[0]}"
    return "that does not work with this"


def _carries(game: Game, name: str) -> bool:
    return game.in_hand is not None and game.house.things[game.in_hand].name == name


def _within_reach(game: Game) -> set[str]:
    house = game.house
    names = {house.receptacles[number].name for number in game.receptacles_here()}
    if game.in_hand is not None:
        names.add(house.things[game.in_hand].name)
    for number in game.receptacles_here():
        if game.is_open(number):
            names |= {house.things[thing].name for thing in game.content[number]}
    return names

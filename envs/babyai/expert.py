"""The expert: the bot's actions, said in the commands of a voice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.perception import Moment
from agentgym_gen.envs.babyai.paths import FORWARD, State, Way, after
from agentgym_gen.envs.babyai.view import Place
from agentgym_gen.envs.babyai.wordings.wording import Voice
from agentgym_gen.world import Command

MOVES = range(FORWARD + 1)
"""The actions that change the place only: the two turns and the step forward."""

Route = tuple[Command, ...]
"""Commands in order."""


def plan(
    game: Any,  # noqa: ANN401  (an engine.Game, which needs minigrid)
    voice: Voice,
    seen: Iterable[Place] = (),
) -> Route | None:
    """Return commands that accomplish the mission of *game* from here, or None.

    Args:
        game: The game; its state is the same afterwards.
        voice: The voice that has the commands.
        seen: The cells that have been in view so far.
    """
    actions = backend.load("bot").solve(game, seen)
    return None if actions is None else say(game, voice, actions)


def say(
    game: Any,  # noqa: ANN401  (an engine.Game)
    voice: Voice,
    actions: Way,
) -> Route | None:
    """Return *actions*, which win, in as few commands of *voice* as leaps make possible.

    A macro action may replace moves of the bot that lead to the same place. That can pass by what
    the mission wants to be faced; if so, every action is said by itself.
    """
    return _said(game, voice, actions, leaps=True) or _said(game, voice, actions, leaps=False)


def _said(
    game: Any,  # noqa: ANN401  (an engine.Game)
    voice: Voice,
    actions: Way,
    *,
    leaps: bool,
) -> Route | None:
    """Return the commands if they are listed and win, else None."""
    saved, trace = game.save(), _trace(game.place, actions)
    route: list[Command] = []
    at = 0
    try:
        while at < len(actions):
            moment = Moment(game)
            ways = voice.menu(moment).ways
            command = voice.single(actions[at], moment)
            length, end = 1, at + 1
            for other, way in ways.items() if leaps else ():
                reached = _reached(way, at, actions, trace)
                if reached > end:
                    command, length, end = other, len(way), reached
            if command not in ways:
                return None
            route.append(command)
            if _wins(game, ways[command][:length]):
                return tuple(route)
            at = end
    finally:
        game.restore(saved)
    return None


def _wins(game: Any, way: Way) -> bool:  # noqa: ANN401  (an engine.Game)
    for action in way:
        effect = game.act(action)
        if effect.over or effect.late:
            return bool(effect.reward > 0)
    return False


def _trace(start: State, actions: Way) -> list[State]:
    """Return the places before each of *actions*, and after the last one."""
    trace = [start]
    for action in actions:
        trace.append(after(trace[-1], action) if action in MOVES else trace[-1])
    return trace


def _reached(way: Way, at: int, actions: Way, trace: list[State]) -> int:
    """Return how far in *actions* the player is when *way* is done instead; 0 if elsewhere.

    A way is moves and then acts. The moves stand for any moves of the bot that lead to the same
    place, the acts for themselves; the last of them may be left, where the bot has won before it.
    """
    place, moved = trace[at], 0
    while moved < len(way) and way[moved] in MOVES:
        place = after(place, way[moved])
        moved += 1
    acts = way[moved:]
    best, here = 0, at
    while here <= len(actions):
        rest = actions[here : here + len(acts)]
        ends = here + len(rest) == len(actions)
        if trace[here] == place and (rest == acts or (rest and ends and acts[:1] == rest)):
            best = here + len(rest)
        if here == len(actions) or actions[here] not in MOVES:
            break
        here += 1
    return best

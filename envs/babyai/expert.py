"""The expert: the actions of minigrid's bot, as commands of a wording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.paths import FORWARD, ActionSequence, Pose, next_pose
from agentgym_gen.envs.babyai.perception import Perception
from agentgym_gen.envs.babyai.view import Position
from agentgym_gen.envs.babyai.wordings.wording import Wording
from agentgym_gen.world import Command

MOVES = range(FORWARD + 1)
"""The actions that change the pose only: the two turns and the step forward."""

Plan = tuple[Command, ...]
"""Commands in order."""


def plan(
    game: Any,  # noqa: ANN401  (a Game, which needs minigrid)
    wording: Wording,
    seen_cells: Iterable[Position] = (),
) -> Plan | None:
    """Return commands that accomplish the mission of *game* from here, or None.

    Args:
        game: The game; its state is the same afterwards.
        wording: The wording that has the commands.
        seen_cells: The cells that have been in view so far.
    """
    actions = backend.load("bot").solve(game, seen_cells)
    return None if actions is None else to_commands(game, wording, actions)


def to_commands(
    game: Any,  # noqa: ANN401  (a Game)
    wording: Wording,
    actions: ActionSequence,
) -> Plan | None:
    """Return *actions*, which win, as few commands of *wording*.

    A macro action may replace moves of the bot that lead to the same pose. It may skip a pose in
    which the mission is accomplished; if the commands do not win for that reason, every action is
    a command of its own.
    """
    return _translate(game, wording, actions, macros=True) or _translate(
        game, wording, actions, macros=False
    )


def _translate(
    game: Any,  # noqa: ANN401  (a Game)
    wording: Wording,
    actions: ActionSequence,
    *,
    macros: bool,
) -> Plan | None:
    """Return the commands if they are admissible and win, else None."""
    saved, poses = game.save(), _trace(game.pose, actions)
    commands: list[Command] = []
    position = 0
    try:
        while position < len(actions):
            perception = Perception(game)
            admissible = wording.admissible(perception).actions
            command = wording.command_for(actions[position], perception)
            length, end = 1, position + 1
            for macro, macro_actions in admissible.items() if macros else ():
                macro_end = _end_of_macro(macro_actions, position, actions, poses)
                if macro_end > end:  # of equally long macros the first listed one is taken
                    command, length, end = macro, len(macro_actions), macro_end
            if command not in admissible:
                return None
            commands.append(command)
            if _wins(game, admissible[command][:length]):
                return tuple(commands)
            position = end
    finally:
        game.restore(saved)
    return None


def _wins(game: Any, actions: ActionSequence) -> bool:  # noqa: ANN401  (a Game)
    for action in actions:
        effect = game.act(action)
        if effect.terminated or effect.truncated:
            return bool(effect.reward > 0)
    return False


def _trace(start: Pose, actions: ActionSequence) -> list[Pose]:
    """Return the poses before each of *actions*, and after the last one."""
    poses = [start]
    for action in actions:
        poses.append(next_pose(poses[-1], action) if action in MOVES else poses[-1])
    return poses


def _end_of_macro(
    macro: ActionSequence, start: int, actions: ActionSequence, poses: list[Pose]
) -> int:
    """Return up to where *macro* replaces *actions* from *start* on; 0 if it replaces none.

    A macro is moves and then other actions. Its moves replace any moves of the bot that lead to the
    same pose; its other actions replace the same ones of the bot. Where the bot has won before the
    last of them, that one may be missing.
    """
    pose, moves = poses[start], 0
    while moves < len(macro) and macro[moves] in MOVES:
        pose = next_pose(pose, macro[moves])
        moves += 1
    rest = macro[moves:]
    best, position = 0, start
    while position <= len(actions):
        matched = actions[position : position + len(rest)]
        at_end = position + len(matched) == len(actions)
        fits = matched == rest or (matched and at_end and rest[:1] == matched)
        if poses[position] == pose and fits:
            best = position + len(matched)
        if position == len(actions) or actions[position] not in MOVES:
            break
        position += 1
    return best

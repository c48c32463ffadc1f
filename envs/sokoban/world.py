"""Sokoban as a world, in the text form of RAGEN."""

from __future__ import annotations

from pathlib import Path

from agentgym_gen.envs.sokoban.board import DIRECTIONS, Level, Position
from agentgym_gen.envs.sokoban.expert import Guide
from agentgym_gen.envs.sokoban.game import Facts, Game
from agentgym_gen.envs.sokoban.reward import STEP, score, step_reward
from agentgym_gen.envs.sokoban.tasks import open_tasks
from agentgym_gen.task import Task, Tasks
from agentgym_gen.world import (
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Verb,
    VerbName,
    World,
)

LEAST_TURNS = 15
"""The turn limit of the shortest levels."""

TURNS_PER_MOVE = 2
"""How many turns a task allows for each move of its solution."""

RULES = (
    "You are solving the Sokoban puzzle. You are the player and you need to push all boxes to "
    "targets. When you are next to a box, you can push it by moving in the same direction. "
    "You cannot push a box through a wall, and you cannot pull a box. "
    "The answer must be one action in a turn, for example "
)
LEGEND = (
    "\nThe meaning of each symbol in the state is:\n#: wall, _: empty, O: target, "
    "√: box on target, X: box, P: player, S: player on target"
    "\nYour available actions are:\n"
)
"""RAGEN's instruction; the docs page says where it differs."""

UNREADABLE = (
    "No valid action provided previously. Environment state remains the same. Please try again."
)
"""RAGEN's answer to a text that is no action; it follows the unchanged board."""

COMMANDS = {verb[0]: Command(verb) for verb in ("up", "down", "left", "right")}
"""The command of each direction."""

_READABLE = {command.verb: command for command in COMMANDS.values()}
_TAGS = (("<answer>", "</answer>"), ("<action>", "</action>"))


class Sokoban(World[Level]):
    """Push every box onto a target.

    Args:
        levels_dir: A folder in the layout of DeepMind's Boxoban levels to play instead of the
            generated ones.

    Raises:
        DataError: if the folder is missing.
    """

    name = "Sokoban"
    verbs = (
        Verb("up", "Up", synonyms=("North", "Ascend")),
        Verb("down", "Down", synonyms=("South", "Descend")),
        Verb("left", "Left", synonyms=("West", "Port")),
        Verb("right", "Right", synonyms=("East", "Starboard")),
    )
    asides = (
        "(11, 3) shows a lantern (rusty and cold; unreachable).",
        "(12, 7) shows a barrel (painted green; unreachable).",
        "(14, 2) shows a ladder (missing two rungs; unreachable).",
        "(13, 9) shows a broom (leaning on nothing; unreachable).",
        "(15, 5) shows a bucket (half full of rain; unreachable).",
        "(11, 12) shows a poster (torn at one corner; unreachable).",
        "(16, 4) shows a bicycle (without a saddle; unreachable).",
        "(12, 14) shows a clock (ten minutes slow; unreachable).",
        "(17, 1) shows a cat (asleep; unreachable).",
        "(14, 11) shows a radio (humming quietly; unreachable).",
        "(18, 6) shows a carpet (folded twice; unreachable).",
        "(13, 15) shows a mirror (covered with dust; unreachable).",
    )
    malformed_reward = STEP
    tasks: Tasks[Level]

    def __init__(self, levels_dir: str | Path | None = None) -> None:
        self.tasks = open_tasks(levels_dir)

    def reset(self, task: Task[Level]) -> Scene:
        """Start *task* and return its board."""
        level = task.content
        self._game = Game(level.rows)
        self._guide = Guide(level.solution)
        self._turn_limit = max(LEAST_TURNS, TURNS_PER_MOVE * len(level.solution))
        return self._scene()

    def step(self, command: Command) -> Outcome:
        """Push or move in one direction."""
        game, direction = self._game, command.verb[0]
        before = game.on_targets
        reason = game.obstacle(direction)
        if not reason:
            self._guide.follow(game.move(direction))
        after, boxes = game.on_targets, game.boxes
        return Outcome(
            scene=self._scene(),
            reward=step_reward(before, after, boxes),
            valid=not reason,
            end=EndReason.SUCCESS if after == boxes else None,
            score=score(after, boxes),
            reason=reason,
        )

    def admissible(self) -> tuple[Command, ...]:
        """Return the directions that are free, always in the order up, down, left, right."""
        return tuple(COMMANDS[letter] for letter in DIRECTIONS if not self._game.obstacle(letter))

    def plan(self) -> tuple[Command, ...] | None:
        """Return moves that win from here.

        None if a box is stuck for ever, or the solver found no solution within its limit.
        """
        moves = self._guide.moves(Position.parse(self._game.text.split("\n")))
        return None if moves is None else tuple(COMMANDS[move.lower()] for move in moves)

    def instruction(self) -> Message:
        """Return RAGEN's instruction for one action a turn."""
        return (
            RULES,
            COMMANDS["r"],
            LEGEND,
            VerbName("up"),
            ", ",
            VerbName("down"),
            ", ",
            VerbName("left"),
            ", ",
            VerbName("right"),
        )

    def goal(self) -> str:
        """Return what is to be reached, the same in every task."""
        return "Push all boxes to targets"

    def turn_limit(self) -> int:
        """Return twice the moves of the task's solution, but at least `LEAST_TURNS`."""
        return self._turn_limit

    def refuse(self, malformed: Malformed) -> Message:
        """Return the unchanged board and RAGEN's sentence."""
        return (f"{self._game.text}\n{UNREADABLE}",)

    def read(self, text: str) -> Command | Malformed:
        """Read one direction in any case, alone or in RAGEN's or verl-agent's tags."""
        said = text.strip().lower()
        said = said if said in _READABLE else _untagged(said)
        if said in _READABLE:
            return _READABLE[said]
        if "||" in said:
            return Malformed(text, "it is more than one action")
        return Malformed(text, "it is none of the known actions")

    def _scene(self) -> Scene:
        text = self._game.text
        return Scene((text,), Facts(text))


def _untagged(said: str) -> str:
    """Return what stands in the tags that *said* consists of, after a thought or without one."""
    if said.startswith("<think>"):
        said = said.rpartition("</think>")[2].lstrip()
    for opening, closing in _TAGS:
        if said.startswith(opening) and said.endswith(closing):
            return said.removeprefix(opening).removesuffix(closing).strip()
    return said

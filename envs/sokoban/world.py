"""Sokoban as a world, in the text form of RAGEN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agentgym_gen.envs.sokoban.board import DIRECTIONS, Level, Position
from agentgym_gen.envs.sokoban.distractors import note_lines
from agentgym_gen.envs.sokoban.expert import PlanTracker
from agentgym_gen.envs.sokoban.game import Game
from agentgym_gen.envs.sokoban.reward import STEP, score, step_reward
from agentgym_gen.envs.sokoban.tasks import open_tasks
from agentgym_gen.envs.sokoban.wording import (
    COMMANDS,
    GLYPHS,
    INSTRUCTION,
    NOUNS,
    UNREADABLE,
    VERBS,
)
from agentgym_gen.world import (
    AsciiGrid,
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Surface,
    Task,
    Tasks,
    World,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["MIN_TURNS", "TURNS_PER_MOVE", "Sokoban"]

MIN_TURNS = 15
"""The turn limit of the shortest levels."""

TURNS_PER_MOVE = 2
"""How many turns there are for each move of the task's solution."""

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
    steps_in_process = True
    verbs = VERBS
    malformed_reward = STEP
    tasks: Tasks[Level]

    def __init__(self, levels_dir: str | Path | None = None) -> None:
        self.tasks = open_tasks(levels_dir)

    def reset(self, task: Task[Level]) -> Scene:
        """Start *task* and return its board."""
        level = task.content
        self._game = Game(level.rows)
        self._plan = PlanTracker(level.solution)
        self._height = len(level.rows)
        self._turn_limit = max(MIN_TURNS, TURNS_PER_MOVE * len(level.solution))
        return self._scene()

    def step(self, command: Command) -> Outcome:
        """Push or move in one direction."""
        game, direction = self._game, command.verb[0]
        before = game.boxes_on_targets
        reason = game.obstacle(direction)
        if not reason:
            self._plan.record_move(game.move(direction))
        after, boxes = game.boxes_on_targets, game.box_count
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

    def expert_plan(self) -> tuple[Command, ...] | None:
        """Return moves that win from here.

        None if a box is stuck for ever, or the solver found no solution within its limit.
        """
        moves = self._plan.remaining_moves(Position.parse(self._game.text.split("\n")))
        return None if moves is None else tuple(COMMANDS[move.lower()] for move in moves)

    def instruction(self) -> Message:
        """Return RAGEN's instruction for one action a turn."""
        return INSTRUCTION

    def goal(self) -> str:
        """Return the goal, which is the same in every task."""
        return "Push all boxes to targets"

    def turn_limit(self) -> int:
        """Return twice the moves of the task's solution, but at least `MIN_TURNS`."""
        return self._turn_limit

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return the unchanged board and RAGEN's sentence."""
        return (AsciiGrid(self._game.text), f"\n{UNREADABLE}")

    def read(self, text: str) -> Command | Malformed:
        """Read one direction in any case, alone or in RAGEN's or verl-agent's tags."""
        return _read_direction(text, _READABLE)

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* as `read` does, with the words of *templates*."""
        words = {template.lower(): Command(verb) for verb, template in templates.items()}
        return _read_direction(text, words)

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(nouns=_nouns, glyphs=GLYPHS, distractors=self._distractors)

    def _distractors(self, rng: np.random.Generator, amount: int) -> tuple[str, ...]:
        """Return notes about squares below the board."""
        return sample_evenly(note_lines(self._height), amount, rng)

    def _scene(self) -> Scene:
        game = self._game
        grid = AsciiGrid(game.text)
        facts = {
            "grid": grid,
            "player": game.player_at,
            "boxes": game.boxes_at,
            "targets": game.targets_at,
        }
        return Scene((grid,), facts)


def _nouns() -> tuple[str, ...]:
    """Return the things of the board, which the instruction and the reasons name."""
    return NOUNS


def _read_direction(text: str, commands: Mapping[str, Command]) -> Command | Malformed:
    """Return the one of *commands* whose word *text* has, alone or in tags."""
    action_text = text.strip().lower()
    action_text = action_text if action_text in commands else _without_tags(action_text)
    if action_text in commands:
        return commands[action_text]
    if "||" in action_text:
        return Malformed(text, "it is more than one action")
    return Malformed(text, "it is none of the known actions")


def _without_tags(text: str) -> str:
    """Return what is between the tags of *text*, without a thought before them."""
    if text.startswith("<think>"):
        text = text.rpartition("</think>")[2].lstrip()
    for opening, closing in _TAGS:
        if text.startswith(opening) and text.endswith(closing):
            return text.removeprefix(opening).removesuffix(closing).strip()
    return text

"""A table of completions beside the log: a few of each step, so that a reader sees what is learnt.

Which ones is decided by the seed and the step, not by what they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import DataError
from agentgym_gen.seeding import stream
from agentgym_gen.system.files import append_text, write_text
from agentgym_gen.system.untrusted_files import read_text
from agentgym_gen.trainers.callbacks import TrainerCallback, TrainerControl, TrainerState
from agentgym_gen.trainers.config import TrainConfig

__all__ = ["COMPLETIONS", "CompletionRow", "CompletionsCallback", "completion_rows"]

COMPLETIONS = "completions.jsonl"
"""The file, in the output folder."""

MAX_CHARS = 4000
"""How much of an observation and of a completion a row has."""


class CompletionRow(TypedDict):
    """One completion of a training."""

    step: int
    """The step, from 1."""
    env_id: str
    """The environment."""
    task_id: str
    """The task."""
    sample: int
    """Which episode of the task."""
    turn: int
    """Which turn of the episode, from 0."""
    observation: str
    """What it answered, the first `MAX_CHARS` characters."""
    completion: str
    """Its text, as far as `MAX_CHARS` go."""
    action: str
    """The action that was read in it."""
    valid: bool
    """Whether the action could be carried out."""
    truncated: bool
    """Whether it was cut at the limit of new tokens."""
    tokens: int
    """How many tokens it has."""
    success: bool
    """Whether its episode reached the goal."""
    score: float
    """How much of the task its episode did, 0 to 1."""


def completion_rows(
    trajectories: Sequence[Trajectory], number: int, step: int, seed: int
) -> list[CompletionRow]:
    """Return rows of *number* different turns of *trajectories*, or of all if there are fewer.

    Args:
        trajectories: The episodes of a step.
        number: How many rows.
        step: The step.
        seed: The seed of the training.
    """
    places = [(episode, turn) for episode in trajectories for turn in range(len(episode.turns))]
    rng = stream("completions", step, entropy=seed)
    chosen = sorted(rng.permutation(len(places))[:number].tolist())
    return [_row(step, *places[place]) for place in chosen]


def _row(step: int, episode: Trajectory, number: int) -> CompletionRow:
    turn = episode.turns[number]
    return {
        "step": step,
        "env_id": episode.env_id,
        "task_id": episode.task_id,
        "sample": episode.sample,
        "turn": number,
        "observation": turn.observation[:MAX_CHARS],
        "completion": turn.completion.text[:MAX_CHARS],
        "action": turn.action,
        "valid": bool(turn.valid),
        "truncated": turn.completion.truncated,
        "tokens": len(turn.completion.action_ids),
        "success": bool(episode.success),
        "score": float(episode.score),
    }


class CompletionsCallback(TrainerCallback):
    """Writes the rows of each step into a file.

    Args:
        folder: The output folder.
        number: How many rows a step has.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._path, self._number = folder / COMPLETIONS, number

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Drop the rows of steps that will be made again."""
        if not state.is_world_process_zero or not self._path.exists():
            return
        lines = read_text(self._path, max_bytes=1 << 32).splitlines()
        kept = [
            line
            for number, line in enumerate(lines, 1)
            if _step_of(line, self._path, last=number == len(lines) > 1) <= state.global_step
        ]
        write_text(self._path, "".join(f"{line}\n" for line in kept))

    def on_step_end(
        self,
        args: TrainConfig,
        state: TrainerState,
        control: TrainerControl,
        **extras: Any,
    ) -> None:
        """Write the rows of the step."""
        if not state.is_world_process_zero:
            return
        rows = completion_rows(
            extras["trajectories"], self._number, extras["row"]["step"], args.seed
        )
        append_text(self._path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _step_of(line: str, path: Path, *, last: bool) -> int:
    """Return the step of a row; a *last* one that a killed process has cut belongs to no step.

    Raises:
        DataError: if it is a row of something else.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        if last:
            return 1 << 62
        row = None
    if not isinstance(row, dict) or type(row.get("step")) is not int:
        raise DataError(f"{path} is there and is no table of completions; move it away")
    return int(row["step"])

"""The episodes of a training as a file, for ``agentgym-gen view`` and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.agents.trajectory_files import append_trajectories, keep_trajectories
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.callbacks import TrainerCallback, TrainerControl, TrainerState
from agentgym_gen.trainers.config import TrainConfig

__all__ = ["TRAJECTORIES", "TrajectoryCallback"]

TRAJECTORIES = "trajectories.jsonl"
"""The file in the output folder."""


class TrajectoryCallback(TrainerCallback):
    """Writes episodes that were trained on into ``output_dir/trajectories.jsonl``.

    Each line is an episode with its tokens, their texts and their sampled log-probabilities; the
    label ``step`` is the step that it was played for. A training that is resumed goes on with the
    file where its checkpoint was. Reinforcement fine-tuning only: other trainings have no episodes.

    Args:
        every: The episodes of every so many steps are written.
        episodes: How many of a step, from the first; None writes all.

    Raises:
        InvalidValueError: if a number is not 1 or more, or the training has no output folder.
        DataError: if the file cannot be written, or is not one of trajectories.
    """

    def __init__(self, every: int = 1, episodes: int | None = None) -> None:
        for name, value in (("every", every), ("episodes", episodes)):
            if value is not None and (isinstance(value, bool) or value < 1):
                raise InvalidValueError(f"`{name}` is 1 or more, not {value!r}")
        self._every, self._episodes = every, episodes

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Remove the episodes of steps that come again."""
        if not args.output_dir:
            raise InvalidValueError(
                f"{TRAJECTORIES} lies in the output folder; set `output_dir`, or leave "
                "`TrajectoryCallback` out"
            )
        if state.is_world_process_zero:
            step = state.global_step
            keep_trajectories(
                Path(args.output_dir) / TRAJECTORIES,
                lambda line: int(line.labels.get("step", 0)) <= step,
            )

    def on_step_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: Any
    ) -> None:
        """Append the episodes of the step."""
        step = state.global_step
        if not state.is_world_process_zero or step % self._every:
            return
        trajectories: Sequence[Trajectory] = extras.get("trajectories", ())
        tokenizer = extras["processing_class"]
        append_trajectories(
            Path(args.output_dir) / TRAJECTORIES,
            trajectories[: self._episodes],
            decode=lambda token: str(tokenizer.decode([token])),
            step=step,
        )

"""What an episode earns, and which ends of an episode have rules of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import RFTConfig

FAILED = ("backend_error", "policy_error")
"""The end reasons of an episode whose world or policy failed: nothing can be learned from it."""

TRUNCATED = ("turn_limit", "context_limit")
"""The end reasons of an episode at its turn or token limit; `RFTConfig.truncation` is its rule."""


RewardFunction = Callable[[Trajectory], float]
"""What an episode earns, instead of `RFTConfig.reward`."""


def episode_reward(
    trajectory: Trajectory, args: RFTConfig, function: RewardFunction | None = None
) -> float:
    """Return the reward of an episode: outcome, less the cost of turns, plus valid actions.

    An episode without a turn, whose first prompt left no room, has no valid action.

    Args:
        trajectory: The episode.
        args: The settings.
        function: Returns the outcome; None takes `RFTConfig.reward`.

    Raises:
        InvalidValueError: if *function* returns what is no finite number.
    """
    outcome = _outcome(trajectory, args) if function is None else function(trajectory)
    if function is not None and not _is_finite(outcome):
        raise InvalidValueError(
            f"The reward of {trajectory.task_id!r} is {outcome!r}; a reward function returns a "
            "finite number"
        )
    turns = len(trajectory.turns)
    valid = 1 - trajectory.invalid_turns / turns if turns else 0.0
    return outcome - args.turn_cost * turns + args.valid_coef * valid


def _outcome(trajectory: Trajectory, args: RFTConfig) -> float:
    return {
        "success": float(trajectory.success),
        "score": trajectory.score,
        "return": trajectory.total_reward,
    }[args.reward]


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def discounted_successes(trajectory: Trajectory, discount: float) -> list[float]:
    """Return the value of each turn: the later success, discounted for the turns until then."""
    last = len(trajectory.turns) - 1
    return [trajectory.success * discount ** (last - turn) for turn in range(last + 1)]

"""What an episode earns, and which ends of an episode have rules of their own."""

from __future__ import annotations

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.trainers.config import RFTConfig

FAILED = ("backend_error", "policy_error")
"""The end reasons of an episode whose world or policy failed: nothing can be learned from it."""

TRUNCATED = ("turn_limit", "context_limit")
"""The end reasons of an episode at its turn or token limit; `RFTConfig.truncation` is its rule."""


def episode_reward(trajectory: Trajectory, args: RFTConfig) -> float:
    """Return the reward of an episode: outcome, less the cost of turns, plus valid actions."""
    outcome = {
        "success": float(trajectory.success),
        "score": trajectory.score,
        "return": trajectory.total_reward,
    }[args.reward]
    turns = len(trajectory.turns)
    valid = 1 - trajectory.invalid_turns / max(1, turns)
    return outcome - args.turn_cost * turns + args.valid_coef * valid


def discounted_successes(trajectory: Trajectory, discount: float) -> list[float]:
    """Return the value of each turn: the later success, discounted for the turns until then."""
    last = len(trajectory.turns) - 1
    return [trajectory.success * discount ** (last - turn) for turn in range(last + 1)]

"""Metrics of a set of episodes: success, score, length and valid actions, and how many episodes."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.agents.rollout import group_by_task
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError


def episode_metrics(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Return the averages over *trajectories*, and their number.

    Raises:
        InvalidValueError: if there are no episodes.
    """
    count = len(trajectories)
    if not count:
        raise InvalidValueError("There is no average of no episodes")
    turns = sum(len(episode.turns) for episode in trajectories)
    return {
        "episodes": count,
        "success": sum(episode.success for episode in trajectories) / count,
        "score": sum(episode.score for episode in trajectories) / count,
        "turns": turns / count,
        "action_tokens": sum(episode.action_tokens for episode in trajectories) / count,
        "valid": 1 - sum(episode.invalid_turns for episode in trajectories) / max(1, turns),
    }


def metrics_by_env(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Return the metrics of all episodes, and those of each environment as ``<id>/<name>``."""
    metrics = episode_metrics(trajectories)
    for env_id in dict.fromkeys(episode.env_id for episode in trajectories):
        own = episode_metrics([episode for episode in trajectories if episode.env_id == env_id])
        metrics |= {f"{env_id}/{name}": value for name, value in own.items()}
    return metrics


def truncated_turn_share(trajectories: Sequence[Trajectory]) -> float:
    """Return the share of turns whose completion was cut at the limit of new tokens."""
    turns = sum(len(episode.turns) for episode in trajectories)
    return sum(episode.truncated_turns for episode in trajectories) / max(1, turns)


def pass_at_k(trajectories: Sequence[Trajectory]) -> float:
    """Return the share of tasks that at least one of their episodes solved: pass@k."""
    solved = [any(episode.success for episode in group) for group in group_by_task(trajectories)]
    return sum(solved) / max(1, len(solved))

"""What a set of episodes amounts to: success, validity, length. Plain averages, each with its n."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.agents.rollout import groups
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError


def episode_metrics(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Return the averages of *trajectories*.

    Raises:
        InvalidValueError: if there are none.
    """
    count = len(trajectories)
    if not count:
        raise InvalidValueError("There is no average of no episodes")
    turns = sum(len(played.turns) for played in trajectories)
    return {
        "episodes": count,
        "success": sum(played.success for played in trajectories) / count,
        "score": sum(played.score for played in trajectories) / count,
        "turns": turns / count,
        "action_tokens": sum(played.action_tokens for played in trajectories) / count,
        "valid": 1 - sum(played.invalid_turns for played in trajectories) / max(1, turns),
    }


def metrics_by_env(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Return the averages of all, and those of each environment as ``<id>/<name>``."""
    found = episode_metrics(trajectories)
    for env_id in dict.fromkeys(played.env_id for played in trajectories):
        mine = episode_metrics([played for played in trajectories if played.env_id == env_id])
        found |= {f"{env_id}/{name}": value for name, value in mine.items()}
    return found


def pass_at_k(trajectories: Sequence[Trajectory]) -> float:
    """Return the share of tasks that were won in at least one of their episodes: pass@k."""
    won = [any(played.success for played in group) for group in groups(trajectories)]
    return sum(won) / max(1, len(won))

"""What a set of episodes amounts to: success, validity, length. Plain averages, each with its n."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trajectory import Trajectory


def rates(trajectories: Sequence[Trajectory]) -> dict[str, float]:
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

"""When an episode of BabyAI ends, and its score, as pure functions.

What a success earns is minigrid's own: ``1 - 0.9 * steps / max_steps``, with its low-level steps.
"""

from __future__ import annotations

from agentgym_gen.world import EndReason


def end(terminated: bool, truncated: bool, reward: float) -> EndReason | None:
    """Return why the episode is over, or None while it goes on.

    Args:
        terminated: Whether the mission has ended, by success or by failure.
        truncated: Whether minigrid's steps have run out.
        reward: What minigrid has paid; nothing for a mission that has failed.
    """
    if terminated:
        return EndReason.SUCCESS if reward > 0 else EndReason.FAILURE
    return EndReason.TURN_LIMIT if truncated else None


def score(end_reason: EndReason | None) -> float:
    """Return 1 for a success and else 0: no mission is accomplished in part."""
    return float(end_reason is EndReason.SUCCESS)

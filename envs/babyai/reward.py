"""When an episode of BabyAI ends, and its score, as pure functions.

What a success earns is minigrid's own: ``1 - 0.9 * steps / max_steps``, with its low-level steps.
"""

from __future__ import annotations

from agentgym_gen.world import EndReason


def end(over: bool, late: bool, earned: float) -> EndReason | None:
    """Return why the episode is over, or None while it goes on.

    Args:
        over: Whether minigrid says that the mission has ended.
        late: Whether minigrid's steps have run out.
        earned: What minigrid has paid; nothing for a mission that has failed.
    """
    if over:
        return EndReason.SUCCESS if earned > 0 else EndReason.FAILURE
    return EndReason.TURN_LIMIT if late else None


def score(ended: EndReason | None) -> float:
    """Return 1 for a success and else 0: BabyAI knows no half accomplished missions."""
    return float(ended is EndReason.SUCCESS)

"""How hard a goal is: how many options it has, and how far down its own words find the product."""

from __future__ import annotations

from agentgym_gen.envs.webshop.shop import PAGE_SIZE


def goal_tier(options: int, rank: int | None) -> str | None:
    """Return the tier of a goal, or None if it is left out.

    Args:
        options: How many options have to be chosen.
        rank: The place of the product among what the request finds, from 0; None if it is not
            among them.
    """
    if rank is None:
        return None
    if rank >= PAGE_SIZE or options > 2:
        return "hard"
    return "medium" if options == 2 else "easy"

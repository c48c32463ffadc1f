"""Reward and score of TextCraft: pure functions of what was crafted."""

from __future__ import annotations

from collections.abc import Mapping


def reward(target: str | None, goal: str) -> float:
    """Return the original's reward of one step: 1 when it crafted the goal, else 0.

    >>> reward("stick", "stick"), reward("oak planks", "stick"), reward(None, "stick")
    (1.0, 0.0, 0.0)
    """
    return 1.0 if target == goal else 0.0


def score(plan_crafts: Mapping[str, int], crafts: Mapping[str, int]) -> float:
    """Return the share of the crafts of the expert's plan that have been made, 0 to 1.

    Making more of something than the plan does earns nothing. The craft of the goal is one of the
    plan's, so that only success scores 1.

    Args:
        plan_crafts: How often the expert's plan from the start makes each item or kind of item.
        crafts: How often each of them has been made so far.

    >>> score({"planks": 1, "stick": 1, "oak sign": 1}, {"planks": 5, "stick": 1})
    0.6666666666666666
    """
    credited_crafts = sum(min(times, crafts.get(item, 0)) for item, times in plan_crafts.items())
    return credited_crafts / sum(plan_crafts.values())

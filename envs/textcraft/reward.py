"""What a TextCraft episode earns: pure functions of what was made."""

from __future__ import annotations

from collections.abc import Mapping


def reward(made: str | None, goal: str) -> float:
    """Return the original's reward of one step: 1 when it made the goal, else 0.

    >>> reward("stick", "stick"), reward("oak planks", "stick"), reward(None, "stick")
    (1.0, 0.0, 0.0)
    """
    return 1.0 if made == goal else 0.0


def score(needed: Mapping[str, int], made: Mapping[str, int]) -> float:
    """Return which share of the crafts of the expert's plan has been made, 0 to 1.

    Making more of something than the plan does earns nothing. The craft of the goal is one of the
    plan's, so that only success scores 1.

    Args:
        needed: How often the expert's plan from the start makes each item or kind of item.
        made: How often each of them has been made so far.

    >>> score({"planks": 1, "stick": 1, "oak sign": 1}, {"planks": 5, "stick": 1})
    0.6666666666666666
    """
    done = sum(min(times, made.get(item, 0)) for item, times in needed.items())
    return done / sum(needed.values())

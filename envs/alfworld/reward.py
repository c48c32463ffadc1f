"""The reward of ALFWorld, as a pure function."""

from __future__ import annotations


def reward(won: bool) -> float:
    """Return the reward of a step: 1 if it reaches the goal, else 0, as in the original."""
    return 1.0 if won else 0.0

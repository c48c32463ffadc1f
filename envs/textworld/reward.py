"""Reward and score of TextWorld: the points of the game."""

from __future__ import annotations

MAX_SCORE_UNWON = 0.99
"""The highest score of a game that is not won, even if it has given all its points."""


def reward(before: int, after: int) -> float:
    """Return the points that a command earned, as the original's score goes up."""
    return float(after - before)


def score(points: int, max_points: int, won: bool) -> float:
    """Return how much of the game is done, 0 to 1; exactly 1 when it is won.

    >>> score(2, 8, won=False), score(1, 1, won=True), score(1, 1, won=False)
    (0.25, 1.0, 0.99)
    """
    if won:
        return 1.0
    return min(max(points, 0) / max_points, MAX_SCORE_UNWON) if max_points > 0 else 0.0

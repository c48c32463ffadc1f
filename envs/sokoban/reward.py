"""The reward of gym-sokoban (Schrader 2018) and the score, as pure functions."""

from __future__ import annotations

STEP = -0.1
"""What every turn costs: a blocked command too, and a text that is no command."""

BOX_ON = 1.0
"""What pushing a box onto a target earns."""

BOX_OFF = -1.0
"""What pushing a box off a target costs."""

SOLVED = 10.0
"""What the last box earns on top."""


def step_reward(before: int, after: int, boxes: int) -> float:
    """Return the reward of one command.

    Args:
        before: How many boxes were on targets.
        after: How many are now.
        boxes: How many there are.
    """
    reward = STEP
    if after > before:
        reward += BOX_ON
    elif after < before:
        reward += BOX_OFF
    return reward + SOLVED if after == boxes else reward


def score(on_targets: int, boxes: int) -> float:
    """Return the share of the boxes that are on targets: 1 exactly when the level is solved."""
    return on_targets / boxes

"""The reward of gym-sokoban (Schrader 2018) and the score, as pure functions."""

from __future__ import annotations

STEP = -0.1
"""The cost of every turn, also of a blocked command and of a text that is no command."""

BOX_ON = 1.0
"""The reward of pushing a box onto a target."""

BOX_OFF = -1.0
"""The cost of pushing a box off a target."""

SOLVED = 10.0
"""The additional reward of the last box."""


def step_reward(before: int, after: int, boxes: int) -> float:
    """Return the reward of one command.

    Args:
        before: How many boxes were on targets before it.
        after: How many boxes are on targets after it.
        boxes: How many boxes there are.
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

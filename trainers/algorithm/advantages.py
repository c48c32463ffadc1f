"""From the rewards of episodes to their advantages: pure functions, without a critic.

Axes: ``_G`` the episodes of a group, which are those of one task; ``_B`` all episodes of a step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from agentgym_gen.errors import InvalidValueError

__all__ = [
    "BATCH_ESTIMATORS",
    "EQUAL_WITHIN",
    "GROUP_ESTIMATORS",
    "Floats",
    "dr_grpo",
    "grpo",
    "reinforce_pp",
    "rloo",
]

Floats = npt.NDArray[np.float64]

EQUAL_WITHIN = 1e-9
"""Rewards that differ by less are equal."""


def grpo(rewards_G: Floats) -> Floats:
    """Return the rewards less their mean, in units of their standard deviation.

    Section 4.1.2 of DeepSeekMath (arXiv 2402.03300), with the sample deviation as in TRL and verl.
    A group whose rewards are all equal has advantage 0.
    """
    return _standardise(dr_grpo(rewards_G))


def dr_grpo(rewards_G: Floats) -> Floats:
    """Return the rewards less their mean: Dr. GRPO (arXiv 2503.20783), section 3."""
    _check(rewards_G)
    return rewards_G - float(rewards_G.mean())


def rloo(rewards_G: Floats) -> Floats:
    """Return the rewards less the mean of the others: RLOO (arXiv 2402.14740), section 2."""
    _check(rewards_G)
    others_G = (float(rewards_G.sum()) - rewards_G) / (len(rewards_G) - 1)
    return rewards_G - others_G


def reinforce_pp(rewards_B: Floats) -> Floats:
    """Return the rewards of a whole step less their mean, in units of their standard deviation.

    REINFORCE++ (arXiv 2501.03262), section 3: the batch takes the place of the group. Its
    per-token penalty for diverging from the base is a term of the loss here, `RFTConfig.kl_coef`.
    """
    _check(rewards_B)
    return _standardise(rewards_B - float(rewards_B.mean()))


GROUP_ESTIMATORS: dict[str, Callable[[Floats], Floats]] = {
    "dr_grpo": dr_grpo,
    "grpo": grpo,
    "rloo": rloo,
}
"""The estimators that compare the episodes of a task, by the name `RFTConfig.estimator` gives."""

BATCH_ESTIMATORS: dict[str, Callable[[Floats], Floats]] = {"reinforce++": reinforce_pp}
"""The estimators that compare all episodes of a step."""


def _standardise(centred: Floats) -> Floats:
    """Return *centred* in units of its sample deviation, or 0 where all values are equal."""
    deviation = float(np.std(centred, ddof=1))
    return centred / deviation if deviation > EQUAL_WITHIN else np.zeros_like(centred)


def _check(rewards: Floats) -> None:
    if rewards.ndim != 1 or len(rewards) < 2:
        raise InvalidValueError(
            f"Rewards to compare are one row of 2 or more, not of shape {rewards.shape}"
        )

# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""From the rewards of one group, the episodes of one task, to their advantages.

Axes: ``_G`` the episodes of a group. All are pure functions of the rewards; none has a critic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from agentgym_gen.errors import InvalidValueError

Floats = npt.NDArray[np.float64]


def grpo(rewards_G: Floats) -> Floats:
    """Return the rewards less their mean, in units of their standard deviation.

    Equation 3 of DeepSeekMath (arXiv 2402.03300), with the sample deviation as in TRL and verl.
    A group whose rewards are all equal has advantage 0.
    """
    centred_G = dr_grpo(rewards_G)
    deviation = float(np.std(rewards_G, ddof=1))
    return centred_G / deviation if deviation > 1e-9 else np.zeros_like(centred_G)


def dr_grpo(rewards_G: Floats) -> Floats:
    """Return the rewards less their mean: Dr. GRPO (arXiv 2503.20783), section 3."""
    _check(rewards_G)
    return rewards_G - float(rewards_G.mean())


def loo(rewards_G: Floats) -> Floats:
    """Return the rewards less the mean of the others: RLOO (arXiv 2402.14740), section 2."""
    _check(rewards_G)
    others_G = (float(rewards_G.sum()) - rewards_G) / (len(rewards_G) - 1)
    return rewards_G - others_G


ADVANTAGES: dict[str, Callable[[Floats], Floats]] = {"dr_grpo": dr_grpo, "grpo": grpo, "loo": loo}
"""The estimators by the name that `RFTConfig.estimator` gives."""


def _check(rewards_G: Floats) -> None:
    if rewards_G.ndim != 1 or len(rewards_G) < 2:
        raise InvalidValueError(
            f"Rewards are those of one group, 2 or more, not of shape {rewards_G.shape}"
        )

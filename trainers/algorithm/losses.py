"""The losses: pure functions of log-probabilities, one value per token.

Axes: ``_N`` sampled tokens, of any episode; ``_S`` sequences. The caller's weights decide how they
are averaged.
"""

from __future__ import annotations

import torch
from torch import Tensor

from agentgym_gen.errors import InvalidValueError

__all__ = [
    "clipped_policy_loss",
    "entropy",
    "is_clipped",
    "kl_k3",
    "sequence_logp",
    "sft_loss",
]


def sft_loss(logp_N: Tensor, weight_N: Tensor) -> Tensor:
    """Return the weighted negative log-likelihood of the demonstrated tokens."""
    _check(logp_N, weight_N)
    return -(weight_N * logp_N).sum()


def clipped_policy_loss(
    logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, low: float, high: float
) -> Tensor:
    """Return PPO's clipped surrogate of each token, negated: equation 7 of arXiv 1707.06347.

    Args:
        logp_N: The log-probabilities under the model that is trained.
        old_logp_N: Those with which the tokens were sampled.
        advantage_N: The advantages.
        low: How far below 1 the ratio counts.
        high: How far above 1 the ratio counts; DAPO (arXiv 2503.14476) has it larger than `low`.
    """
    _check(logp_N, old_logp_N, advantage_N)
    ratio_N = torch.exp(logp_N - old_logp_N)
    clipped_N = ratio_N.clamp(1 - low, 1 + high)
    return -torch.minimum(ratio_N * advantage_N, clipped_N * advantage_N)


def sequence_logp(logp_N: Tensor, old_logp_N: Tensor, sequence_N: Tensor) -> Tensor:
    """Return, for each token, a log-probability whose ratio to the old one is its sequence's.

    GSPO (arXiv 2507.18071), equation 7: the ratio of a sequence is the geometric mean of those of
    its tokens, ``s = exp(mean(log pi - log pi_old))``. Put in place of `logp_N`, all tokens of a
    sequence are clipped together.

    Args:
        logp_N: The log-probabilities under the model that is trained.
        old_logp_N: Those with which the tokens were sampled.
        sequence_N: The number of each token's sequence, from 0.
    """
    _check(logp_N, old_logp_N, sequence_N)
    if not len(logp_N):
        return logp_N
    count = int(sequence_N.max()) + 1
    sums_S = logp_N.new_zeros(count).index_add(0, sequence_N, logp_N - old_logp_N)
    lengths_S = logp_N.new_zeros(count).index_add(0, sequence_N, torch.ones_like(logp_N))
    return old_logp_N + (sums_S / lengths_S)[sequence_N]


def is_clipped(
    logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, low: float, high: float
) -> Tensor:
    """Return at which tokens `clipped_policy_loss` is constant, so that its gradient is 0."""
    _check(logp_N, old_logp_N, advantage_N)
    ratio_N = torch.exp(logp_N - old_logp_N)
    above_N = (ratio_N > 1 + high) & (advantage_N > 0)
    return above_N | ((ratio_N < 1 - low) & (advantage_N < 0))


def kl_k3(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """Return the k3 estimate of KL(policy || reference) of each token.

    J. Schulman, "Approximating KL divergence" (2020): unbiased and never negative.
    """
    _check(logp_N, reference_logp_N)
    difference_N = reference_logp_N - logp_N
    return torch.exp(difference_N) - difference_N - 1


def entropy(logits_NV: Tensor) -> Tensor:
    """Return the entropy ``_N`` of the softmax of each row of logits, in nats."""
    logp_NV = torch.log_softmax(logits_NV, dim=-1)
    return -(logp_NV.exp() * logp_NV).sum(dim=-1)


def _check(*values_N: Tensor) -> None:
    shapes = [tuple(value_N.shape) for value_N in values_N]
    if len(shapes[0]) != 1 or len(set(shapes)) != 1:
        raise InvalidValueError(f"All arguments have one value per token; the shapes are {shapes}")

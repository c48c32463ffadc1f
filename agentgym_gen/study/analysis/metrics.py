"""Continual-learning metrics of a matrix of scores; pure functions.

``R_ij``: row i is the model after stage i, row 0 the base; column j is a tested environment. Stage
i trains on column ``trained[i - 1]``. All are functions of means, so that they can be applied to
every resample of a bootstrap: the leading axes of ``R`` may be anything, the last two are i and j.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis.statistics import Floats

__all__ = ["backward_transfer", "forgetting", "forward_transfer", "retention"]


def backward_transfer(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how much later stages changed the scores of earlier ones.

    The mean over all stages but the last of ``R[T, j] - R[i, j]``, where stage i trained on j: BWT
    of Lopez-Paz & Ranzato (arXiv 1706.08840), equation 3.
    """
    _check_shape(R_ij, trained)
    last = R_ij[..., len(trained), :]
    changes = [last[..., j] - R_ij[..., i, j] for i, j in enumerate(trained[:-1], 1)]
    return np.asarray(np.mean(changes, axis=0))


def forward_transfer(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how much earlier stages raised environments before these were trained on.

    The mean over all stages but the first of ``R[i - 1, j] - R[0, j]``: FWT of Lopez-Paz & Ranzato
    (arXiv 1706.08840), equation 4, with the base in place of a model with random weights.
    """
    _check_shape(R_ij, trained)
    # `i` counts from 0: row i is the model before the stage that trains on j.
    changes = [R_ij[..., i, j] - R_ij[..., 0, j] for i, j in enumerate(trained) if i > 0]
    return np.asarray(np.mean(changes, axis=0))


def forgetting(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how far the last model is below the best model of any earlier stage.

    The mean over the columns of all stages but the last of ``max R[l, j] - R[T, j]`` over stages
    ``1 <= l < T``: Chaudhry et al. (arXiv 1801.10112), section 3. (Avalanche prints the first value
    less the last instead, which is the negative of BWT.)
    """
    _check_shape(R_ij, trained)
    best = R_ij[..., 1 : len(trained), :].max(axis=-2)
    last = R_ij[..., len(trained), :]
    columns = list(dict.fromkeys(trained[:-1]))
    return np.asarray(np.mean([best[..., j] - last[..., j] for j in columns], axis=0))


def retention(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return the share of the scores of earlier stages that the last model still has.

    The mean over all stages but the last of ``R[T, j] / R[i, j]``. A stage with a score of 0 is
    left out; if all are, the result is not a number.
    """
    _check_shape(R_ij, trained)
    last = R_ij[..., len(trained), :]
    pairs = [(last[..., j], R_ij[..., i, j]) for i, j in enumerate(trained[:-1], 1)]
    shares = [
        np.divide(end, then, out=np.full_like(end, np.nan), where=then > 0) for end, then in pairs
    ]
    is_number = ~np.isnan(shares)
    total = np.where(is_number, shares, 0.0).sum(axis=0)
    count = is_number.sum(axis=0)
    share: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return share


def _check_shape(R_ij: Floats, trained: Sequence[int]) -> None:
    if R_ij.shape[-2] != len(trained) + 1 or len(trained) < 2:
        raise InvalidValueError(
            f"A sequence has a row for the base and one for each of two or more stages, not "
            f"{R_ij.shape[-2]} rows for {len(trained)} stages"
        )

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
    of Lopez-Paz & Ranzato (arXiv 1706.08840), equation 3. Where an environment returns, stage i is
    the last one that trained on it; that of the last stage of all has no later one. If there is no
    other, the result is not a number.
    """
    _check_shape(R_ij, trained)
    last = R_ij[..., len(trained), :]
    return _mean([last[..., j] - R_ij[..., i, j] for j, i in _ended(trained).items()], last)


def forward_transfer(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how much earlier stages raised environments before these were trained on.

    The mean over all stages but the first of ``R[i - 1, j] - R[0, j]``: FWT of Lopez-Paz & Ranzato
    (arXiv 1706.08840), equation 4, with the base in place of a model with random weights. An
    environment that returns was trained on already and does not count again. If there is no other
    than the first, the result is not a number.
    """
    _check_shape(R_ij, trained)
    # `i` counts from 0: row i is the model before the stage that trains on j.
    changes = [
        R_ij[..., i, j] - R_ij[..., 0, j] for i, j in enumerate(trained) if j not in trained[:i]
    ]
    return _mean(changes[1:], R_ij[..., 0, :])


def forgetting(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how far the last model is below the best model of any earlier stage.

    The mean over the columns of all stages but the last of ``max R[l, j] - R[T, j]`` over stages
    ``1 <= l < T``: Chaudhry et al. (arXiv 1801.10112), section 3. (Avalanche prints the first value
    less the last instead, which is the negative of BWT.) That of the last stage itself does not
    count; if there is no other, the result is not a number.

    From three stages on the best of several measured scores lies above the best true one by chance,
    and so does this number. Its resamples have the same error, so they give no interval of it.
    """
    _check_shape(R_ij, trained)
    best = R_ij[..., 1 : len(trained), :].max(axis=-2)
    last = R_ij[..., len(trained), :]
    return _mean([best[..., j] - last[..., j] for j in _ended(trained)], last)


def retention(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return the share of the scores of earlier stages that the last model still has.

    The mean over all stages but the last of ``R[T, j] / R[i, j]``, where stage i is the last one
    that trained on j. Scores are cut to 0 to 1, beyond which resamples may lie. A stage with a
    score of 0 is left out; if all are, the result is not a number.
    """
    _check_shape(R_ij, trained)
    scores = R_ij.clip(0.0, 1.0)
    last = scores[..., len(trained), :]
    pairs = [(last[..., j], scores[..., i, j]) for j, i in _ended(trained).items()]
    shares = [
        np.divide(end, then, out=np.full_like(end, np.nan), where=then > 0) for end, then in pairs
    ]
    return _mean(shares, last)


def _ended(trained: Sequence[int]) -> dict[int, int]:
    """Return each column with the last stage that trained on it, without that of the last stage."""
    stages = {column: stage for stage, column in enumerate(trained, 1)}
    return {column: stage for column, stage in stages.items() if column != trained[-1]}


def _mean(values: Sequence[Floats], like: Floats) -> Floats:
    """Return the mean of those *values* that are a number; one of no values is not a number.

    Args:
        values: Arrays with the leading axes of *like*.
        like: An array with one more axis.
    """
    nan = np.full(like.shape[:-1], np.nan)
    if not values:
        return nan
    is_number = ~np.isnan(values)
    total, count = np.where(is_number, values, 0.0).sum(axis=0), is_number.sum(axis=0)
    return np.asarray(np.divide(total, count, out=nan, where=count > 0))


def _check_shape(R_ij: Floats, trained: Sequence[int]) -> None:
    if R_ij.shape[-2] != len(trained) + 1 or len(trained) < 2:
        raise InvalidValueError(
            f"A sequence has a row for the base and one for each of two or more stages, not "
            f"{R_ij.shape[-2]} rows for {len(trained)} stages"
        )

# ruff: noqa: N803
# The capitals name the axes of an array.
"""Transfer and continual-learning metrics of a matrix of scores; pure functions.

``R_ij``: row i is the model after stage i, row 0 the base; column j is what is tested. In a
sequence, stage i trains on column ``trained[i - 1]``; in a transfer matrix, every row is a
training of its own. All are functions of means, so that they can be put on every resample of a
bootstrap: the leading axes of ``R`` may be anything, the last two are i and j.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.analysis.statistics import Floats


def backward_transfer(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how much later stages changed what earlier ones had reached.

    The mean over all stages but the last of ``R[T, j] - R[i, j]``, where stage i trained on j: BWT
    of Lopez-Paz & Ranzato (arXiv 1706.08840), equation 3.
    """
    _check(R_ij, trained)
    last = R_ij[..., len(trained), :]
    then = [last[..., j] - R_ij[..., i, j] for i, j in enumerate(trained[:-1], 1)]
    return np.asarray(np.mean(then, axis=0))


def forward_transfer(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return what earlier stages gave to environments before they were trained on.

    The mean over all stages but the first of ``R[i - 1, j] - R[0, j]``: FWT of Lopez-Paz & Ranzato
    (arXiv 1706.08840), equation 4, with the base as the model that knows nothing.
    """
    _check(R_ij, trained)
    then = [R_ij[..., i, j] - R_ij[..., 0, j] for i, j in enumerate(trained) if i > 0]
    return np.asarray(np.mean(then, axis=0))


def forgetting(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return how far the end is below the best that any earlier stage had reached.

    The mean over the columns of all stages but the last of ``max R[l, j] - R[T, j]`` over stages
    ``1 <= l < T``: Chaudhry et al. (arXiv 1801.10112), section 3. (Avalanche prints the first value
    less the last instead, which is the negative of BWT.)
    """
    _check(R_ij, trained)
    best = R_ij[..., 1 : len(trained), :].max(axis=-2)
    last = R_ij[..., len(trained), :]
    columns = list(dict.fromkeys(trained[:-1]))
    return np.asarray(np.mean([best[..., j] - last[..., j] for j in columns], axis=0))


def final_mean(R_ij: Floats) -> Floats:
    """Return the mean over columns after the last stage (ACC)."""
    return np.asarray(R_ij[..., -1, :].mean(axis=-1))


def incremental_mean(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return the mean over stages of the mean over what was trained on so far (AIA)."""
    _check(R_ij, trained)
    means = [R_ij[..., i, list(trained[:i])].mean(axis=-1) for i in range(1, len(trained) + 1)]
    return np.asarray(np.mean(means, axis=0))


def retention(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return the share of what earlier stages had reached that is there at the end.

    The mean over all stages but the last of ``R[T, j] / R[i, j]``; a stage that had reached nothing
    is left out, and with none left it is not a number.
    """
    _check(R_ij, trained)
    last = R_ij[..., len(trained), :]
    pairs = [(last[..., j], R_ij[..., i, j]) for i, j in enumerate(trained[:-1], 1)]
    shares = [
        np.divide(end, then, out=np.full_like(end, np.nan), where=then > 0) for end, then in pairs
    ]
    known = ~np.isnan(shares)
    total = np.where(known, shares, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    share: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return share


def gains(R_ij: Floats) -> Floats:
    """Return ``R[i, j] - R[0, j]`` for every row but the base."""
    return np.asarray(R_ij[..., 1:, :] - R_ij[..., :1, :])


def held_in_out(R_ij: Floats, trained: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Return the gains of a transfer matrix: held in, held out and overall, one for each row.

    Row i trained on column ``trained[i - 1]`` alone; held out is the mean over all other columns,
    overall that over all.
    """
    gained = gains(R_ij)
    rows = range(len(trained))
    held_in = np.stack([gained[..., i, trained[i]] for i in rows], axis=-1)
    others = [[j for j in range(R_ij.shape[-1]) if j != trained[i]] for i in rows]
    held_out = np.stack([gained[..., i, others[i]].mean(axis=-1) for i in rows], axis=-1)
    return held_in, held_out, np.asarray(gained.mean(axis=-1))


def transfer_ratios(R_ij: Floats, trained: Sequence[int]) -> Floats:
    """Return the share of a column's own gain that training elsewhere gives for nothing.

    ``(R[i, j] - R[0, j]) / (R[own j, j] - R[0, j])``; not a number where training on the column
    itself gained nothing, or no row did.
    """
    gained = gains(R_ij)
    ratios = np.full(gained.shape, np.nan)
    for row, column in enumerate(trained):
        own = gained[..., row, column][..., None]
        np.divide(gained[..., :, column], own, out=ratios[..., :, column], where=own > 0)
    return ratios


def pooled_change(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the relative change of a sum of scores, as arXiv 2601.18217 states OOD changes."""
    return sum(after) / sum(before) - 1


def _check(R_ij: Floats, trained: Sequence[int]) -> None:
    if R_ij.shape[-2] != len(trained) + 1 or len(trained) < 2:
        raise InvalidValueError(
            f"A sequence has a row for the base and one for each of two or more stages, not "
            f"{R_ij.shape[-2]} rows for {len(trained)} stages"
        )

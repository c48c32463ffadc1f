"""Statistics of a matrix of results, as pure functions over numpy arrays.

Axes: ``_S`` training seeds, ``_T`` tasks, ``_R`` resamples. Every model plays the same tasks, so
the values of a column are a matrix, seeds by tasks. Tasks are the unit of evaluation, seeds that of
training; samples of one task are averaged first: they are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream

__all__ = [
    "CONFIDENCE",
    "RESAMPLES",
    "SEEDS_TO_RESAMPLE",
    "Estimate",
    "Floats",
    "bootstrap_p",
    "holm",
    "interval",
    "pass_at_k",
    "pass_power_k",
    "regression",
    "resampled_means",
    "wilson",
]

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEEDS_TO_RESAMPLE = 3
"""With at least so many seeds, a bootstrap resamples seeds as well as tasks."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and the sizes of its sample."""

    value: float
    """The number."""
    low: float
    """The lower end of its interval."""
    high: float
    """The upper end of its interval."""
    tasks: int
    """How many different tasks it was computed from."""
    seeds: int = 1
    """How many training seeds it was computed from."""
    p: float = 1.0
    """The two-sided bootstrap p-value of zero, not adjusted."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    def negated(self) -> Estimate:
        """Return the estimate of the opposite number."""
        return Estimate(-self.value, -self.high, -self.low, self.tasks, self.seeds, self.p)


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % score interval of *rate* observed in *n* trials.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    >>> tuple(round(end, 4) for end in wilson(0.8, 10))
    (0.4902, 0.9433)
    """
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    centre = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def pass_at_k(samples: int, successes: int, k: int) -> float:
    """Return the unbiased estimate of the probability that one of *k* samples succeeds.

    One minus C(n - c, k) / C(n, k): Chen et al., arXiv 2107.03374, section 2.1.

    >>> round(pass_at_k(4, 1, 2), 4)
    0.5

    Raises:
        InvalidValueError: if *k* is larger than the number of samples.
    """
    if not 1 <= k <= samples:
        raise InvalidValueError(f"`k` is 1 to the number of samples, {samples}, not {k!r}")
    return 1 - math.comb(samples - successes, k) / math.comb(samples, k)


def pass_power_k(samples: int, successes: int, k: int) -> float:
    """Return the unbiased estimate of the probability that all of *k* samples succeed.

    C(c, k) / C(n, k), for c successes of n samples.

    Raises:
        InvalidValueError: if *k* is larger than the number of samples.
    """
    if not 1 <= k <= samples:
        raise InvalidValueError(f"`k` is 1 to the number of samples, {samples}, not {k!r}")
    return math.comb(successes, k) / math.comb(samples, k)


def resampled_means(values_ST: Floats, tasks: Sequence[str]) -> Floats:
    """Return `RESAMPLES` bootstrap means ``_R`` of a matrix of seeds by tasks.

    Each resample draws tasks, the same for all seeds, and with three seeds or more also seeds: the
    two stages of Davison & Hinkley (1997), section 3.8, for crossed factors. Matrices with the
    same tasks get the same draws of tasks, and matrices with as many seeds the same draws of seeds,
    so that sums and differences of resampled means are those of paired data. A mean over several
    matrices is stratified by them.

    Args:
        values_ST: One value for each seed and task.
        tasks: The ids of the tasks; they name the random stream.
    """
    if values_ST.ndim != 2 or values_ST.shape[1] != len(tasks) or not values_ST.size:
        raise InvalidValueError(f"Values are seeds x {len(tasks)} tasks, not {values_ST.shape}")
    seeds, number = values_ST.shape
    means_SR = values_ST @ _task_counts(tuple(tasks)).T / number
    if seeds < SEEDS_TO_RESAMPLE:
        return np.asarray(means_SR.mean(axis=0))
    seeds_SR = stream("bootstrap seeds", seeds).integers(seeds, size=(seeds, RESAMPLES))
    return np.asarray(np.take_along_axis(means_SR, seeds_SR, axis=0).mean(axis=0))


@lru_cache(maxsize=8)
def _task_counts(tasks: tuple[str, ...]) -> Floats:
    """Return how often each resample ``_R`` has each task ``_T``; it depends on *tasks* only."""
    number = len(tasks)
    tasks_RT = stream("bootstrap tasks", *tasks).integers(number, size=(RESAMPLES, number))
    # Task t of resample r becomes the number r * tasks + t, so that one `bincount` counts them all.
    flat = (np.arange(RESAMPLES)[:, None] * number + tasks_RT).ravel()
    counts = np.bincount(flat, minlength=RESAMPLES * number).astype(np.float64)
    return counts.reshape(RESAMPLES, number)


def interval(values_R: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the ends of the percentile interval of bootstrap values (Efron 1979)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values_R, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_p(values_R: Floats) -> float:
    """Return the two-sided p-value of zero from bootstrap values.

    Twice the smaller share of values at or beyond zero, with one added to both counts so that it is
    never zero (Davison & Hinkley 1997, section 4.2). Where no value is beyond zero, that bound
    depends on the number of resamples only, and after an adjustment over hundreds of cells it would
    never be small. There the normal distribution with the values' deviation is taken, if its
    p-value is lower.

    >>> bootstrap_p(np.array([1.0, 2.0, -1.0]))
    1.0
    >>> bootstrap_p(np.ones(99))
    0.02
    """
    beyond = min(int((values_R <= 0).sum()), int((values_R >= 0).sum()))
    counted = min(1.0, 2 * (1 + beyond) / (1 + len(values_R)))
    deviation = float(values_R.std())
    if beyond or deviation == 0:
        return counted
    return min(counted, 2 * NormalDist().cdf(-abs(float(values_R.mean())) / deviation))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number (S. Holm, 1979), in their order.

    The i-th smallest of m is multiplied by m - i + 1; then each is at least as large as the one
    before it in that order.

    >>> tuple(round(p, 3) for p in holm([0.01, 0.04, 0.03]))
    (0.03, 0.06, 0.06)
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def regression(
    features: Floats, resamples: Floats, values: Floats
) -> list[tuple[float, float, float]]:
    """Return least-squares coefficients with percentile intervals.

    The intervals show the noise of *values* only: the regression is fitted to every joint resample
    of all values. They say nothing about environments that are not in the rows.

    Args:
        features: Rows by features, the constant included.
        resamples: The values of every resample: rows by resamples.
        values: One number for each row.

    Raises:
        InvalidValueError: if features depend on each other, or there are not more rows than
            features.
    """
    rows, number = features.shape
    if rows <= number or np.linalg.matrix_rank(features) < number:
        raise InvalidValueError(
            f"{rows} rows cannot tell {number} features apart; leave features out or add rows"
        )
    solve = np.linalg.pinv(features)
    fitted, fitted_resamples = solve @ values, solve @ resamples
    return [(float(b), *interval(row)) for b, row in zip(fitted, fitted_resamples, strict=True)]

"""Statistics of a matrix of results, as pure functions over numpy arrays.

Axes: ``_S`` training seeds, ``_T`` tasks, ``_K`` pseudo-tasks, ``_R`` resamples. Every model plays
the same tasks, so the values of a column are a matrix, seeds by tasks. Tasks are the unit of
evaluation, seeds that of training; samples of one task are averaged first: they are not
independent. Why the intervals are made as they are: ``docs/decisions/0031-paired-intervals.md``.
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
    "PSEUDO_TASKS",
    "RESAMPLES",
    "SEEDS_TO_RESAMPLE",
    "Estimate",
    "Floats",
    "bootstrap_p",
    "effective_number",
    "estimate",
    "holm",
    "interval",
    "pass_at_k",
    "pass_power_k",
    "regression",
    "resampled_means",
    "seed_deviations",
    "student_tail",
    "wilson",
]

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEEDS_TO_RESAMPLE = 3
"""With at least so many seeds, an interval covers the noise of training, and may be called sure."""

PSEUDO_TASKS = 2
"""How many tasks with the outcome of a fair coin are added to those of a column."""

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

    @property
    def covers_training(self) -> bool:
        """Whether there are seeds enough that the interval covers the noise of training."""
        return self.seeds >= SEEDS_TO_RESAMPLE

    @property
    def is_sure(self) -> bool:
        """Whether the interval excludes zero and covers the noise of training."""
        return self.excludes_zero and self.covers_training


def wilson(rate: float, n: float) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % score interval of *rate* observed in *n* trials.

    *n* may be a number of trials that a weighted mean is worth.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    >>> tuple(round(end, 4) for end in wilson(0.8, 10))
    (0.4902, 0.9433)
    """
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    centre = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def effective_number(weights: Floats) -> float:
    """Return how many observations of equal weight a mean with these *weights* is worth.

    The square of their sum over the sum of their squares: L. Kish, "Survey Sampling" (1965).

    >>> effective_number(np.array([1.0, 1.0])), round(effective_number(np.array([9.0, 1.0])), 2)
    (2.0, 1.22)
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


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


def resampled_means(
    values_ST: Floats,
    tasks: Sequence[str],
    name: str = "",
    scale: tuple[float, float] = (0.0, 1.0),
) -> Floats:
    """Return `RESAMPLES` resampled means ``_R`` of a matrix of seeds by tasks.

    A resample is the observed mean and two independent deviations from it.

    - *Of the tasks*: a Bayesian bootstrap (Rubin 1981) over the tasks and two pseudo-tasks whose
      outcome is a fair coin at the ends of *scale*. In the difference of two models that is half a
      pseudo-observation in each cell of their table of outcomes, as in the interval of Agresti and
      Min (2005); so tasks without any change do not have an interval of width zero. The deviations
      are taken from their expectation, and stretched to the unbiased variance of a mean, so that
      the pseudo-tasks widen an interval and do not move it.
    - *Of the seeds*, from three on: `seed_deviations`.

    Matrices with the same tasks get the same weights of tasks, and those with as many seeds the
    same deviations of seeds, so that sums and differences of resampled means are those of paired
    data. Where only some tasks are the same, these have the same weights. A mean over several
    matrices is stratified by them.

    Args:
        values_ST: One value for each seed and task.
        tasks: The ids of the tasks; they name the random streams of the weights.
        name: The name of the model and the column; it names the stream of the coins, which differ
            between models.
        scale: The lowest and the highest value that there may be.
    """
    if values_ST.ndim != 2 or values_ST.shape[1] != len(tasks) or not values_ST.size:
        raise InvalidValueError(f"Values are seeds x {len(tasks)} tasks, not {values_ST.shape}")
    seeds, number = values_ST.shape
    mean = float(values_ST.mean())
    weights_RT, weights_RK = np.split(_task_weights(tuple(tasks)), [number], axis=1)
    coins_RK = np.array(scale)[
        stream("pseudo-tasks", name).integers(2, size=(RESAMPLES, PSEUDO_TASKS))
    ]
    total = number + PSEUDO_TASKS
    expected = (number * mean + PSEUDO_TASKS * sum(scale) / 2) / total
    deviations_R = weights_RT @ values_ST.mean(axis=0) + (weights_RK * coins_RK).sum(axis=1)
    # The variance of a mean with weights Dirichlet(1, ..., 1) is that of the values over total + 1;
    # the unbiased one is that over number - 1.
    stretch = math.sqrt((total + 1) / max(1, number - 1))
    means_R = mean + stretch * (deviations_R - expected)
    if seeds >= SEEDS_TO_RESAMPLE:
        means_R = means_R + values_ST.mean(axis=1) @ seed_deviations(seeds)
    return np.asarray(means_R)


@lru_cache(maxsize=8)
def _task_weights(tasks: tuple[str, ...]) -> Floats:
    """Return the weights of each task and pseudo-task in each resample ``_R``, which add up to 1.

    They have the distribution Dirichlet(1, ..., 1). Before they are divided by their sum, the
    weights of a task depend on that task only: columns that share some of their tasks vary together
    as far as they share them. Those of pseudo-tasks depend on all of *tasks*.
    """
    streams = [stream("bootstrap task", task) for task in tasks]
    weights_RT = np.stack([rng.standard_exponential(RESAMPLES) for rng in streams], axis=1)
    rng = stream("bootstrap pseudo-tasks", *tasks)
    weights_RK = rng.standard_exponential((RESAMPLES, PSEUDO_TASKS))
    weights = np.concatenate([weights_RT, weights_RK], axis=1)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@lru_cache(maxsize=8)
def seed_deviations(seeds: int) -> Floats:
    """Return weights ``_SR`` that give the deviations of a mean over *seeds* from the true one.

    Applied to one value a seed, they give Student's distribution of the mean: its standard error
    times a value of t with *seeds* - 1 degrees of freedom. With three seeds the interval is 4.30
    standard errors wide on each side, and not the 1.96 of many. Any number of arms and columns has
    the same weights, as one seed is one model.
    """
    rng = stream("bootstrap seeds", seeds)
    normal_SR = rng.standard_normal((seeds, RESAMPLES))
    scale_R = np.sqrt((seeds - 1) / rng.chisquare(seeds - 1, RESAMPLES))
    centred_SR = normal_SR - normal_SR.mean(axis=0)
    return np.asarray(scale_R * centred_SR / math.sqrt(seeds * (seeds - 1)))


def estimate(
    value: float,
    values_R: Floats,
    tasks: int,
    seeds: int = 1,
    *,
    reach: float = math.inf,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return *value* with the interval of its resamples and the p-value that agrees with it.

    Args:
        value: The observed number. The interval holds it.
        values_R: Its resamples; those that are not a number are left out.
        tasks: How many tasks it is from.
        seeds: How many training seeds it is from.
        reach: The largest size that the number may have.
        confidence: The level of the interval.
    """
    numbers_R = values_R[~np.isnan(values_R)]
    if np.isnan(value) or not numbers_R.size:
        return Estimate(np.nan, np.nan, np.nan, tasks, seeds)
    low, high = interval(numbers_R, confidence)
    low, high = max(-reach, min(low, value)), min(reach, max(high, value))
    freedom = seeds - 1 if seeds >= SEEDS_TO_RESAMPLE else max(1, tasks - 1)
    return Estimate(value, low, high, tasks, seeds, bootstrap_p(value, numbers_R, freedom))


def interval(values_R: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the ends of the percentile interval of bootstrap values (Efron 1979)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values_R, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_p(value: float, values_R: Floats, freedom: int) -> float:
    """Return the two-sided p-value of zero for *value*, from its bootstrap values.

    It is the level at which the interval of `estimate` ends at zero: twice the share of bootstrap
    values at zero or on its other side, with one added to both counts so that it is never zero
    (Davison & Hinkley 1997, section 4.2). Where no value is there, that bound depends on the number
    of resamples only, and after an adjustment over hundreds of cells it would never be small. There
    Student's distribution with the values' deviation is taken, if its p-value is lower.

    Args:
        value: The observed number.
        values_R: Its resamples.
        freedom: The degrees of freedom of Student's distribution.

    >>> bootstrap_p(1.0, np.array([1.0, 2.0, -1.0]), 2)
    1.0
    >>> bootstrap_p(1.0, np.ones(99), 98)
    0.02
    """
    if value == 0:
        return 1.0
    beyond = int((values_R <= 0).sum() if value > 0 else (values_R >= 0).sum())
    counted = min(1.0, 2 * (1 + beyond) / (1 + len(values_R)))
    deviation = float(values_R.std())
    if beyond or deviation < TINY_DEVIATION:
        return counted
    return min(counted, 2 * student_tail(abs(value) / deviation, freedom))


TINY_DEVIATION = 1e-12
"""Resamples that differ by less are all the same: the rest is rounding."""


def student_tail(t: float, freedom: int) -> float:
    """Return the probability that Student's t with *freedom* degrees of freedom is above *t*.

    The density is integrated numerically, for *t* above zero.

    >>> round(student_tail(4.3027, 2), 4), round(student_tail(1.9840, 99), 3)
    (0.025, 0.025)
    """
    # t / u runs from t to infinity while u runs from 1 to 0; the nodes are midpoints.
    u = (np.arange(20_000) + 0.5) / 20_000
    constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    density = np.exp(constant - (freedom + 1) / 2 * np.log1p((t / u) ** 2 / freedom))
    return float((density * t / u**2).mean() / math.sqrt(freedom * math.pi))


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

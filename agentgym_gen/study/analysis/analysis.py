"""From rows to numbers with intervals. Reads rows only; imports no environment and no torch.

Every number is a formula over the means of cells. The formula is applied to the means themselves
and to their joint resamples (see `agentgym_gen.study.analysis.statistics`), so that a gain is
paired by seed and task, and a mean over columns is stratified by them.

Axes: ``_S`` seeds, ``_T`` tasks, ``_N`` cells, ``_R`` resamples.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.study.analysis.statistics import (
    CONFIDENCE,
    SEEDS_TO_RESAMPLE,
    Estimate,
    Floats,
    estimate,
    holm,
    interval,
    pass_at_k,
    pass_power_k,
    resampled_means,
    wilson,
)
from agentgym_gen.study.plan.plan import BASE
from agentgym_gen.study.results.rows import Row, read_episodes

__all__ = ["Formula", "Pair", "Results", "ScoreMatrix"]

Pair = tuple[str, str]
"""An arm and a column."""

Formula = Callable[[Floats], Any]
"""From the means ``_N...`` of some cells to one number, for any number of trailing axes."""


@dataclass(frozen=True)
class ScoreMatrix:
    """The success or score of one arm on one column, seeds by tasks."""

    values_ST: Floats
    """The mean over samples, for each seed and task."""
    seeds: tuple[int, ...]
    """The training seeds, in the order of the first axis."""
    tasks: tuple[str, ...]
    """The ids of the tasks, in the order of the second axis."""


class Results:
    """The episode rows of a study, by arm and column.

    Args:
        rows: Episode rows, as `agentgym_gen.study.results.rows.read_episodes` returns them.
        metric: The key that is averaged: ``success`` (0 or 1) or ``score`` (0 to 1).
        scale: The lowest and the highest value of the metric, if other numbers stand in its place.
        stream_names: The names of the random streams of arms, where these are not their own names.

    Raises:
        DataError: if there are no rows.
        InvalidValueError: if there is no such metric.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        metric: str = "success",
        scale: tuple[float, float] = (0.0, 1.0),
        stream_names: Mapping[str, str] | None = None,
    ) -> None:
        if metric not in ("success", "score"):
            raise InvalidValueError(f"`metric` is 'success' or 'score', not {metric!r}")
        self.metric = metric
        self.scale = scale
        self.stream_names = dict(stream_names or {})
        self._rows: dict[Pair, list[Row]] = {}
        for row in rows:
            self._rows.setdefault((row["arm"], row["column"]), []).append(row)
        if not self._rows:
            raise DataError("No results: there is not one row; run the study first")
        self._matrices: dict[Pair, ScoreMatrix] = {}
        self._resamples: dict[tuple[Pair, tuple[int, ...]], Floats] = {}

    @classmethod
    def read(cls, out: Path, metric: str = "success") -> Results:
        """Return the results in the folder *out*."""
        return cls(read_episodes(out), metric)

    def without(self, arms: Collection[str]) -> Results:
        """Return the results without the rows of *arms*.

        Raises:
            DataError: if nothing is left.
        """
        rows = [row for (arm, _), part in self._rows.items() if arm not in arms for row in part]
        return Results(rows, self.metric, self.scale, self.stream_names)

    @property
    def pairs(self) -> list[Pair]:
        """Every arm and column that has rows."""
        return list(self._rows)

    def has(self, *pairs: Pair) -> bool:
        """Return whether all *pairs* have rows, of at least one common seed."""
        return all(pair in self._rows for pair in pairs) and bool(self._common_seeds(pairs))

    def rows(self, arm: str, column: str) -> list[Row]:
        """Return the rows of *arm* on *column*, of all seeds.

        Raises:
            DataError: if there are none.
        """
        if (arm, column) not in self._rows:
            raise DataError(f"{arm!r} was not tested on {column!r}")
        return self._rows[arm, column]

    def scores(self, arm: str, column: str) -> ScoreMatrix:
        """Return the matrix of *arm* on *column*.

        Raises:
            DataError: if its seeds were not tested on the same tasks.
        """
        if (arm, column) not in self._matrices:
            self._matrices[arm, column] = _score_matrix(self.rows(arm, column), self.metric)
        return self._matrices[arm, column]

    def rate(self, arm: str, column: str) -> Estimate:
        """Return the mean of *arm* on *column*: avg@k, where k is the number of samples.

        Wilson's interval over the tasks, and with three seeds or more the wider one of that and
        the resamples of seeds and tasks.
        """
        matrix = self.scores(arm, column)
        value = float(matrix.values_ST.mean())
        tasks, seeds = len(matrix.tasks), len(matrix.seeds)
        low, high = wilson(value, tasks)
        if seeds >= SEEDS_TO_RESAMPLE:
            bootstrap_low, bootstrap_high = interval(self._means_R((arm, column), matrix.seeds))
            low, high = min(low, bootstrap_low), max(high, bootstrap_high)
        return Estimate(value, max(0.0, low), min(1.0, high), tasks, seeds)

    def pass_rate(self, arm: str, column: str, k: int, *, every: bool = False) -> float:
        """Return unbiased pass@k, or with *every* pass^k, over seeds and tasks."""
        counts: Counter[tuple[int, str]] = Counter()
        wins: Counter[tuple[int, str]] = Counter()
        for row in self.rows(arm, column):
            counts[row["seed"], row["task_id"]] += 1
            wins[row["seed"], row["task_id"]] += bool(row["success"])
        estimator = pass_power_k if every else pass_at_k
        return float(np.mean([estimator(n, wins[key], k) for key, n in counts.items()]))

    def gain(self, arm: str, column: str, over: str = BASE) -> Estimate:
        """Return how much *arm* gained over another arm on *column*, paired by seed and task."""
        pairs = [(arm, column), (over, column)]
        return self.combine(pairs, lambda m: m[0] - m[1], self._reach)

    def mean_gain(
        self,
        arm: str,
        columns: Sequence[str],
        over: str = BASE,
        *,
        confidence: float = CONFIDENCE,
    ) -> Estimate:
        """Return the mean gain of *arm* over *columns*."""
        pairs = [(arm, column) for column in columns]
        return self.mean_gain_of(pairs, over, confidence=confidence)

    def mean_gain_of(
        self, pairs: Sequence[Pair], over: str = BASE, *, confidence: float = CONFIDENCE
    ) -> Estimate:
        """Return the mean gain of *pairs*, which may be of several arms."""
        number = len(pairs)
        # The other arm has a column once for each arm that is compared with it there.
        compared = [*pairs, *((over, column) for _, column in pairs)]

        def mean_difference(m: Floats) -> Any:  # noqa: ANN401
            return m[:number].mean(axis=0) - m[number:].mean(axis=0)

        return self.combine(compared, mean_difference, self._reach, confidence=confidence)

    def least_mean_gain(self, gains: Sequence[tuple[str, Sequence[str], str]]) -> Estimate:
        """Return the least of several mean gains, with the interval of the least true one.

        The least observed one is below the least true one by chance, the more so the more there
        are, so it does not have the interval of a gain that was chosen beforehand. The lower end is
        the lowest of all 95 % intervals: it is below the least true gain if its own interval is
        right. The upper end is the lowest of all with Bonferroni's adjustment: it is above the
        least true gain if all of them are right.

        Args:
            gains: For each the arm, its columns, and the arm over which it gained.
        """
        adjusted = 1 - (1 - CONFIDENCE) / len(gains)
        plain = [self.mean_gain(*gain) for gain in gains]
        wide = [self.mean_gain(*gain, confidence=adjusted) for gain in gains]
        return replace(
            min(plain, key=lambda gain: gain.value),
            low=min(gain.low for gain in plain),
            high=min(gain.high for gain in wide),
            seeds=min(gain.seeds for gain in plain),
            p=1.0,
        )

    def with_common_seeds(self, pairs: Sequence[Pair], over: str = BASE) -> list[Pair]:
        """Return those of *pairs* whose gains over another arm can be averaged.

        All, if they have three seeds in common or the same seeds. Else some trainings or tests are
        missing: those that have the seeds which most of them have, of three or more if any has.
        """
        seeds = {pair: self._common_seeds([pair, (over, pair[1])]) for pair in pairs}
        if not pairs or len(set.intersection(*map(set, seeds.values()))) >= SEEDS_TO_RESAMPLE:
            return list(pairs)
        counts = Counter(seeds.values())
        most = max(counts, key=lambda own: (len(own) >= SEEDS_TO_RESAMPLE, counts[own], len(own)))
        return [pair for pair in pairs if set(most) <= set(seeds[pair])]

    def transfer_gap(self, arm: str, held_in: Sequence[str], held_out: Sequence[str]) -> Estimate:
        """Return the mean gain on the columns *held_in* less that on the columns *held_out*."""
        columns = [*held_in, *held_out]
        pairs = [(name, column) for name in (arm, BASE) for column in columns]
        split, number = len(held_in), len(columns)

        def gap(m: Floats) -> Any:  # noqa: ANN401
            gains = m[:number] - m[number:]
            return gains[:split].mean(axis=0) - gains[split:].mean(axis=0)

        return self.combine(pairs, gap, 2 * self._reach)

    def sequence(
        self, arms: Sequence[str], columns: Sequence[str], metric: Callable[..., Floats]
    ) -> Estimate:
        """Return a metric of `agentgym_gen.study.analysis.metrics` of a sequence.

        Args:
            arms: The arm after each stage, from the first.
            columns: The column that each stage trained on, in the same order.
            metric: `backward_transfer`, `forward_transfer`, `forgetting` or `retention`.
        """
        tested = list(dict.fromkeys(columns))
        trained = [tested.index(column) for column in columns]
        pairs = [(arm, column) for arm in (BASE, *arms) for column in tested]
        shape = (len(arms) + 1, len(tested))

        def formula(m: Floats) -> Any:  # noqa: ANN401
            # Cells to a matrix R_ij, with the resamples as the leading axis that metrics expect;
            # means without resamples get a leading axis of 1, which is taken away again.
            stack = np.moveaxis(m.reshape(*shape, -1), -1, 0)
            values = metric(stack, trained)
            return values if m.ndim > 1 else values[0]

        return self.combine(pairs, formula)

    def transfer_ratio(self, arm: str, own: str, column: str) -> Estimate:
        """Return the gain of *arm* on *column* as a share of the gain of the arm *own*."""
        return self.combine([(arm, column), (own, column), (BASE, column)], _gain_ratio)

    def combine(
        self,
        pairs: Sequence[Pair],
        formula: Formula,
        reach: float = math.inf,
        *,
        confidence: float = CONFIDENCE,
    ) -> Estimate:
        """Return *formula* over the means of *pairs*, with the interval of its resamples.

        Args:
            pairs: Arms and columns.
            formula: From their means to a number.
            reach: The largest size that the number may have.
            confidence: The level of the interval.

        Raises:
            DataError: if a pair has no rows, or they have no seed in common.
        """
        value, values_R = self.resample(pairs, formula)
        sizes = self.sample_size(pairs)
        return estimate(value, values_R, *sizes, reach=reach, confidence=confidence)

    def sample_size(self, pairs: Sequence[Pair]) -> tuple[int, int]:
        """Return how many different tasks *pairs* have, and how many seeds in common."""
        tasks = {task for pair in pairs for task in self.scores(*pair).tasks}
        return len(tasks), len(self._common_seeds(pairs))

    @property
    def _reach(self) -> float:
        """The largest difference of two means."""
        return self.scale[1] - self.scale[0]

    def resample(self, pairs: Sequence[Pair], formula: Formula) -> tuple[float, Floats]:
        """Return *formula* over the means of *pairs*, and over each of their joint resamples."""
        missing = [pair for pair in pairs if pair not in self._rows]
        if missing:
            raise DataError(f"{missing[0][0]!r} was not tested on {missing[0][1]!r}")
        seeds = self._common_seeds(pairs)
        if not seeds:
            raise DataError(f"{sorted({arm for arm, _ in pairs})} have no training seed in common")
        means_N = np.array([self._values_ST(pair, seeds).mean() for pair in pairs])
        means_NR = np.stack([self._means_R(pair, seeds) for pair in pairs])
        return float(formula(means_N)), np.asarray(formula(means_NR))

    def gains_with_holm(self, pairs: Sequence[Pair]) -> dict[Pair, Estimate]:
        """Return the gain of each of *pairs*, its p adjusted for their number (Holm)."""
        gains = {pair: self.gain(*pair) for pair in pairs}
        adjusted = holm([estimate.p for estimate in gains.values()])
        return {
            pair: replace(estimate, p=p)
            for (pair, estimate), p in zip(gains.items(), adjusted, strict=True)
        }

    def average(self, arm: str, column: str, key: str) -> Estimate:
        """Return the mean of the number *key*, which is 0 or more, with its interval."""
        matrix = _score_matrix(self.rows(arm, column), key)
        scale = 0.0, float(matrix.values_ST.max())
        name = self._stream_name((arm, column))
        means_R = resampled_means(matrix.values_ST, matrix.tasks, name, scale)
        value = float(matrix.values_ST.mean())
        average = estimate(value, means_R, len(matrix.tasks), len(matrix.seeds))
        return replace(average, low=max(0.0, average.low))

    def invalid_rate(self, arm: str, column: str) -> float:
        """Return the share of turns whose action could not be carried out."""
        rows = self.rows(arm, column)
        turns = sum(int(row["turns"]) for row in rows)
        return sum(int(row["invalid_turns"]) for row in rows) / max(1, turns)

    def failure_counts(self, arm: str, column: str) -> Counter[str]:
        """Return how many episodes have each failure mode."""
        return Counter(mode for row in self.rows(arm, column) for mode in row["failures"])

    def _common_seeds(self, pairs: Iterable[Pair]) -> tuple[int, ...]:
        sets = [set(self.scores(*pair).seeds) for pair in pairs]
        return tuple(sorted(set.intersection(*sets))) if sets else ()

    def _values_ST(self, pair: Pair, seeds: tuple[int, ...]) -> Floats:
        """Return the matrix of *pair* with the rows of *seeds* only."""
        matrix = self.scores(*pair)
        return matrix.values_ST[[matrix.seeds.index(seed) for seed in seeds]]

    def _means_R(self, pair: Pair, seeds: tuple[int, ...]) -> Floats:
        """Return the resampled means of *pair*, computed once."""
        key = pair, seeds
        if key not in self._resamples:
            values_ST, tasks = self._values_ST(pair, seeds), self.scores(*pair).tasks
            name = self._stream_name(pair)
            self._resamples[key] = resampled_means(values_ST, tasks, name, self.scale)
        return self._resamples[key]

    def _stream_name(self, pair: Pair) -> str:
        arm, column = pair
        return f"{self.stream_names.get(arm, arm)} {column}"


def _gain_ratio(m: Floats) -> Any:  # noqa: ANN401
    """Return ``(m[0] - m[2]) / (m[1] - m[2])``; not a number where the second gained nothing."""
    gain, own_gain = m[0] - m[2], m[1] - m[2]
    nan = np.full_like(np.asarray(own_gain), np.nan)
    return np.divide(gain, own_gain, out=nan, where=own_gain > 0)


def _score_matrix(rows: Sequence[Row], metric: str) -> ScoreMatrix:
    values: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        values.setdefault((row["seed"], row["task_id"]), []).append(float(row[metric]))
    seeds = sorted({seed for seed, _ in values})
    tasks = sorted({task for _, task in values})
    if len(values) < len(seeds) * len(tasks):
        where = f"{rows[0]['arm']!r} on {rows[0]['column']!r}"
        raise DataError(f"The seeds of {where} were not tested on the same tasks")
    means = [[float(np.mean(values[seed, task])) for task in tasks] for seed in seeds]
    return ScoreMatrix(np.array(means), tuple(seeds), tuple(tasks))

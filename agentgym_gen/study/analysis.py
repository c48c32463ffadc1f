"""From rows to numbers with intervals. Reads rows only; imports no environment and no torch.

Intervals: Wilson (1927) for the success rate of a cell; for a gain, the percentile bootstrap of
the paired differences between trained and base model on the same tasks, resampled over seeds and
then over tasks within a seed. With fewer than three seeds only tasks are resampled: the interval
then covers evaluation noise, not that of training.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan import BASE

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEEDS_TO_RESAMPLE = 3
"""From how many seeds on a bootstrap resamples them."""

Row = dict[str, Any]
"""One episode as it was written."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and what it was computed from."""

    value: float
    low: float
    high: float
    n: int
    """How many episodes it rests on."""

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of every finished cell below *folder*.

    Raises:
        DataError: if there are none, or a line is no row.
    """
    rows: list[Row] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise DataError(f"Line {number} of {path} is not JSON: {error}") from error
    if not rows:
        raise DataError(f"No results in {folder}; run the study first")
    return rows


def select(rows: Iterable[Row], arm: str, column: str) -> list[Row]:
    """Return the rows of *arm* on *column*, of all seeds."""
    return [row for row in rows if row["arm"] == arm and row["column"] == column]


def success_rate(rows: Sequence[Row]) -> Estimate:
    """Return the share of *rows* that succeeded, with its Wilson interval."""
    try:
        from scipy.stats import binomtest
    except ImportError as error:
        raise missing_extra("scipy", "study", "The analysis") from error
    wins = sum(bool(row["success"]) for row in rows)
    interval = binomtest(wins, len(rows)).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(wins / len(rows), float(interval.low), float(interval.high), len(rows))


def mean(rows: Sequence[Row], key: str) -> float:
    """Return the mean of *key* over *rows*."""
    return float(np.mean([row[key] for row in rows]))


def invalid_rate(rows: Sequence[Row]) -> float:
    """Return the share of turns whose action could not be carried out."""
    turns = sum(int(row["turns"]) for row in rows)
    return sum(int(row["invalid_turns"]) for row in rows) / max(1, turns)


def differences(rows: Sequence[Row], arm: str, column: str) -> list[Floats]:
    """Return, for each seed, success of *arm* minus base per task (mean over samples)."""
    trained, base = (_by_task(select(rows, name, column)) for name in (arm, BASE))
    seeds = sorted({seed for seed, _ in trained})
    return [
        np.array([trained[key] - base[key] for key in sorted(trained) if key[0] == seed])
        for seed in seeds
    ]


def _by_task(rows: Sequence[Row]) -> dict[tuple[int, str], float]:
    successes: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        successes.setdefault((row["seed"], row["task_id"]), []).append(float(row["success"]))
    return {key: float(np.mean(values)) for key, values in successes.items()}


def gain(rows: Sequence[Row], arm: str, column: str) -> Estimate:
    """Return how much *arm* gained over the base on *column*."""
    per_seed = differences(rows, arm, column)
    draws = bootstrap(per_seed, stream("gain", arm, column))
    return estimate(float(np.mean([d.mean() for d in per_seed])), draws, _count(rows, arm, column))


def transfer_gap(rows: Sequence[Row], arm: str, held_in: str, held_out: Sequence[str]) -> Estimate:
    """Return the gain on *held_in* minus the mean gain on *held_out*."""
    inside = differences(rows, arm, held_in)
    outside = [differences(rows, arm, column) for column in held_out]
    point = _point(inside) - float(np.mean([_point(d) for d in outside]))
    draws = bootstrap(inside, stream("gain", arm, held_in)) - np.mean(
        [
            bootstrap(d, stream("gain", arm, column))
            for d, column in zip(outside, held_out, strict=True)
        ],
        axis=0,
    )
    return estimate(point, draws, sum(_count(rows, arm, c) for c in (held_in, *held_out)))


def _point(per_seed: Sequence[Floats]) -> float:
    return float(np.mean([d.mean() for d in per_seed]))


def _count(rows: Sequence[Row], arm: str, column: str) -> int:
    return len(select(rows, arm, column))


def bootstrap(per_seed: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Return `RESAMPLES` bootstrap means of *per_seed*, an array of task values per seed."""
    by_seed_SR = np.stack([_resampled_means(values, rng) for values in per_seed])  # noqa: N806
    number = len(per_seed)
    if number < SEEDS_TO_RESAMPLE:
        return np.asarray(by_seed_SR.mean(axis=0))
    drawn_SR = rng.integers(number, size=(number, RESAMPLES))  # noqa: N806
    return np.asarray(np.take_along_axis(by_seed_SR, drawn_SR, axis=0).mean(axis=0))


def _resampled_means(values: Floats, rng: np.random.Generator) -> Floats:
    drawn = rng.integers(len(values), size=(RESAMPLES, len(values)))
    return np.asarray(values[drawn].mean(axis=1))


def estimate(value: float, draws: Floats, n: int) -> Estimate:
    """Return *value* with the percentile interval of its bootstrap *draws*."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), n)

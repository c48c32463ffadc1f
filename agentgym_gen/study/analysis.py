"""From rows to numbers with intervals. Reads rows only; imports no environment and no torch.

Every model of a study plays the same tasks, so the values of a column are a matrix: training seeds
by tasks, each value the mean over a task's samples. Tasks are the unit of evaluation, seeds that
of training; samples of one task are not independent and are never counted as if they were.

- A success rate has Wilson's interval (Wilson 1927) with the number of *tasks* as its n. That is
  exact for one seed and one sample, and errs on the wide side with more.
- A gain has the percentile bootstrap of the differences to the base, paired by seed and task. Each
  resample draws tasks, the same for all seeds, and with three seeds or more also seeds, the same
  for all columns: one seed is one model. With fewer seeds the interval covers the noise of the
  evaluation, not that of training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from agentgym_gen.errors import DataError
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan import BASE, ROW_SCHEMA

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
    tasks: int
    """How many different tasks it rests on."""

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Differences:
    """What an arm changed on a column: success of the arm less that of the base."""

    values_ST: Floats  # noqa: N815  (the capitals name the axes)
    """One value per seed and task."""
    tasks: tuple[str, ...]
    """The ids of the tasks, in the order of the second axis."""

    @property
    def mean(self) -> float:
        """The mean over seeds and tasks."""
        return float(self.values_ST.mean())

    def bootstrap(self) -> Floats:
        """Return `RESAMPLES` resampled means.

        Columns with the same tasks draw the same ones, and all columns the same seeds.
        """
        seeds, tasks = self.values_ST.shape
        drawn_RT = stream("bootstrap tasks", *self.tasks).integers(tasks, size=(RESAMPLES, tasks))  # noqa: N806
        means_SR = np.stack([row[drawn_RT].mean(axis=1) for row in self.values_ST])  # noqa: N806
        if seeds < SEEDS_TO_RESAMPLE:
            return np.asarray(means_SR.mean(axis=0))
        drawn_SR = stream("bootstrap seeds", seeds).integers(seeds, size=(seeds, RESAMPLES))  # noqa: N806
        return np.asarray(np.take_along_axis(means_SR, drawn_SR, axis=0).mean(axis=0))


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of every finished cell in *folder*.

    Raises:
        DataError: if there are none, or a line is no row of this schema.
    """
    rows: list[Row] = []
    for path in sorted(folder.glob("*.jsonl")):
        rows += read_cell(path)
    if not rows:
        raise DataError(f"No results in {folder}; run the study first")
    return rows


def read_cell(path: Path) -> list[Row]:
    """Return the rows of the cell file *path*.

    Raises:
        DataError: if it cannot be read, or a line is no row of this schema.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read {path}: {error}") from error
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"Line {number} of {path} is not JSON: {error}") from error
        if not isinstance(row, dict) or row.get("schema") != ROW_SCHEMA:
            raise DataError(f"Line {number} of {path} is not a row of schema {ROW_SCHEMA}")
        rows.append(row)
    return rows


def select(rows: Iterable[Row], arm: str, column: str) -> list[Row]:
    """Return the rows of *arm* on *column*, of all seeds."""
    return [row for row in rows if row["arm"] == arm and row["column"] == column]


def success_rate(rows: Sequence[Row]) -> Estimate:
    """Return the share of *rows* that succeeded, with Wilson's interval over their tasks."""
    tasks = len({row["task_id"] for row in rows})
    rate = sum(bool(row["success"]) for row in rows) / len(rows)
    return Estimate(rate, *wilson(rate, tasks), tasks)


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % score interval of *rate* observed in *n* trials.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    >>> [round(end, 4) for end in wilson(0.8, 10)]
    [0.4902, 0.9433]
    """
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    centre = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def mean(rows: Sequence[Row], key: str) -> float:
    """Return the mean of *key* over *rows*."""
    return float(np.mean([row[key] for row in rows]))


def invalid_rate(rows: Sequence[Row]) -> float:
    """Return the share of turns whose action could not be carried out."""
    turns = sum(int(row["turns"]) for row in rows)
    return sum(int(row["invalid_turns"]) for row in rows) / max(1, turns)


def differences(rows: Sequence[Row], arm: str, column: str) -> Differences:
    """Return success of *arm* less that of the base on *column*, by seed and task.

    Raises:
        DataError: if the two were not tested on the same tasks with the same seeds.
    """
    trained, base = (_by_seed_and_task(select(rows, name, column)) for name in (arm, BASE))
    if not trained or set(trained) != set(base):
        raise DataError(f"{arm!r} and {BASE!r} were not tested on the same tasks of {column!r}")
    seeds = sorted({seed for seed, _ in trained})
    tasks = sorted({task for _, task in trained})
    values = [[trained[seed, task] - base[seed, task] for task in tasks] for seed in seeds]
    return Differences(np.array(values), tuple(tasks))


def _by_seed_and_task(rows: Sequence[Row]) -> dict[tuple[int, str], float]:
    successes: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        successes.setdefault((row["seed"], row["task_id"]), []).append(float(row["success"]))
    return {key: float(np.mean(values)) for key, values in successes.items()}


def gain(rows: Sequence[Row], arm: str, column: str) -> Estimate:
    """Return how much *arm* gained over the base on *column*."""
    found = differences(rows, arm, column)
    return _estimate(found.mean, found.bootstrap(), len(found.tasks))


def transfer_gap(
    rows: Sequence[Row], arm: str, held_in: Sequence[str], held_out: Sequence[str]
) -> Estimate:
    """Return the mean gain on the columns *held_in* less that on the columns *held_out*."""
    inside, outside = (
        [differences(rows, arm, column) for column in columns] for columns in (held_in, held_out)
    )
    value = np.mean([d.mean for d in inside]) - np.mean([d.mean for d in outside])
    draws = np.mean([d.bootstrap() for d in inside], axis=0) - np.mean(
        [d.bootstrap() for d in outside], axis=0
    )
    tasks = {task for d in (*inside, *outside) for task in d.tasks}
    return _estimate(float(value), np.asarray(draws), len(tasks))


def _estimate(value: float, draws: Floats, tasks: int) -> Estimate:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), tasks)

"""What a training watches: actions that become invalid, a sampler that drifts, steps without use.

Each is a function of the rows of the log, so that a training that resumes decides as one without a
break does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agentgym_gen.trainers.callbacks import LogRow

WINDOW = 20
"""Over how many rows the moving average of the share of valid actions is taken."""

LATEST = 12
"""How many rows, at most, are averaged to be compared with it."""

NOISE, NOISE_ROWS = 0.16, 4
"""The deviation of the share between steps that is assumed at first, and how many rows it counts as
beside those that are measured."""

DEVIATIONS = 4.5
"""A fall counts if it is so many standard errors large, too. Of 100 simulated trainings of 100
steps whose shares vary by 0.15 this stops 2, and 8 where they vary by 0.25."""

GONE = 2
"""From so many rows without a single valid action on, no chance is allowed for."""

PERSISTENT = 3
"""How many updates in a row with a large sampler gap end a training, and how many steps in a row
without an update are reported."""

CUT = 0.5
"""From this share of truncated turns on, the limit of new tokens is the likely cause."""

VALID = "valid"


def collapsed(history: Sequence[LogRow], row: LogRow, max_drop: float) -> str | None:
    """Return the environment whose actions have become invalid, if there is one.

    Each environment is compared with its own moving average, at its highest: mixtures change, and
    some environments are harder to act in. The mean of the latest 1 to `LATEST` rows has to be
    below it by *max_drop*, and by `DEVIATIONS` standard errors unless no action was valid, so that
    neither a sudden nor a slow fall is missed, and a single hard task is none.

    Args:
        history: The rows before.
        row: The row of this step.
        max_drop: The fall that counts.
    """
    return next((env_id for env_id in _env_ids(row) if _fell(history, row, env_id, max_drop)), None)


def suspicious(history: Sequence[LogRow], row: LogRow, max_drop: float) -> bool:
    """Return whether *row* alone may be the beginning of a collapse."""
    return any(
        past and row[f"{env_id}/{VALID}"] < _best_average(past) - max_drop
        for env_id in _env_ids(row)
        for past in [_shares(history, env_id)]
    )


def _fell(history: Sequence[LogRow], row: LogRow, env_id: str, max_drop: float) -> bool:
    shares = [*_shares(history, env_id), float(row[f"{env_id}/{VALID}"])]
    for count in range(1, min(LATEST, len(shares) - 1) + 1):
        before, latest = shares[:-count], shares[-count:]
        # that of the difference between a mean of `count` rows and one of the moving average
        standard_error = _noise(before) * (1 / count + 1 / min(WINDOW, len(before))) ** 0.5
        is_gone = count >= GONE and not any(latest)
        fall = max_drop if is_gone else max(max_drop, DEVIATIONS * standard_error)
        if float(np.mean(latest)) < _best_average(before) - fall:
            return True
    return False


def _env_ids(row: LogRow) -> list[str]:
    keys = (key.rpartition("/") for key in row)
    return [env_id for env_id, slash, name in keys if slash and name == VALID and env_id != "eval"]


def _shares(history: Sequence[LogRow], env_id: str) -> list[float]:
    rows = (row.get(f"{env_id}/{VALID}") for row in history)
    return [float(share) for share in rows if share is not None]


def _best_average(past: Sequence[float]) -> float:
    ends = range(min(WINDOW, len(past)), len(past) + 1)
    return max(float(np.mean(past[max(0, end - WINDOW) : end])) for end in ends)


def _noise(past: Sequence[float]) -> float:
    """Return the deviation between steps, from their differences, which no trend disturbs."""
    squares = np.diff(past) ** 2 / 2
    assumed = NOISE_ROWS * NOISE**2
    return float(np.sqrt((assumed + squares.sum()) / (NOISE_ROWS + len(squares))))


def gap_persists(history: Sequence[LogRow], row: LogRow, max_gap: float) -> bool:
    """Return whether this update and those before it had a sampler gap above *max_gap*."""
    gaps = [past["sampler_gap"] for past in (*history, row) if "sampler_gap" in past]
    return len(gaps) >= PERSISTENT and all(gap > max_gap for gap in gaps[-PERSISTENT:])


def idle_cause(rows: Sequence[LogRow]) -> str:
    """Return why the steps of *rows* made no update, and what helps."""
    mean = {
        key: float(np.mean([row[key] for row in rows]))
        for key in ("truncated_turns", VALID, "success")
    }
    return _cause(mean)


def _cause(mean: dict[str, Any]) -> str:
    if mean["truncated_turns"] > CUT:
        return (
            f"{mean['truncated_turns']:.0%} of the answers were cut; raise `max_new_tokens`, or "
            "show the model how to end an answer (a warm start)"
        )
    if mean[VALID] == 0:
        return "no action was valid; begin with a warm start, or take another prompt format"
    if mean["success"] == 1:
        return "all episodes were won; take harder tasks"
    if mean["success"] == 0:
        return (
            "all episodes were lost; begin with a warm start, take easier tasks, or reward parts "
            "of the way (`reward='score'`, `valid_coef`)"
        )
    return (
        "the episodes of each task had equal rewards; raise `num_generations` or `tasks_per_step`"
    )

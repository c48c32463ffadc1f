"""The best evaluation so far, and when there is no hope of a better one: functions of the log.

So a training that resumes decides as one without a break does.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.trainers.callbacks import LogRow

__all__ = ["best_step", "evaluations", "is_exhausted"]


def evaluations(history: Sequence[LogRow], metric: str) -> list[tuple[int, float]]:
    """Return the step and the value of *metric* of each evaluation in *history*."""
    key = f"eval/{metric}"
    return [(int(row["step"]), float(row[key])) for row in history if key in row]


def best_step(history: Sequence[LogRow], metric: str) -> int | None:
    """Return the step with the highest *metric*, of equal ones the first; None without any."""
    values = evaluations(history, metric)
    return max(values, key=lambda pair: pair[1])[0] if values else None


def is_exhausted(history: Sequence[LogRow], metric: str, patience: int) -> bool:
    """Return whether the last *patience* evaluations were not better than the best before them."""
    steps = [step for step, _ in evaluations(history, metric)]
    best = best_step(history, metric)
    return bool(patience) and best is not None and len(steps) - 1 - steps.index(best) >= patience

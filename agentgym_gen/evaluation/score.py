"""The numbers of an evaluation: a line for each environment and interface, and one for all.

A rate has Wilson's interval over tasks, since the samples of a task are not independent. The mean
over environments weighs each environment and tier alike; what is played through several interfaces
counts as the mean over these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agentgym_gen.errors import DataError
from agentgym_gen.evaluation.results import Column, Evaluation
from agentgym_gen.ids import EnvId
from agentgym_gen.study.analysis.statistics import Estimate, wilson
from agentgym_gen.study.results.rows import Row

__all__ = ["UNANSWERED", "ColumnScore", "column_scores", "mean_score", "score_line"]

UNANSWERED = "policy_error"
"""The end of an episode for which the model, or its server, gave no answer."""

MOSTLY_INVALID = 0.9
"""The share of invalid actions above which the prompt is suspected."""


@dataclass(frozen=True)
class ColumnScore:
    """How a model did in an environment through an interface."""

    column: Column
    """The environment and the interface."""
    success: Estimate
    """The share of tasks that were solved: the mean over samples, then over tasks."""
    score: float
    """The mean score, 0 to 1."""
    turns: float
    """The mean number of turns."""
    invalid: float
    """The share of turns whose action could not be carried out."""
    episodes: int
    """How many episodes were played."""
    unanswered: int
    """How many of them ended because no answer came; they count as failures."""
    task_ids: frozenset[str]
    """The ids of the tasks."""

    @property
    def environment(self) -> str:
        """The name of the environment, with its options: ``ALFWorld, task_type=heat``."""
        parsed = EnvId.parse(self.column.env_id)
        return ", ".join([parsed.name, *(f"{key}={value}" for key, value in parsed.query)])

    @property
    def tier(self) -> str:
        """The tier, or ``all``."""
        return EnvId.parse(self.column.env_id).tier or "all"


def column_scores(evaluation: Evaluation) -> list[ColumnScore]:
    """Return the scores of every column that has episodes, in the order of the columns."""
    by_column: dict[str, list[Row]] = {}
    for row in evaluation.rows():
        by_column.setdefault(row["column"], []).append(row)
    return [
        _score(column, by_column[column.name])
        for column in evaluation.columns
        if column.name in by_column
    ]


def _score(column: Column, rows: Sequence[Row]) -> ColumnScore:
    turns = sum(row["turns"] for row in rows)
    rates = _task_means(rows, "success")
    rate = sum(rates) / len(rates)
    scores = _task_means(rows, "score")
    return ColumnScore(
        column=column,
        success=Estimate(rate, *wilson(rate, len(rates)), len(rates)),
        score=sum(scores) / len(scores),
        turns=turns / len(rows),
        invalid=sum(row["invalid_turns"] for row in rows) / max(1, turns),
        episodes=len(rows),
        unanswered=sum(row["end_reason"] == UNANSWERED for row in rows),
        task_ids=frozenset(row["task_id"] for row in rows),
    )


def _task_means(rows: Sequence[Row], key: str) -> list[float]:
    """Return the mean of *key* over the samples of each task."""
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row["task_id"], []).append(float(row[key]))
    return [sum(samples) / len(samples) for samples in values.values()]


def mean_score(scores: Sequence[ColumnScore]) -> Estimate:
    """Return the mean success over environments and tiers, each with the same weight.

    The interval is Wilson's for the number of tasks n that the mean p is worth: n = p (1 - p) / v
    for the variance v of the mean, and no more than there are different tasks. Column c has the
    weight w, n_c tasks and the deviation s = sqrt(p_c (1 - p_c) / n_c), where p_c has one success
    and one failure more than were seen, so that none is sure. Two columns vary together as far as
    they have the same tasks: v is the sum of w_c w_d s_c s_d m_cd / sqrt(n_c n_d) over all c and d,
    for m_cd common tasks. Where all columns have other tasks, as many and as hard ones, n is their
    sum.

    Raises:
        DataError: if nothing was played.
    """
    groups: dict[str, list[ColumnScore]] = {}
    for score in scores:
        groups.setdefault(score.column.env_id, []).append(score)
    if not groups:
        raise DataError("Nothing was played yet, so there is no score")
    weights = [1 / (len(groups) * len(groups[score.column.env_id])) for score in scores]
    mean = sum(w * score.success.value for w, score in zip(weights, scores, strict=True))
    mean = min(1.0, mean)  # a sum of weights that add up to 1 may be a little more
    tasks = len(frozenset[str]().union(*(score.task_ids for score in scores)))
    return Estimate(mean, *wilson(mean, min(tasks, _worth(scores, weights))), tasks)


def _worth(scores: Sequence[ColumnScore], weights: Sequence[float]) -> float:
    """Return how many tasks the weighted mean of *scores* is worth; see `mean_score`."""
    sizes = [len(score.task_ids) for score in scores]
    rates = [(s.success.value * n + 1) / (n + 2) for s, n in zip(scores, sizes, strict=True)]
    parts = [
        (weight * math.sqrt(rate * (1 - rate)) / size, score.task_ids)
        for weight, rate, size, score in zip(weights, rates, sizes, scores, strict=True)
    ]
    variance = sum(a * b * len(first & second) for a, first in parts for b, second in parts)
    mean = sum(weight * rate for weight, rate in zip(weights, rates, strict=True))
    return mean * (1 - mean) / variance


def prompt_warning(scores: Sequence[ColumnScore]) -> str:
    """Return a sentence about environments in which nearly no action is valid, or nothing.

    A model that was trained with another prompt loses there for want of the form, and not of
    the ability.
    """
    names = [score.column.label for score in scores if score.invalid > MOSTLY_INVALID]
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f"More than {100 * MOSTLY_INVALID:.0f} % of the actions in {shown} could not be carried "
        "out: look at an episode with `agentgym-gen view`. The format, the reader, the window, the "
        "list of actions or the wording is perhaps not what the model was trained with"
    )


def score_line(evaluation: Evaluation) -> str:
    """Return the score as one line, with all that a reader needs to compare it.

    Raises:
        DataError: if nothing was played.
    """
    scores = column_scores(evaluation)
    mean = mean_score(scores)
    settings, record = evaluation.record["settings"], evaluation.record
    shots = f"{settings['shots']} shot{'s' * (settings['shots'] != 1)}, "
    window = "" if settings["window"] is None else f"window {settings['window']}, "
    limit = "" if settings["max_turns"] is None else f"{settings['max_turns']} turns at most, "
    progress = sum(score.episodes for score in scores), evaluation.number
    partly = "" if evaluation.complete else f" INCOMPLETE: {progress[0]} of {progress[1]} episodes;"
    unanswered = sum(score.unanswered for score in scores)
    if unanswered:
        partly += (
            f" WITHOUT AN ANSWER, counted as failures: {unanswered} of {progress[0]} episodes;"
        )
    return (
        f"{evaluation.label} on {_played(evaluation)}:{partly} success {100 * mean.value:.1f} % "
        f"[{100 * mean.low:.1f}, {100 * mean.high:.1f}], n = {mean.tasks} tasks "
        f"({settings['format']}, {settings['reader']} reader, {shots}{window}{limit}"
        f"temperature {settings['temperature']:g}, at most {settings['max_tokens']} tokens, "
        f"prompt {record['prompt_hash']}, agentgym-gen {record['version']})"
    )


def _played(evaluation: Evaluation) -> str:
    panel = evaluation.record.get("panel")
    if panel is None:
        names = list(dict.fromkeys(column.label for column in evaluation.columns))
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"{shown} ({evaluation.record['settings']['split']})"
    name = f"panel/{panel['name']} ({panel['hash']})"
    if not panel["left_out"]:
        return name
    absent = dict.fromkeys(EnvId.parse(env_id).name for env_id in panel["left_out"])
    return f"{name} WITHOUT {', '.join(absent)}, which is not the whole panel"

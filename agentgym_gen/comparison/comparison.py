"""What differs between models that played the same episodes, with intervals.

Every difference is a model less the base, which is the first model, paired by task. The intervals
are those of a study (``docs/decisions/0031-paired-intervals.md``). They are over tasks: a
difference says that these two models differ, not that the trainings that made them do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.comparison.columns import Group, PlayedColumn, groups
from agentgym_gen.comparison.inputs import ComparedModel, read_models
from agentgym_gen.comparison.probes import (
    TRAINING,
    Probe,
    consistency,
    generalization_gap,
    reliance,
)
from agentgym_gen.comparison.tables import TABLES
from agentgym_gen.errors import InvalidValueError, missing_extra, unknown_name
from agentgym_gen.study.analysis.analysis import Pair, Results
from agentgym_gen.study.analysis.statistics import Estimate, holm
from agentgym_gen.study.results.failures import MODES
from agentgym_gen.study.results.rows import Row

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

__all__ = ["BETTER", "NO_DIFFERENCE", "WORSE", "ChangedTask", "Comparison", "compare"]

BETTER = "better"
WORSE = "worse"
NO_DIFFERENCE = "no difference"

HELD_IN = "held in"
SAME_ENVIRONMENT = "held out, same environment"
OTHER_ENVIRONMENTS = "held out, other environments"
"""How a column stands to what a model was trained on."""

FailureModes = dict[str, tuple[float, float, Estimate]]
"""For each mode the share of the base's episodes, that of a model's, and the difference."""

LEVEL = 0.05
"""Below this p-value, adjusted by Holm, a difference is one."""


@dataclass(frozen=True)
class ChangedTask:
    """A task on which a model and the base differ."""

    column: str
    """The environment id with its interface."""
    task_id: str
    """The task."""
    base: float
    """The mean of the base over samples."""
    model: float
    """That of the model."""

    @property
    def change(self) -> float:
        """The model less the base."""
        return self.model - self.base


def compare(
    *folders: str | Path,
    names: Sequence[str] = (),
    trained_on: Sequence[str] = (),
    metric: str = "success",
    allow: Collection[str] = (),
) -> Comparison:
    """Return the comparison of the evaluations in *folders*, the base first.

    Args:
        folders: Folders that ``agentgym-gen eval`` wrote. Those of one model with different splits
            or columns are one model; the training split is for the *generalization gap* only.
        names: A name for each model; none takes their labels, or the names of the folders.
        trained_on: Ids or patterns of environments that all models but the base were trained on, or
            ``NAME=PATTERN`` for one of them.
        metric: ``success`` or ``score``.
        allow: Settings that may differ, such as ``temperature``, or ``version``.

    Raises:
        DataError: if a folder holds no evaluation, they were not played alike, or share no episode.
        InvalidValueError: if there are fewer than two models, or a pattern matches no column.
    """
    models, notes = read_models(folders, names=names, allow=allow)
    return Comparison(models, notes=notes, trained_on=trained_on, metric=metric)


class Comparison:
    """The differences between models, in numbers.

    Args:
        models: The models, the base first, with rows of the same episodes.
        notes: Sentences that have to be known beside the numbers.
        trained_on: See `compare`.
        metric: ``success`` or ``score``.

    Raises:
        InvalidValueError: if there are fewer than two models, or a pattern matches no column.
    """

    def __init__(
        self,
        models: Sequence[ComparedModel],
        *,
        notes: Iterable[str] = (),
        trained_on: Sequence[str] = (),
        metric: str = "success",
    ) -> None:
        if len(models) < 2:
            raise InvalidValueError(f"A comparison is of two models or more, not {len(models)}")
        self.models = tuple(models)
        """The models, the base first."""
        self.notes = tuple(notes)
        """Sentences that have to be known beside the numbers."""
        self.metric = metric
        """What is averaged."""
        rows = [row for model in models for row in model.rows]
        self.columns = tuple(
            PlayedColumn(name) for name in dict.fromkeys(r["column"] for r in rows)
        )
        """The columns that all models played."""
        # what a model is called must not move a number, nor which models stand beside it
        self._stream_names = dict.fromkeys((m.name for m in models[1:]), "model")
        self._stream_names[models[0].name] = "base"
        self.results = Results(
            [*rows, *_training_rows(models)], metric, stream_names=self._stream_names
        )
        """The analysis of the rows; the arms are the names of the models."""
        self._failure_modes: dict[str, FailureModes] = {}
        self._trained_on = _patterns(self.others, trained_on, self.columns)

    def __repr__(self) -> str:
        """Return the names of the models and how much they share."""
        return f"<Comparison of {', '.join(self.names)}: {self.tasks} tasks>"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models, the base first."""
        return tuple(model.name for model in self.models)

    @property
    def base(self) -> str:
        """The name of the base."""
        return self.models[0].name

    @property
    def others(self) -> tuple[str, ...]:
        """The names of the models beside the base."""
        return self.names[1:]

    @property
    def tasks(self) -> int:
        """How many different tasks are compared; one through two interfaces counts once."""
        return len({row["task_id"] for row in self.models[0].rows})

    @cached_property
    def overall(self) -> dict[str, Estimate]:
        """For each model beside the base the mean difference over columns, p adjusted by Holm."""
        names = [column.name for column in self.columns]
        return _with_holm({name: self.difference(name, names) for name in self.others})

    @cached_property
    def differences(self) -> dict[Pair, Estimate]:
        """The difference of each model on each column, p adjusted by Holm over all of them."""
        pairs = [(name, column.name) for name in self.others for column in self.columns]
        return _with_holm({pair: self.results.gain(*pair, over=self.base) for pair in pairs})

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The columns by environment, tier and interface axis."""
        return tuple(groups(self.columns))

    def verdict(self, name: str) -> str:
        """Return whether the model *name* is ``better`` or ``worse``, or ``no difference``."""
        difference = self.overall[name]
        if not difference.excludes_zero or difference.p >= LEVEL:
            return NO_DIFFERENCE
        return BETTER if difference.value > 0 else WORSE

    def sentence(self, name: str) -> str:
        """Return the verdict on the model *name* in a sentence."""
        e = self.overall[name]
        number = f"{100 * e.value:+.1f} points [{100 * e.low:+.1f}, {100 * e.high:+.1f}]"
        columns = f"{len(self.columns)} column{'s' if len(self.columns) > 1 else ''}"
        where = f"over {columns}, n = {self.tasks} tasks"
        if self.verdict(name) == NO_DIFFERENCE:
            verdict = "no difference that these tasks show"
        else:
            verdict = self.verdict(name)
        return f"{name} beside {self.base}: {verdict}, {number} {where}"

    def rate(self, name: str, columns: Sequence[str]) -> Estimate:
        """Return the mean of the model *name* over *columns*."""
        if len(columns) == 1:
            return self.results.rate(name, columns[0])
        pairs = [(name, column) for column in columns]
        rate = self.results.combine(pairs, lambda m: m.mean(axis=0))
        return replace(rate, low=max(0.0, rate.low), high=min(1.0, rate.high))

    def difference(self, name: str, columns: Sequence[str]) -> Estimate:
        """Return the mean difference of the model *name* over *columns*, not adjusted."""
        return self.results.mean_gain(name, columns, over=self.base)

    def held(self, name: str) -> list[Group]:
        """Return the columns that the model *name* was trained on, and the others in two groups.

        There are no groups if nothing says what it was trained on.
        """
        patterns = self._trained_on.get(name, ())
        if not patterns:
            return []
        held_in = [c for c in self.columns if any(fnmatchcase(c.name, p) for p in patterns)]
        environments = {column.environment for column in held_in}
        parts: dict[str, list[str]] = {HELD_IN: [column.name for column in held_in]}
        for column in self.columns:
            if column not in held_in:
                is_same = column.environment in environments
                part = SAME_ENVIRONMENT if is_same else OTHER_ENVIRONMENTS
                parts.setdefault(part, []).append(column.name)
        return [Group("training", part, tuple(names)) for part, names in parts.items()]

    def failure_modes(self, name: str) -> FailureModes:
        """Return the share of episodes with each failure mode: the base's, the model's, and more.

        The third is the mean difference over columns; modes that neither has are left out.
        """
        if name not in self._failure_modes:
            self._failure_modes[name] = self._count_failure_modes(name)
        return self._failure_modes[name]

    def _count_failure_modes(self, name: str) -> FailureModes:
        columns = [column.name for column in self.columns]
        shares: FailureModes = {}
        for mode in MODES:
            rows = [
                {**row, "success": mode in row["failures"]}
                for model in self.models
                if model.name in (self.base, name)
                for row in model.rows
            ]
            if any(row["success"] for row in rows):
                results = Results(rows, stream_names=self._stream_names)
                base, own = (
                    sum(results.scores(arm, c).values_ST.mean() for c in columns) / len(columns)
                    for arm in (self.base, name)
                )
                more = results.mean_gain(name, columns, over=self.base)
                shares[mode] = (float(base), float(own), more)
        return shares

    def changed_tasks(self, name: str) -> list[ChangedTask]:
        """Return the tasks on which the model *name* differs, the largest changes first."""
        changed = []
        for column in self.columns:
            before, after = (self.results.scores(arm, column.name) for arm in (self.base, name))
            for place, task in enumerate(before.tasks):
                values = float(before.values_ST[0, place]), float(after.values_ST[0, place])
                if values[0] != values[1]:
                    changed.append(ChangedTask(column.name, task, *values))
        return sorted(changed, key=lambda task: -abs(task.change))

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """The probes of every model, as far as what was played allows them."""
        return tuple(probe for name in self.names for probe in self._probes(name))

    def _probes(self, name: str) -> Iterator[Probe]:
        yield from generalization_gap(self.results, self.columns, name, self.base)
        yield from consistency(self.results, self.columns, name)
        yield from reliance(self.results, self.columns, name, self.base)

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers as plain data, for JSON."""
        return {
            "base": self.base,
            "models": list(self.names),
            "metric": self.metric,
            "tasks": self.tasks,
            "columns": [column.name for column in self.columns],
            "notes": list(self.notes),
            **{name: make(self) for name, make in TABLES.items()},
        }

    def frame(self, table: str = "differences") -> pd.DataFrame:
        """Return a table of numbers as a data frame.

        Args:
            table: ``overall``, ``rates``, ``differences``, ``groups``, ``probes``,
                ``failure_modes`` or ``changed_tasks``.

        Raises:
            UnknownNameError: if there is no such table.
            MissingExtraError: if pandas is not installed.
        """
        if table not in TABLES:
            raise unknown_name("table", table, TABLES)
        try:
            import pandas as pd
        except ImportError as error:
            raise missing_extra("pandas", "study", "A data frame") from error
        return pd.DataFrame(TABLES[table](self))


def _with_holm(estimates: Mapping[Any, Estimate]) -> dict[Any, Estimate]:
    adjusted = holm([e.p for e in estimates.values()])
    return {key: replace(e, p=p) for (key, e), p in zip(estimates.items(), adjusted, strict=True)}


def _training_rows(models: Sequence[ComparedModel]) -> Iterator[Row]:
    """Yield the rows of training tasks, in columns of their own."""
    for model in models:
        for row in model.training_rows:
            yield {**row, "column": row["column"] + TRAINING}


def _patterns(
    names: Sequence[str], trained_on: Sequence[str], columns: Sequence[PlayedColumn]
) -> dict[str, tuple[str, ...]]:
    """Return what each of *names* was trained on.

    Raises:
        InvalidValueError: if a pattern matches none of *columns*.
    """
    by_name: dict[str, tuple[str, ...]] = {}
    for text in trained_on:
        name, equals, pattern = text.partition("=")
        is_of_one = bool(equals) and name in names
        pattern = pattern if is_of_one else text
        if not any(fnmatchcase(column.name, pattern) for column in columns):
            labels = ", ".join(column.name for column in columns)
            raise InvalidValueError(
                f"Nothing that was played matches {pattern!r}, so nothing is held in; the columns "
                f"are {labels}"
            )
        for own in [name] if is_of_one else names:
            by_name[own] = (*by_name.get(own, ()), pattern)
    return by_name

"""Three probes of what a mean hides: the *generalization gap*, *consistency* and *reliance*.

The formulas are in ``docs/compare.md``. Each is a number of one model with an interval, and, where
that is a difference, also the number of the model less that of the base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.comparison.columns import PlayedColumn
from agentgym_gen.interface import Interface
from agentgym_gen.study.analysis.analysis import Pair, Results
from agentgym_gen.study.analysis.descriptors import lists_actions
from agentgym_gen.study.analysis.statistics import Estimate, Floats, effective_number, wilson
from agentgym_gen.study.results.rows import Row

__all__ = ["RELIANCE", "TRAINING", "Probe", "consistency", "generalization_gap", "reliance"]

TRAINING = " (training tasks)"
"""What follows the name of a column whose tasks are of the training split."""

RELIANCE: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "without the list": ({"listing": "never"}, {"listing": "always"}),
    "with synonyms of the verbs": ({"wording": "synonyms"}, {"wording": "native"}),
    "with meaningless verbs": ({"wording": "symbols"}, {"wording": "native"}),
    "with renamed things": ({"names": "renamed"}, {"names": "native"}),
}
"""What a model may rely on: the axis of the shifted interface, and of the one it is compared to."""


@dataclass(frozen=True)
class Probe:
    """A probe of one model."""

    kind: str
    """``generalization gap``, ``consistency`` or ``reliance``."""
    name: str
    """Of what: all columns, a shift of the interface, or what the model may rely on."""
    model: str
    """The name of the model."""
    value: Estimate
    """Its number, with the number of tasks."""
    beside_base: Estimate | None = None
    """Its number less that of the base; None for the base, and for *consistency*."""
    columns: int = 1
    """Over how many columns, or pairs of columns, it is a mean."""


def generalization_gap(
    results: Results, columns: Sequence[PlayedColumn], model: str, base: str
) -> Iterator[Probe]:
    """Yield success on training tasks less success on the other tasks of the same columns.

    The tasks of the two are different ones, so they are not paired.
    """
    pairs = [
        (column.name + TRAINING, column.name)
        for column in columns
        if results.has((model, column.name + TRAINING), (model, column.name))
    ]
    yield from _mean_of_differences(
        "generalization gap", "all columns", results, pairs, model, base
    )


def reliance(
    results: Results, columns: Sequence[PlayedColumn], model: str, base: str
) -> Iterator[Probe]:
    """Yield the success that is lost without the list, with renamed verbs, with renamed things.

    Of two interfaces only the tasks count that were played through both.
    """
    for name, (shifted, reference) in RELIANCE.items():
        pairs = list(_interface_pairs(columns, shifted, reference))
        shared = _on_shared_tasks(results, pairs, {model, base})
        if shared is not None:
            yield from _mean_of_differences("reliance", name, *shared, model, base)


def _on_shared_tasks(
    results: Results, pairs: Sequence[tuple[str, str]], arms: Collection[str]
) -> tuple[Results, list[tuple[str, str]]] | None:
    """Return the results of the tasks that both columns of a pair have, and the pairs with any.

    A column has the number of its pair behind its name, since it may be in several. None where no
    pair is left.
    """
    rows: list[Row] = []
    kept: list[tuple[str, str]] = []
    for number, pair in enumerate(pairs):
        played = [
            row for arm in sorted(arms) for column in pair for row in _rows(results, arm, column)
        ]
        tasks = [{row["task_id"] for row in played if row["column"] == column} for column in pair]
        named = [
            {**row, "column": f"{row['column']} {number}"}
            for row in played
            if row["task_id"] in set.intersection(*tasks)
        ]
        rows += named
        kept += [(f"{pair[0]} {number}", f"{pair[1]} {number}")] if named else []
    if not kept:
        return None
    return Results(rows, results.metric, results.scale, results.stream_names), kept


def _rows(results: Results, arm: str, column: str) -> list[Row]:
    return results.rows(arm, column) if results.has((arm, column)) else []


def _interface_pairs(
    columns: Sequence[PlayedColumn], shifted: dict[str, object], reference: dict[str, object]
) -> Iterator[tuple[str, str]]:
    """Yield the columns of the same tasks whose interfaces differ by these values of an axis.

    The reference comes first. Where there is no column with the value of *reference*, the native
    one takes its place; without the list it does where the environment itself lists the actions.
    """
    by_interface: dict[tuple[str, Interface], list[PlayedColumn]] = {}
    for column in columns:
        if column.interface is not None:
            key = column.bare, _without_vocabulary(column.interface)
            by_interface.setdefault(key, []).append(column)
    (axis, value) = next(iter(shifted.items()))
    for (bare, interface), shifted_columns in by_interface.items():
        if getattr(interface, axis) != value:
            continue
        for changes in (reference, {axis: "native"}):
            others = [
                other
                for other in by_interface.get((bare, interface.replace(**changes)), ())
                if axis != "listing" or lists_actions(other.name)
            ]
            if others:
                for column in shifted_columns:
                    yield _with_vocabulary_of(column, others).name, column.name
                break


def _with_vocabulary_of(column: PlayedColumn, others: Sequence[PlayedColumn]) -> PlayedColumn:
    """Return the first of *others* that has the vocabulary of *column*, else the first of all."""
    same = (
        other
        for other in others
        if other.interface and column.interface
        if other.interface.vocabulary == column.interface.vocabulary
    )
    return next(same, others[0])


def _without_vocabulary(interface: Interface) -> Interface:
    return interface.replace(vocabulary=0)


def _mean_of_differences(
    kind: str,
    name: str,
    results: Results,
    pairs: Sequence[tuple[str, str]],
    model: str,
    base: str,
) -> Iterator[Probe]:
    """Yield the probe that is the mean over *pairs* of success on the first less on the second."""
    if not pairs:
        return
    number = len(pairs)

    def cells(arm: str) -> list[Pair]:
        return [(arm, first) for first, _ in pairs] + [(arm, second) for _, second in pairs]

    def lost(m: Floats) -> Floats:
        return np.asarray(m[:number].mean(axis=0) - m[number : 2 * number].mean(axis=0))

    value = results.combine(cells(model), lost, reach=1.0)
    more = None
    if model != base and results.has(*cells(base)):
        more = results.combine(
            [*cells(model), *cells(base)], lambda m: lost(m) - lost(m[2 * number :]), reach=2.0
        )
    yield Probe(kind, name, model, value, more, number)


def consistency(results: Results, columns: Sequence[PlayedColumn], model: str) -> Iterator[Probe]:
    """Yield, of the tasks won natively, the share won under each shift, and under all together.

    With several samples of a task also the share won when the native episode is played again: a
    model that wins by luck is not consistent with itself.
    """
    natives = {c.bare: c.name for c in columns if c.interface == Interface()}
    by_shift: dict[str, list[tuple[str, str]]] = {}
    for column in columns:
        native = natives.get(column.bare)
        if native is not None and native != column.name and column.interface is not None:
            by_shift.setdefault(str(column.interface), []).append((native, column.name))
    for shift, pairs in by_shift.items():
        yield from _agreement(results, model, shift, pairs)
    if len(by_shift) > 1:
        every = [pair for pairs in by_shift.values() for pair in pairs]
        yield from _agreement(results, model, "all shifts", every)
    yield from _repeated(results, model, natives.values())


def _agreement(
    results: Results, model: str, name: str, pairs: Sequence[tuple[str, str]]
) -> Iterator[Probe]:
    won: dict[tuple[str, str], float] = {}
    shifted: dict[tuple[str, str], list[float]] = {}
    for native, column in pairs:
        shares = _shares(results, model, column)
        for task, share in _shares(results, model, native).items():
            if task in shares:
                won[native, task] = share
                shifted.setdefault((native, task), []).append(shares[task])
    weights = np.array(list(won.values()))
    means = np.array([np.mean(shifted[key]) for key in won])
    yield from _weighted_share(model, name, weights, means, len(pairs))


def _repeated(results: Results, model: str, columns: Collection[str]) -> Iterator[Probe]:
    weights: list[float] = []
    shares: list[float] = []
    for column in columns:
        for outcomes in _outcomes(results, model, column).values():
            number, wins = len(outcomes), sum(outcomes)
            if number > 1:
                weights.append(wins / number)
                # The mean product of two different samples over the mean outcome: of 0 and 1 it
                # is the share of the other samples after a won one, which is unbiased.
                squares = sum(outcome**2 for outcome in outcomes)
                shares.append((wins**2 - squares) / (wins * (number - 1)) if wins else 0.0)
    if weights:
        name = "native, played again"
        yield from _weighted_share(model, name, np.array(weights), np.array(shares), len(columns))


def _weighted_share(
    model: str, name: str, weights: Floats, shares: Floats, columns: int
) -> Iterator[Probe]:
    """Yield the weighted mean, with Wilson's interval over Kish's effective number of tasks."""
    total = float(weights.sum())
    if not total:
        return
    value = float(weights @ shares) / total
    low, high = wilson(min(1.0, value), effective_number(weights))
    number = int((weights > 0).sum())
    estimate = Estimate(value, min(low, value), max(high, value), number)
    yield Probe("consistency", name, model, estimate, None, columns)


def _shares(results: Results, model: str, column: str) -> dict[str, float]:
    """Return the mean of each task."""
    matrix = results.scores(model, column)
    return dict(zip(matrix.tasks, matrix.values_ST[0].tolist(), strict=True))


def _outcomes(results: Results, model: str, column: str) -> dict[str, list[float]]:
    """Return the values of the samples of each task."""
    outcomes: dict[str, list[float]] = {}
    for row in results.rows(model, column):
        outcomes.setdefault(row["task_id"], []).append(float(row[results.metric]))
    return outcomes

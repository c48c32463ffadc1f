"""The numbers of a comparison as lists of plain rows, for JSON and data frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentgym_gen.study.analysis.statistics import Estimate

if TYPE_CHECKING:
    from agentgym_gen.comparison.comparison import Comparison

__all__ = ["TABLES"]

Rows = list[dict[str, Any]]


def _numbers(e: Estimate) -> dict[str, float | int]:
    return {"value": e.value, "low": e.low, "high": e.high, "tasks": e.tasks}


def _overall(comparison: Comparison) -> Rows:
    return [
        {"model": name, "verdict": comparison.verdict(name), **_numbers(e), "p_holm": e.p}
        for name, e in comparison.overall.items()
    ]


def _rates(comparison: Comparison) -> Rows:
    results = comparison.results
    return [
        {"model": name, "column": column.name, **_numbers(results.rate(name, column.name))}
        for name in comparison.names
        for column in comparison.columns
    ]


def _differences(comparison: Comparison) -> Rows:
    return [
        {"model": name, "column": column, **_numbers(e), "p_holm": e.p}
        for (name, column), e in comparison.differences.items()
    ]


def _groups(comparison: Comparison) -> Rows:
    return [
        {
            "model": name,
            "kind": group.kind,
            "group": group.name,
            **_numbers(comparison.difference(name, group.columns)),
        }
        for name in comparison.others
        for group in (*comparison.groups, *comparison.held(name))
    ]


def _probes(comparison: Comparison) -> Rows:
    rows = []
    for probe in comparison.probes:
        more = probe.beside_base
        row: dict[str, Any] = {"kind": probe.kind, "name": probe.name, "model": probe.model}
        row |= _numbers(probe.value)
        row |= {f"{key}_beside_base": getattr(more, key, None) for key in ("value", "low", "high")}
        rows.append(row)
    return rows


def _failure_modes(comparison: Comparison) -> Rows:
    return [
        {"model": name, "mode": mode, "base": base, "share": own, **_numbers(more)}
        for name in comparison.others
        for mode, (base, own, more) in comparison.failure_modes(name).items()
    ]


def _changed_tasks(comparison: Comparison) -> Rows:
    return [
        {
            "model": name,
            "column": task.column,
            "task_id": task.task_id,
            "base_share": task.base,
            "share": task.model,
        }
        for name in comparison.others
        for task in comparison.changed_tasks(name)
    ]


TABLES: dict[str, Callable[[Comparison], Rows]] = {
    "overall": _overall,
    "rates": _rates,
    "differences": _differences,
    "groups": _groups,
    "probes": _probes,
    "failure_modes": _failure_modes,
    "changed_tasks": _changed_tasks,
}
"""The tables by name."""

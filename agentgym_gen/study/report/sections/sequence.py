"""The section on training on one environment after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from agentgym_gen.describe.line_chart import LineChart, LineSeries, Svg
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.descriptors import env_traits
from agentgym_gen.study.analysis.metrics import (
    backward_transfer,
    forgetting,
    forward_transfer,
    retention,
)
from agentgym_gen.study.plan.plan import BASE, Arm, arm_name, display_name
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import (
    Block,
    Figure,
    Heading,
    Table,
    TableCell,
    percent_interval,
    points_interval,
)


def sequence(context: ReportContext) -> Iterator[Block]:
    """Yield the success after every stage, and the continual-learning metrics."""
    arms = context.arms_of("sequence")
    if not arms:
        return
    yield Heading("One environment after another", "sequence")
    charts, rows = [], []
    for arm in arms:
        models = [arm_name(arm.stages[:n]) for n in range(1, len(arm.stages) + 1)]
        columns = [stage.env_ids[0] for stage in arm.stages]
        if not context.results.has(*((m, c) for m in (BASE, *models) for c in columns)):
            continue
        charts.append(_chart(context.results, arm, models))
        rows.append((display_name(arm.name), _metric_cells(context.results, models, columns)))
    yield Figure(
        "sequence",
        charts,
        "Success on each environment before training and after every stage, percent, with 95 % "
        f"intervals. {context.sample_sizes(arms)}.",
    )
    yield Table(
        ["sequence", "BWT", "FWT", "forgetting", "retention"],
        rows,
        "Points, with 95 % intervals, **bold** where they exclude zero, "
        "with three training seeds or more. BWT: the end less what "
        "each stage had reached (Lopez-Paz & Ranzato 2017). FWT: what earlier stages gave before "
        "an environment was trained on, over the base. Forgetting: the best of earlier stages "
        "less the end (Chaudhry et al. 2018); where several stages are compared, the best lies "
        "above the true one by chance, and there is no interval. Retention: the share of what was "
        "reached that is left. An environment that returns counts from its last training on.",
    )


def _metric_cells(
    results: Results, models: Sequence[str], columns: Sequence[str]
) -> list[TableCell]:
    cells = []
    for metric in (backward_transfer, forward_transfer, forgetting):
        e = results.sequence(models, columns, metric)
        if np.isnan(e.value):
            cells.append(TableCell("-"))
        elif metric is forgetting and len(models) > 2:
            cells.append(TableCell(f"{100 * e.value:+.1f}"))
        else:
            cells.append(TableCell(f"{100 * e.value:+.1f}", points_interval(e), bold=e.is_sure))
    share = results.sequence(models, columns, retention)
    if np.isnan(share.value):
        return [*cells, TableCell("-")]
    return [*cells, TableCell(f"{100 * share.value:.0f}%", percent_interval(share))]


def _chart(results: Results, arm: Arm, models: Sequence[str]) -> Svg:
    names = [BASE, *models]
    lines = []
    for number, column in enumerate(arm.columns):
        if not results.has(*((name, column) for name in names)):
            continue
        rates = [results.rate(name, column) for name in names]
        lines.append(
            LineSeries(
                env_traits(column).name,
                range(len(names)),
                [rate.value for rate in rates],
                [(rate.low, rate.high) for rate in rates],
                number,
            )
        )
    ticks = [(0.0, BASE), *((n, _tick_label(s.label)) for n, s in enumerate(arm.stages, 1))]
    title = " → ".join(env_traits(stage.env_ids[0]).name for stage in arm.stages)
    return LineChart(title, lines, ticks).svg()


def _tick_label(stage_label: str) -> str:
    return f"+ {stage_label.split('-')[0]}"

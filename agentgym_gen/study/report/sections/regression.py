"""The section on the regression of transfer."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.study.analysis.descriptors import BASE_SUCCESS, explain_transfer
from agentgym_gen.study.analysis.statistics import SEEDS_TO_RESAMPLE
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import Block, Heading, Table, TableCell
from agentgym_gen.study.results.distances import Distances


def regression(context: ReportContext, distances: Distances) -> Iterator[Block]:
    """Yield the coefficients of the regression of transfer, if there are enough cells."""
    fit = explain_transfer(context.results, context.arms, distances)
    if fit is None:
        return
    is_known = fit.seeds >= SEEDS_TO_RESAMPLE
    yield Heading("What goes with transfer", "explained")
    rows = [
        (name, [_coefficient_cell(value, low, high, bold=is_known and name != BASE_SUCCESS)])
        for name, (value, low, high) in fit.coefficients.items()
    ]
    left_out = f" These cells cannot tell apart: {', '.join(fit.left_out)}." if fit.left_out else ""
    if fit.not_measured:
        left_out += f" Left out, because it was not measured: {', '.join(fit.not_measured)}."
    yield Table(
        ["", "points per unit"],
        rows,
        f"Least squares over {fit.cells} held-out cells (R² {fit.r_squared:.2f}); the "
        "intervals carry the noise of the cells, and say nothing of environments that are not in "
        f"the study. {BASE_SUCCESS.capitalize()} is a part of every gain, with the opposite sign, "
        f"so that its coefficient is below zero by chance, and never bold.{left_out}",
    )


def _coefficient_cell(value: float, low: float, high: float, *, bold: bool) -> TableCell:
    interval = f"[{100 * low:+.1f}, {100 * high:+.1f}]"
    return TableCell(f"{100 * value:+.1f}", interval, bold=bold and (low > 0 or high < 0))

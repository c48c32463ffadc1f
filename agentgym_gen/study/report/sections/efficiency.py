"""The section on turns, tokens and invalid actions."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.plan.plan import display_name, label
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import (
    Block,
    Heading,
    Table,
    TableCell,
    percent_interval,
)


def efficiency(context: ReportContext) -> Iterator[Block]:
    """Yield the success of all samples, and the length of episodes."""
    yield Heading("Turns, tokens and valid actions", "efficiency")
    results, rows = context.results, []
    k = 0
    for arm, column in context.trained_pairs():
        episodes = results.rows(arm, column)
        k = max(row["sample"] for row in episodes) + 1
        rate = results.rate(arm, column)
        cells = [
            TableCell(f"{100 * rate.value:.1f}", percent_interval(rate)),
            TableCell(f"{100 * results.pass_rate(arm, column, k):.1f}"),
            TableCell(f"{100 * results.pass_rate(arm, column, k, every=True):.1f}"),
            _average_cell(results.average(arm, column, "turns")),
            _average_cell(results.average(arm, column, "action_tokens")),
            TableCell(f"{100 * results.invalid_rate(arm, column):.1f}"),
            TableCell(f"{len(episodes)}"),
        ]
        rows.append((f"{display_name(arm)} on {label(column)}", cells))
    yield Table(
        ["", f"avg@{k}, %", f"pass@{k}, %", f"pass^{k}, %", "turns", "tokens", "invalid, %", "n"],
        rows,
        "The base, and the arm that was trained on the column. avg@k: the mean over samples, with "
        "Wilson's interval over tasks; pass@k and pass^k: one, or all, of k samples succeed "
        "(unbiased); turns and sampled tokens of an episode, with bootstrap intervals; the share "
        "of turns whose action could not be carried out; n episodes.",
    )


def _average_cell(average: Estimate) -> TableCell:
    return TableCell(f"{average.value:.1f}", f"[{average.low:.1f}, {average.high:.1f}]")

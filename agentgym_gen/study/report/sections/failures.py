"""The section on failure modes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.claims import bias_share
from agentgym_gen.study.plan.plan import display_name, label
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import (
    Block,
    Heading,
    Table,
    TableCell,
    Text,
    percent_interval,
)
from agentgym_gen.study.results.failures import CONFIRMATION_BIAS, MODES
from agentgym_gen.study.results.rows import Row


def failures(context: ReportContext) -> Iterator[Block]:
    """Yield the share of failed episodes that have each failure mode."""
    yield Heading("How episodes fail", "failures")
    yield Text(
        "Counted by rules over the transcripts, so that every model is judged alike; the rules are "
        "defined in the documentation. An episode can show several modes. Confirmation bias is "
        f"{' or '.join(f'`{mode}`' for mode in CONFIRMATION_BIAS)}."
    )
    rows = [
        (f"{display_name(arm)} on {label(column)}", _mode_cells(context, arm, column))
        for arm, column in context.trained_pairs()
    ]
    modes = [mode.replace("_", " ") for mode in MODES]
    header = ["", "failed", *modes, "confirmation bias", "truncated turns"]
    yield Table(
        header,
        rows,
        "Percent of the failed episodes that show a mode, for the base and for the arm that was "
        "trained on the column; confirmation bias with the interval of T10. Truncated "
        "turns: percent of the turns of all episodes whose completion ran into the limit of new "
        "tokens, so that its action may be cut; - where rows do not count them.",
    )


def _mode_cells(context: ReportContext, arm: str, column: str) -> list[TableCell]:
    rows = context.results.rows(arm, column)
    failed = [row for row in rows if not row["success"]]
    counts = context.results.failure_counts(arm, column)
    biased = bias_share(failed) if failed else None
    return [
        TableCell(f"{len(failed)}", f"of {len(rows)}"),
        *(_rate_cell(counts[mode] / len(failed)) if failed else TableCell("-") for mode in MODES),
        _rate_cell(biased.value, percent_interval(biased)) if biased else TableCell("-"),
        _truncated_cell(rows),
    ]


def _truncated_cell(rows: Sequence[Row]) -> TableCell:
    """Return the share of truncated turns; rows of schema 2 did not count them."""
    turns = sum(row["turns"] for row in rows)
    if not turns or any("truncated_turns" not in row for row in rows):
        return TableCell("-")
    share = sum(row["truncated_turns"] for row in rows) / turns
    return TableCell(f"{100 * share:.1f}", shade=-share * 0.8)


def _rate_cell(rate: float, small: str = "") -> TableCell:
    return TableCell(f"{100 * rate:.0f}", small, shade=-rate * 0.8)

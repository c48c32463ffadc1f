"""The section on failure modes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.statistics import Estimate, wilson
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
        "trained on the column; confirmation bias with Wilson's interval over tasks. Truncated "
        "turns: percent of the turns of all episodes whose completion ran into the limit of new "
        "tokens, so that its action may be cut; - where rows do not count them.",
    )


def _mode_cells(context: ReportContext, arm: str, column: str) -> list[TableCell]:
    rows = context.results.rows(arm, column)
    failed = [row for row in rows if not row["success"]]
    counts = context.results.failure_counts(arm, column)
    biased = sum(bool(set(CONFIRMATION_BIAS) & set(row["failures"])) for row in failed)
    tasks = len({row["task_id"] for row in failed})
    return [
        TableCell(f"{len(failed)}", f"of {len(rows)}"),
        *(_share_cell(counts[mode], len(failed)) for mode in MODES),
        _share_cell(biased, len(failed), tasks),
        _truncated_cell(rows),
    ]


def _truncated_cell(rows: Sequence[Row]) -> TableCell:
    """Return the share of truncated turns; rows of schema 2 did not count them."""
    turns = sum(row["turns"] for row in rows)
    if not turns or any("truncated_turns" not in row for row in rows):
        return TableCell("-")
    share = sum(row["truncated_turns"] for row in rows) / turns
    return TableCell(f"{100 * share:.1f}", shade=-share * 0.8)


def _share_cell(count: int, total: int, tasks: int = 0) -> TableCell:
    if not total:
        return TableCell("-")
    share = count / total
    small = percent_interval(Estimate(share, *wilson(share, tasks), tasks)) if tasks else ""
    return TableCell(f"{100 * share:.0f}", small, shade=-share * 0.8)

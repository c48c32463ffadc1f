"""From rows to a report: one HTML page that stands alone, and the same as Markdown."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study import details, sections
from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.analysis.claims import ALIKE, LEADING, MARGIN
from agentgym_gen.study.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    RawHtml,
    Text,
    points,
)
from agentgym_gen.study.plan.plan import BASE, Plan, label, display_name
from agentgym_gen.study.results.rows import (
    Row,
    read_cells,
    read_curves,
    read_episodes,
    read_failures,
)
from agentgym_gen.study.sections import ReportContext
from agentgym_gen.study.analysis.statistics import RESAMPLES, SEEDS_TO_RESAMPLE
from agentgym_gen.system.files import write_text

PAGE, MARKDOWN, FIGURES = "report.html", "report.md", "figures"


def write_report(plan: Plan, out: Path) -> Path:
    """Write the report of what is there into *out* and return the path of the page.

    Raises:
        DataError: if there is nothing to report.
    """
    from agentgym_gen.study.report.page import render_page

    document = make_report(plan, out)
    write_text(out / PAGE, render_page(document))
    for figure in [block for block in document.blocks if isinstance(block, Figure)]:
        for number, panel in enumerate(figure.panels, 1):
            write_text(out / FIGURES / f"{figure.name}-{number}.svg", panel)
    write_text(out / MARKDOWN, document.markdown())
    return out / PAGE


def make_report(plan: Plan, out: Path) -> Document:
    """Return the report of what is there in *out*.

    Raises:
        DataError: if there is nothing to report.
    """
    rows, cells = read_episodes(out), read_cells(out)
    results = Results(rows)
    if not any(arm == BASE for arm, _ in results.pairs):
        raise DataError(f"The base was not tested yet in {out}; run the study again, it goes on")
    book = ReportContext(results, plan.arms)
    blocks = [
        *_opening(plan, rows, cells, out),
        *_headlines(book),
        *details.claims(book),
        *sections.transfer(book),
        *sections.difficulty(book),
        *sections.sequence(book),
        *sections.interface(book),
        *details.curves(read_curves(out)),
        *details.failures(book),
        *details.efficiency(book),
        *details.explained(book),
        *details.conversations(out, cells),
        *_methods(plan, cells),
    ]
    return Document(f"Study: {plan.name}", blocks)


def _opening(plan: Plan, rows: Sequence[Row], cells: Sequence[Row], out: Path) -> Iterator[Block]:
    seeds = len({row["seed"] for row in rows})
    models = len({(row["arm"], row["seed"]) for row in rows})
    facts = {
        f"{models}": "models",
        f"{seeds}": f"training seed{'s' if seeds > 1 else ''}",
        f"{len(cells)}": "cells",
        f"{len(rows):,}": "test episodes",
    }
    boxes = "".join(
        f"<div><b>{value}</b><span>{html.escape(name)}</span></div>"
        for value, name in facts.items()
    )
    told = ", ".join(f"{value} {name}" for value, name in facts.items())
    if plan.about:
        yield RawHtml(f'<p class="lead">{html.escape(plan.about)}</p>', plan.about)
    yield RawHtml(f'<div class="facts">{boxes}</div>', f"{told}.")
    if seeds < SEEDS_TO_RESAMPLE:
        yield Text(
            f"**With {seeds} training seed{'s' if seeds > 1 else ''} the intervals cover the noise "
            "of the evaluation only, not that of training:** another seed may give other numbers. "
            f"{SEEDS_TO_RESAMPLE} seeds or more are resampled, too."
        )
    lacking = sum(1 for _ in plan.all_cells()) - len(cells)
    failed = read_failures(out)
    if lacking:
        reasons = {f"{one.get('job')}: {one.get('error')}" for one in failed}
        yield Text(f"**{lacking} of {lacking + len(cells)} cells have no result yet.**")
        if reasons:
            yield Bullets(sorted(reasons)[:8])


def _headlines(book: ReportContext) -> Iterator[Block]:
    """Yield the strongest numbers in sentences."""
    held_in = {pair: e for pair, e in book.gains.items() if book.held_in(*pair)}
    held_out = {pair: e for pair, e in book.gains.items() if pair not in held_in}
    told = []
    for what, found, best in (
        ("The largest gain held in", held_in, max),
        ("The largest gain held out", held_out, max),
        ("The largest loss", book.gains, min),
    ):
        if not found or (best is min and min(e.value for e in found.values()) >= 0):
            continue
        (arm, column), estimate = best(found.items(), key=lambda item: item[1].value)
        told.append(
            f"{what}: **{points(estimate)}** points, {display_name(arm)} on {label(column)}"
            f"{' (sure after Holm)' if estimate.p < 0.05 else ''}."
        )
    raised = sum(e.low > 0 for e in held_in.values())
    told.append(f"{raised} of {len(held_in)} held-in gains have an interval above zero.")
    yield Heading("In short", "short")
    yield Bullets(told)


def _methods(plan: Plan, cells: Sequence[Row]) -> Iterator[Block]:
    yield Heading("How to read this", "methods")
    some = cells[0]
    versions = ", ".join(f"{k} {v}" for k, v in some["versions"].items() if v)
    decoding = some["decoding"]
    commits = sorted({str(cell.get("commit")) for cell in cells})
    yield Bullets(
        [
            (
                f"**Tasks.** {plan.test.tasks} of the {plan.test.split} split for each column, the "
                f"same for every model and through every interface, each played "
                f"{plan.test.samples} times "
                f"at temperature {decoding['temperature']:g}."
            ),
            (
                "**A score** is the mean over samples, tasks and seeds (avg@k). Its interval is "
                "Wilson's over the tasks, not over episodes; with three seeds or more, the wider "
                "one of that and the bootstrap."
            ),
            (
                "**A difference** is paired by seed and task. Its interval is the percentile "
                f"bootstrap over {RESAMPLES:,} resamples of tasks (the same for all seeds) and, "
                "with three seeds or more, of seeds (the same for all columns); a mean over "
                "columns is stratified by them."
            ),
            "**Many cells.** Bold gains have p < 0.05 after Holm's adjustment over all cells.",
            (
                "**Verdicts.** Agrees if the 95 % interval is above the claim's margin, disagrees "
                f"if it is below, else cannot tell. The margin is 0, but {100 * -MARGIN:.0f} "
                f"points for 'at least as good' and 'kept' (T2, T7), ±{100 * ALIKE:.0f} points for "
                f"'about as good' (T8) and {100 * LEADING:.0f} % of failures for 'a leading one' "
                "(T10). T5 is decided by the worst pair, with Bonferroni's interval. T9 compares "
                "with the best single training of each resample."
            ),
            (
                f"**Made with** {versions}; Python {some['python']}; {some['platform']}; commit "
                f"{', '.join(commits)}; plan {some['plan']}."
            ),
        ]
    )

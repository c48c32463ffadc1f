"""From rows to a report: one HTML page that stands alone, and the same as Markdown."""

from __future__ import annotations

from pathlib import Path

from agentgym_gen.study.plan.plan import Plan
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import Document, Figure
from agentgym_gen.study.report.inline import without_marks
from agentgym_gen.study.report.page import render_page
from agentgym_gen.study.report.sections.claims import claims
from agentgym_gen.study.report.sections.conversations import conversations
from agentgym_gen.study.report.sections.curves import curves
from agentgym_gen.study.report.sections.difficulty import difficulty
from agentgym_gen.study.report.sections.efficiency import efficiency
from agentgym_gen.study.report.sections.failures import failures
from agentgym_gen.study.report.sections.interface import interface
from agentgym_gen.study.report.sections.methods import methods
from agentgym_gen.study.report.sections.regression import regression
from agentgym_gen.study.report.sections.sequence import sequence
from agentgym_gen.study.report.sections.summary import (
    about,
    answer,
    answer_sentence,
    headline_sentences,
    headlines,
    opening,
)
from agentgym_gen.study.report.sections.transfer import transfer
from agentgym_gen.study.results.distances import read_distances
from agentgym_gen.study.results.rows import read_cells, read_curves, read_episodes
from agentgym_gen.system.files import write_text

FIGURES = "figures"


def write_report(plan: Plan, out: Path) -> Path:
    """Write the report of the results in *out* into it, and return the path of the page.

    Raises:
        DataError: if there are no results of the base.
    """
    return save_report(make_report(plan, out), out)


def save_report(document: Document, out: Path, name: str = "report") -> Path:
    """Write *document* into *out* as a page and as Markdown called *name*; return the page."""
    page = out / f"{name}.html"
    write_text(page, render_page(document))
    for figure in [block for block in document.blocks if isinstance(block, Figure)]:
        for number, panel in enumerate(figure.panels, 1):
            write_text(out / FIGURES / f"{figure.name}-{number}.svg", str(panel))
    write_text(out / f"{name}.md", document.markdown())
    return page


def make_report(plan: Plan, out: Path) -> Document:
    """Return the report of the results in *out*.

    Raises:
        DataError: if there are no results of the base.
    """
    rows, cells, logs = read_episodes(out, plan), read_cells(out, plan), read_curves(out)
    context = ReportContext.of_rows(plan, rows, cells, logs)
    blocks = [
        *about(plan),
        *answer(context),
        *opening(context, plan, rows, cells, out),
        *headlines(context),
        *claims(context),
        *transfer(context),
        *difficulty(context),
        *sequence(context),
        *interface(context),
        *curves(context, logs),
        *failures(context),
        *efficiency(context),
        *regression(context, read_distances(out)),
        *conversations(out, cells, rows),
        *methods(plan, cells),
    ]
    sentences = [answer_sentence(context), *headline_sentences(context)]
    summary = [without_marks(sentence) for sentence in sentences if sentence]
    return Document(f"Study: {plan.name}", blocks, summary)

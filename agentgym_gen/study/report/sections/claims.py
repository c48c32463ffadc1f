"""The section that compares the paper's claims with our numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agentgym_gen.study.analysis.claims import (
    MARGIN_REASONS,
    PAPER,
    SENTENCES,
    Claim,
    check_claims,
)
from agentgym_gen.study.plan.plan import display_name
from agentgym_gen.study.report.context import ReportContext
from agentgym_gen.study.report.document import (
    Block,
    Heading,
    RawHtml,
    Table,
    TableCell,
    Text,
    points,
)
from agentgym_gen.study.report.markup import render

VERDICT_CLASSES = {
    "agrees": "good",
    "disagrees": "bad",
    "cannot tell": "open",
    "not tested": "none",
}
"""The CSS class of each verdict."""


def claims(context: ReportContext) -> Iterator[Block]:
    """Yield every claim with the paper's number, ours and the verdict."""
    results = check_claims(context.results, context.trained_arms)
    yield Heading("Beside the paper", "claims")
    yield Text(
        "What arXiv 2603.12011 claims, its own numbers, and ours. The paper's numbers are "
        "**second-hand**, from published summaries: its tables were not readable to us. A verdict "
        "is about this study's models, which may be far smaller than the paper's. The rule of "
        "every verdict is in the last section; with fewer than three training seeds every verdict "
        "on a tested claim is 'cannot tell'."
    )
    if context.untrained:
        names = ", ".join(map(display_name, context.untrained))
        yield Text(f"Left out, because not every training of theirs changed the model: {names}.")
    tally = Counter(claim.verdict for claim in results)
    yield Text("Verdicts: " + ", ".join(f"{count} {name}" for name, count in tally.items()) + ".")
    for number in SENTENCES:
        yield _card(number, [claim for claim in results if claim.number == number])


def _card(number: str, arm_claims: Sequence[Claim]) -> Block:
    """Return the claim *number* with each arm of ours that it is about."""
    rows = [_card_row(claim) for claim in arm_claims]
    title, paper, margin = SENTENCES[number], PAPER[number], MARGIN_REASONS[number]
    keys = ("value", "sizes", "verdict")
    table = [(row["sentence"], [TableCell(row[key]) for key in keys]) for row in rows]
    return RawHtml(
        render("claim.html", number=number, title=title, paper=paper, margin=margin, rows=rows),
        [
            Heading(f"{number}: {title}", level=3),
            Text(f"The paper, second-hand: {paper}. Agrees: {margin}."),
            Table(["here", "number", "", "verdict"], table),
        ],
    )


def _card_row(claim: Claim) -> dict[str, str]:
    ours = claim.ours
    sizes = f"{claim.unit}; n = {ours.tasks} tasks, {_seeds(ours.seeds)}" if ours else ""
    return {
        "sentence": display_name(claim.sentence),
        "value": points(ours) if ours else "",
        "sizes": sizes,
        "verdict": claim.verdict,
        "css_class": VERDICT_CLASSES[claim.verdict],
    }


def _seeds(number: int) -> str:
    return f"{number} seed{'s' if number != 1 else ''}"

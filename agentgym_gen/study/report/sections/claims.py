"""The section that compares the paper's claims with our numbers."""

from __future__ import annotations

import html
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
    Text,
    breakable,
    points,
)

VERDICT_CLASSES = {
    "agrees": "good",
    "disagrees": "bad",
    "cannot tell": "open",
    "not tested": "none",
}
"""The CSS class of each verdict."""


def claims(context: ReportContext) -> Iterator[Block]:
    """Yield every claim with the paper's number, ours and the verdict."""
    results = check_claims(context.results, context.arms)
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
        yield Text(f"Left out, because no training changed them: {names}.")
    tally = Counter(claim.verdict for claim in results)
    yield Text("Verdicts: " + ", ".join(f"{count} {name}" for name, count in tally.items()) + ".")
    for number in SENTENCES:
        yield _card(number, [claim for claim in results if claim.number == number])


def _card(number: str, arm_claims: Sequence[Claim]) -> Block:
    """Return the claim *number* with each arm of ours that it is about."""
    divs, rows = [], []
    for claim in arm_claims:
        ours, css_class = claim.ours, VERDICT_CLASSES[claim.verdict]
        value = "" if ours is None else points(ours)
        n = "" if ours is None else f"{claim.unit}; n = {ours.tasks} tasks, {_seeds(ours.seeds)}"
        sentence = display_name(claim.sentence)
        divs.append(
            f'<div class="arm"><span>{breakable(sentence)}<small>{n}</small></span>'
            f'<span class="num">{value}</span><b class="{css_class}">{claim.verdict}</b></div>'
        )
        cells = [sentence, value, n, claim.verdict]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    markup = (
        f'<section class="claim"><h3><span>{number}</span> {SENTENCES[number]}</h3>'
        f"<p>The paper, second-hand: {html.escape(PAPER[number])}</p>"
        f"<p>Agrees: {html.escape(MARGIN_REASONS[number])}</p>{''.join(divs)}</section>"
    )
    head = ["| here | number | | verdict |", "|---|---|---|---|"]
    title = f"### {number}: {SENTENCES[number]}"
    paper = f"The paper, second-hand: {PAPER[number]}. Agrees: {MARGIN_REASONS[number]}."
    return RawHtml(markup, "\n".join([title, "", paper, "", *head, *rows]))


def _seeds(number: int) -> str:
    return f"{number} seed{'s' if number != 1 else ''}"

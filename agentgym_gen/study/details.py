"""The sections of a report beside the scores: claims, curves, failures, cost, conversations."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.analysis.claims import PAPER, SENTENCES, Claim, check_claims
from agentgym_gen.study.analysis.descriptors import explain_transfer
from agentgym_gen.study.report.document import (
    Block,
    TableCell,
    Figure,
    Heading,
    RawHtml,
    Table,
    Text,
    id_attribute,
    breakable,
    percent_interval,
)
from agentgym_gen.describe.line_chart import LineChart, LineSeries
from agentgym_gen.study.results.failures import CONFIRMATION_BIAS, MODES
from agentgym_gen.study.plan.plan import BASE, label, display_name
from agentgym_gen.study.results.rows import Row, read_transcripts
from agentgym_gen.study.sections import ReportContext, anchor_of
from agentgym_gen.study.analysis.statistics import Estimate, wilson

MAX_CHARS, MAX_TURNS = 900, 8
"""How much of an observation, and how many turns of a conversation, the page shows."""

VERDICT_KINDS = {"agrees": "good", "disagrees": "bad", "cannot tell": "open", "not tested": "none"}


def claims(book: ReportContext) -> Iterator[Block]:
    """Yield the section that puts the paper's claims beside our numbers."""
    found = check_claims(book.results, book.arms)
    yield Heading("Beside the paper", "claims")
    yield Text(
        "What arXiv 2603.12011 claims, its own numbers, and ours. The paper's numbers are "
        "**second-hand**, from published summaries: its tables were not readable to us. A verdict "
        "is about this study's models, which may be far smaller than the paper's. The rule of "
        "every verdict is in the last section."
    )
    tally = Counter(claim.verdict for claim in found)
    yield Text("Verdicts: " + ", ".join(f"{count} {name}" for name, count in tally.items()) + ".")
    for number in SENTENCES:
        yield _card(number, [claim for claim in found if claim.number == number])


def _seeds(number: int) -> str:
    return f"{number} seed{'s' if number != 1 else ''}"


def _card(number: str, found: Sequence[Claim]) -> Block:
    """Return one claim with each arm of ours that it speaks of."""
    lines, rows = [], []
    for claim in found:
        ours, kind = claim.ours, VERDICT_KINDS[claim.verdict]
        told = "" if ours is None else _in_unit(ours, claim.unit)
        n = "" if ours is None else f"{claim.unit}; n = {ours.tasks} tasks, {_seeds(ours.seeds)}"
        lines.append(
            f'<div class="arm"><span>{breakable(display_name(claim.sentence))}<small>{n}</small></span>'
            f'<span class="num">{told}</span><b class="{kind}">{claim.verdict}</b></div>'
        )
        cells = [display_name(claim.sentence), told, n, claim.verdict]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    markup = (
        f'<section class="claim"><h3><span>{number}</span> {SENTENCES[number]}</h3>'
        f"<p>The paper, second-hand: {html.escape(PAPER[number])}</p>{''.join(lines)}</section>"
    )
    head = ["| here | number | | verdict |", "|---|---|---|---|"]
    title = f"### {number}: {SENTENCES[number]}"
    paper = f"The paper, second-hand: {PAPER[number]}."
    return RawHtml(markup, "\n".join([title, "", paper, "", *head, *rows]))


def _in_unit(ours: Estimate, unit: str) -> str:
    scale = 1 if unit == "turns saved" else 100
    value, low, high = (scale * x for x in (ours.value, ours.low, ours.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def curves(logs: Mapping[str, Sequence[Row]]) -> Iterator[Block]:
    """Yield the section of learning curves: success on training tasks by step."""
    by_arm: dict[str, list[tuple[str, Sequence[Row]]]] = {}
    for name, rows in logs.items():
        arm, _, seed = name.rpartition(".s")
        if rows and all("success" in row for row in rows) and len(rows) > 1:
            by_arm.setdefault(arm, []).append((seed, rows))
    if not by_arm:
        return
    yield Heading("Learning curves", "curves")
    panels = []
    for arm, found in by_arm.items():
        lines = [
            LineSeries(
                f"seed {seed}",
                [row["step"] for row in rows],
                _smooth([row["success"] for row in rows]),
                colour=number,
            )
            for number, (seed, rows) in enumerate(sorted(found))
        ]
        last = max(row["step"] for _, rows in found for row in rows)
        panels.append(LineChart(display_name(arm), lines, [(1, "step 1"), (last, f"{last}")]).svg())
    played = sorted({rows[0].get("episodes", 0) for found in by_arm.values() for _, rows in found})
    span = " to ".join(str(n) for n in dict.fromkeys((played[0], played[-1])))
    yield Figure(
        "curves",
        panels,
        "Success on the tasks of each training step, percent, as a mean over five steps; one line "
        f"a training seed, n = {span} episodes a step.",
    )


def _smooth(values: Sequence[float], width: int = 5) -> list[float]:
    """Return the mean of each value and those just before it."""
    spans = [values[max(0, n - width + 1) : n + 1] for n in range(len(values))]
    return [sum(span) / len(span) for span in spans]


def failures(book: ReportContext) -> Iterator[Block]:
    """Yield the section of failure modes."""
    yield Heading("How episodes fail", "failures")
    yield Text(
        "Counted by rules over the transcripts, so that every model is judged alike; the rules are "
        "defined in the documentation. An episode can show several modes. Confirmation bias is "
        f"{' or '.join(f'`{mode}`' for mode in CONFIRMATION_BIAS)}."
    )
    rows = []
    for arm, column in _shown(book):
        all_rows = book.results.rows(arm, column)
        failed = [row for row in all_rows if not row["success"]]
        counts = book.results.failure_counts(arm, column)
        biased = sum(bool(set(CONFIRMATION_BIAS) & set(row["failures"])) for row in failed)
        entries = [TableCell(f"{len(failed)}", f"of {len(all_rows)}")]
        entries += [_share(counts[mode], len(failed)) for mode in MODES]
        tasks = len({row["task_id"] for row in failed})
        entries.append(_share(biased, len(failed), tasks))
        rows.append((f"{display_name(arm)} on {label(column)}", entries))
    header = ["", "failed", *(mode.replace("_", " ") for mode in MODES), "confirmation bias"]
    yield Table(
        header,
        rows,
        "Percent of the failed episodes that show a mode, for the base and for the arm that was "
        "trained on the column; the last column with Wilson's interval over tasks.",
    )


def _share(count: int, total: int, tasks: int = 0) -> TableCell:
    if not total:
        return TableCell("-")
    share = count / total
    ends = Estimate(share, *wilson(share, tasks), tasks) if tasks else None
    small = percent_interval(ends) if ends else ""
    return TableCell(f"{100 * share:.0f}", small, shade=-share * 0.8)


def _shown(book: ReportContext) -> Iterator[tuple[str, str]]:
    """Yield the base and the arms trained on it, for every column that was trained on."""
    known: set[tuple[str, str]] = set()
    for arm in book.arms:
        for column in arm.stages[-1].env_ids:
            for pair in ((BASE, column), (arm.name, column)):
                if len(arm.stages) == 1 and pair not in known and book.results.has(pair):
                    known.add(pair)
                    yield pair


def efficiency(book: ReportContext) -> Iterator[Block]:
    """Yield the section of what an episode costs."""
    yield Heading("Turns, tokens and valid actions", "efficiency")
    results, rows = book.results, []
    samples = 0
    for arm, column in _shown(book):
        found = results.rows(arm, column)
        samples = max(row["sample"] for row in found) + 1
        rate = results.rate(arm, column)
        entries = [
            TableCell(f"{100 * rate.value:.1f}", percent_interval(rate)),
            TableCell(f"{100 * results.pass_rate(arm, column, samples):.1f}"),
            TableCell(f"{100 * results.pass_rate(arm, column, samples, every=True):.1f}"),
            *(_average(results.average(arm, column, key)) for key in ("turns", "action_tokens")),
            TableCell(f"{100 * results.invalid_rate(arm, column):.1f}"),
            TableCell(f"{len(found)}"),
        ]
        rows.append((f"{display_name(arm)} on {label(column)}", entries))
    k = samples
    yield Table(
        ["", f"avg@{k}, %", f"pass@{k}, %", f"pass^{k}, %", "turns", "tokens", "invalid, %", "n"],
        rows,
        "The base, and the arm that was trained on the column. avg@k: the mean over samples, with "
        "Wilson's interval over tasks; pass@k and pass^k: one, or all, of k samples succeed "
        "(unbiased); turns and sampled tokens of an episode, with bootstrap intervals; the share "
        "of turns whose action could "
        "not be carried out; n episodes.",
    )


def _average(found: Estimate) -> TableCell:
    return TableCell(f"{found.value:.1f}", f"[{found.low:.1f}, {found.high:.1f}]")


def explained(book: ReportContext) -> Iterator[Block]:
    """Yield the section that regresses transfer on what environments are like."""
    found = explain_transfer(book.results, book.arms)
    if found is None:
        return
    yield Heading("What goes with transfer", "explained")
    rows = [
        (name, [TableCell(f"{100 * b:+.1f}", f"[{100 * low:+.1f}, {100 * high:+.1f}]",
                      bold=low > 0 or high < 0)])
        for name, (b, low, high) in found.coefficients.items()
    ]  # fmt: skip
    out = f" These cells cannot tell apart: {', '.join(found.left_out)}." if found.left_out else ""
    yield Table(
        ["", "points per unit"],
        rows,
        f"Least squares over {found.cells} held-out cells (R² {found.r_squared:.2f}); the "
        "intervals carry the noise of the cells, and say nothing of environments that are not in "
        f"the study.{out}",
    )


def conversations(out: Path, cells: Sequence[Row]) -> Iterator[Block]:
    """Yield two conversations of every cell: one that succeeds and one that fails, if there are."""
    yield Heading("Conversations", "talks")
    yield Text(
        "Two episodes of every cell, of its first training seed: the first that succeeds and the "
        "first that fails, or two alike. Long ones are shortened in the middle.",
    )
    first: dict[tuple[str, str], Row] = {}
    for cell in sorted(cells, key=lambda cell: int(cell["seed"])):
        first.setdefault((cell["arm"], cell["column"]), cell)
    by_arm: dict[str, list[str]] = {}
    for (arm, column), cell in first.items():
        try:
            told = _pick(read_transcripts(out, cell["cell"]))
        except DataError as error:
            told = []
            by_arm.setdefault(arm, []).append(f"<p>{html.escape(str(error))}</p>")
        talks = "".join(_conversation(one) for one in told)
        by_arm.setdefault(arm, []).append(
            f'<details id="{id_attribute(anchor_of(arm, column))}"><summary>'
            f"{html.escape(label(column))} <small>{cell['successes']} of {cell['episodes']} won"
            f"</small></summary>{talks}</details>"
        )
    for arm, parts in by_arm.items():
        yield RawHtml(f'<div class="talks"><h3>{html.escape(display_name(arm))}</h3>{"".join(parts)}</div>')
    yield RawHtml("", "The conversations are in `report.html`.")


def _pick(transcripts: Sequence[Row]) -> list[Row]:
    """Return the first success and the first failure, or the first two."""
    won = [one for one in transcripts if one["success"]]
    lost = [one for one in transcripts if not one["success"]]
    chosen = [*won[:1], *lost[:1]]
    return chosen if len(chosen) == 2 else [*won, *lost][:2]


def _conversation(told: Row) -> str:
    turns = told["turns"]
    hidden = max(0, len(turns) - MAX_TURNS)
    head = turns[: MAX_TURNS - 2] if hidden else turns
    parts = [_turn(turn) for turn in head]
    if hidden:
        parts.append(f'<p class="gap">… {hidden} turns …</p>')
        parts += [_turn(turn) for turn in turns[-2:]]
    mark = "good" if told["success"] else "bad"
    return (
        f'<div class="talk"><p class="head"><b class="{mark}">'
        f"{html.escape(told['end_reason'])}</b> {html.escape(told['task_id'])}, sample "
        f"{told['sample']}, {len(turns)} turns</p>"
        f'{"".join(parts)}<div class="seen">{_shortened(told["last_observation"])}</div></div>'
    )


def _turn(turn: Row) -> str:
    kind = "said" if turn["valid"] else "said wrong"
    return (
        f'<div class="seen">{_shortened(turn["observation"])}</div>'
        f'<div class="{kind}">{_shortened(turn["completion"])}</div>'
    )


def _shortened(text: str) -> str:
    cut = text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} …"
    return html.escape(cut) or "<i>nothing</i>"

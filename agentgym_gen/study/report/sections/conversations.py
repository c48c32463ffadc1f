"""The section with two conversations of every cell."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import display_name, label
from agentgym_gen.study.report.context import conversation_anchor
from agentgym_gen.study.report.document import Block, Heading, RawHtml, Text, id_attribute
from agentgym_gen.study.results.rows import Row, read_transcripts

MAX_CHARS, MAX_TURNS = 900, 8
"""How much of an observation, and how many turns of a conversation, the page shows."""


def conversations(out: Path, cells: Sequence[Row]) -> Iterator[Block]:
    """Yield two conversations of every cell: one that succeeds and one that fails, if there are."""
    yield Heading("Conversations", "talks")
    yield Text(
        "Two episodes of every cell, of its first training seed: the first that succeeds and the "
        "first that fails, or two alike. Long ones are shortened in the middle.",
    )
    first_seed: dict[tuple[str, str], Row] = {}
    for cell in sorted(cells, key=lambda cell: int(cell["seed"])):
        first_seed.setdefault((cell["arm"], cell["column"]), cell)
    by_arm: dict[str, list[str]] = {}
    for (arm, _), cell in first_seed.items():
        by_arm.setdefault(arm, []).extend(_cell_html(out, cell))
    for arm, parts in by_arm.items():
        name = html.escape(display_name(arm))
        yield RawHtml(f'<div class="talks"><h3>{name}</h3>{"".join(parts)}</div>')
    yield RawHtml("", "The conversations are in `report.html`.")


def _cell_html(out: Path, cell: Row) -> Iterator[str]:
    """Yield the conversations of *cell*, after an error if they cannot be read."""
    transcripts: list[Row] = []
    try:
        transcripts = _pick(read_transcripts(out, cell["cell"]))
    except DataError as error:
        yield f"<p>{html.escape(str(error))}</p>"
    anchor = id_attribute(conversation_anchor(cell["arm"], cell["column"]))
    yield (
        f'<details id="{anchor}"><summary>'
        f"{html.escape(label(cell['column']))} <small>{cell['successes']} of {cell['episodes']} won"
        f"</small></summary>{''.join(map(_conversation_html, transcripts))}</details>"
    )


def _pick(transcripts: Sequence[Row]) -> list[Row]:
    """Return the first success and the first failure, or the first two."""
    won = [transcript for transcript in transcripts if transcript["success"]]
    lost = [transcript for transcript in transcripts if not transcript["success"]]
    pair = [*won[:1], *lost[:1]]
    return pair if len(pair) == 2 else [*won, *lost][:2]


def _conversation_html(transcript: Row) -> str:
    turns = transcript["turns"]
    hidden = max(0, len(turns) - MAX_TURNS)
    # A long conversation has its first and its last two turns.
    first = turns[: MAX_TURNS - 2] if hidden else turns
    parts = [_turn_html(turn) for turn in first]
    if hidden:
        parts.append(f'<p class="gap">… {hidden} turns …</p>')
        parts += [_turn_html(turn) for turn in turns[-2:]]
    css_class = "good" if transcript["success"] else "bad"
    return (
        f'<div class="talk"><p class="head"><b class="{css_class}">'
        f"{html.escape(transcript['end_reason'])}</b> {html.escape(transcript['task_id'])}, sample "
        f"{transcript['sample']}, {len(turns)} turns</p>"
        f'{"".join(parts)}<div class="seen">{_shorten(transcript["last_observation"])}</div></div>'
    )


def _turn_html(turn: Row) -> str:
    css_class = "said" if turn["valid"] else "said wrong"
    return (
        f'<div class="seen">{_shorten(turn["observation"])}</div>'
        f'<div class="{css_class}">{_shorten(turn["completion"])}</div>'
    )


def _shorten(text: str) -> str:
    """Return the beginning of *text* as HTML."""
    start = text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} …"
    return html.escape(start) or "<i>nothing</i>"

"""The section with two conversations of every cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import display_name, label
from agentgym_gen.study.report.context import conversation_anchor
from agentgym_gen.study.report.document import Block, Heading, RawHtml, Text
from agentgym_gen.study.report.markup import render
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
    by_arm: dict[str, list[Row]] = {}
    for (arm, _), cell in first_seed.items():
        by_arm.setdefault(arm, []).append(_talks_of_cell(out, cell))
    for arm, parts in by_arm.items():
        yield RawHtml(
            render(
                "conversations.html",
                arm=display_name(arm),
                cells=parts,
                max_chars=MAX_CHARS,
            )
        )
    yield RawHtml(None, "The conversations are in `report.html`.")


def _talks_of_cell(out: Path, cell: Row) -> Row:
    """Return the conversations of *cell*, and an error if they cannot be read."""
    transcripts: list[Row] = []
    error = ""
    try:
        transcripts = _pick(read_transcripts(out, cell["cell"]))
    except DataError as failure:
        error = str(failure)
    return {
        "anchor": conversation_anchor(cell["arm"], cell["column"]),
        "label": label(cell["column"]),
        "successes": cell["successes"],
        "episodes": cell["episodes"],
        "error": error,
        "talks": [_talk(transcript) for transcript in transcripts],
    }


def _pick(transcripts: Sequence[Row]) -> list[Row]:
    """Return the first success and the first failure, or the first two."""
    won = [transcript for transcript in transcripts if transcript["success"]]
    lost = [transcript for transcript in transcripts if not transcript["success"]]
    pair = [*won[:1], *lost[:1]]
    return pair if len(pair) == 2 else [*won, *lost][:2]


def _talk(transcript: Row) -> Row:
    """Return *transcript* with the turns that are shown: of many, the first and the last two."""
    turns = transcript["turns"]
    hidden = max(0, len(turns) - MAX_TURNS)
    return transcript | {
        "count": len(turns),
        "hidden": hidden,
        "first": turns[: MAX_TURNS - 2] if hidden else turns,
        "last": turns[-2:] if hidden else [],
    }

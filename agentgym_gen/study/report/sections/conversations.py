"""The section with conversations: of each cell two tasks, before and after training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import BASE, display_name, label
from agentgym_gen.study.report.context import conversation_anchor
from agentgym_gen.study.report.document import Block, Heading, RawHtml, Text
from agentgym_gen.study.report.markup import render
from agentgym_gen.study.results.failures import MODES
from agentgym_gen.study.results.files import TRANSCRIPTS
from agentgym_gen.study.results.rows import Row, read_transcripts

MAX_CHARS, MAX_TURNS = 2000, 40
"""How much of an observation, and how many turns of a conversation, the page shows."""

PAIRS = 2
"""How many tasks of a cell are shown."""

OUTCOMES = {
    "lost-won": "lost before, won after",
    "won-lost": "won before, lost after",
    "won-won": "won both times",
    "lost-lost": "lost both times",
    "won": "won by the base",
    "lost": "lost by the base",
}
"""What the filter calls the outcomes of an episode, and of a task before and after training."""


def conversations(out: Path, cells: Sequence[Row], rows: Sequence[Row]) -> Iterator[Block]:
    """Yield two tasks of every cell, each before and after training, with filters.

    Args:
        out: The results folder, which has the transcripts.
        cells: The records of the cells.
        rows: The rows, which have the failure modes of the episodes.
    """
    yield Heading("Conversations", "talks")
    yield Text(
        "Two tasks of every cell, of its first training seed, with the base on the left and the "
        "trained model on the right: the first task that was lost before and won after, and the "
        "first that was won before and lost after, where there are such. `agentgym-gen view` with "
        "the results folder shows all conversations, which are in "
        f"`cells/<arm>.s<seed>/<column>/{TRANSCRIPTS}`."
    )
    first_seed: dict[tuple[str, str], Row] = {}
    for cell in sorted(cells, key=lambda cell: int(cell["seed"])):
        first_seed.setdefault((cell["arm"], cell["column"]), cell)
    modes = {(row["arm"], row["seed"], row["column"], *_key(row)): row["failures"] for row in rows}
    columns = dict.fromkeys(label(column) for _, column in first_seed)
    yield RawHtml(render("filters.html", columns=columns, outcomes=OUTCOMES.items(), modes=MODES))
    transcripts = {pair: _read(out, cell) for pair, cell in first_seed.items()}
    by_arm: dict[str, list[Row]] = {}
    for (arm, column), cell in first_seed.items():
        before, _ = transcripts.get((BASE, column), ([], ""))
        after, error = transcripts[arm, column]
        if arm == BASE or not before:
            talks = [_talk([transcript], modes, cell) for transcript in _pick(after)]
        else:
            pairs = _pick_pairs(before, after)
            talks = [_talk(pair, modes, cell) for pair in pairs]
        by_arm.setdefault(arm, []).append(_cell(cell, talks, error))
    for arm, parts in by_arm.items():
        yield RawHtml(
            render("conversations.html", arm=display_name(arm), cells=parts, max_chars=MAX_CHARS)
        )
    yield RawHtml(None, "The conversations are in `report.html`.")


def _key(row: Row) -> tuple[str, int]:
    return row["task_id"], row["sample"]


def _read(out: Path, cell: Row) -> tuple[list[Row], str]:
    """Return the transcripts of *cell*, and an error if they cannot be read."""
    try:
        return read_transcripts(out, cell["cell"]), ""
    except DataError as error:
        return [], str(error)


def _cell(cell: Row, talks: Sequence[Row], error: str) -> Row:
    return {
        "anchor": conversation_anchor(cell["arm"], cell["column"]),
        "label": label(cell["column"]),
        "folder": f"cells/{cell['cell']}",
        "successes": cell["successes"],
        "episodes": cell["episodes"],
        "error": error,
        "talks": talks,
    }


def _pick(transcripts: Sequence[Row]) -> list[Row]:
    """Return the first success and the first failure, or the first two."""
    won = [transcript for transcript in transcripts if transcript["success"]]
    lost = [transcript for transcript in transcripts if not transcript["success"]]
    return [*won[:1], *lost[:1], *won[1:], *lost[1:]][:PAIRS]


def _pick_pairs(before: Sequence[Row], after: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the episodes of two tasks before and after: first those of which the outcome changed.

    Without a changed one, they are the first success and the first failure.
    """
    base = {_key(transcript): transcript for transcript in before}
    pairs = [(base[key], t) for t in after if (key := _key(t)) in base]
    gained = [pair for pair in pairs if not pair[0]["success"] and pair[1]["success"]]
    lost = [pair for pair in pairs if pair[0]["success"] and not pair[1]["success"]]
    same = [pair for pair in pairs if pair[0]["success"] == pair[1]["success"]]
    won = [pair for pair in same if pair[1]["success"]]
    never = [pair for pair in same if not pair[1]["success"]]
    return [*gained[:1], *lost[:1], *won[:1], *never[:1], *gained[1:], *lost[1:], *same][:PAIRS]


def _talk(
    transcripts: Sequence[Row], modes: Mapping[tuple[str, int, str, str, int], list[str]], cell: Row
) -> Row:
    """Return one task: the episodes of it that are shown, its outcome and its failure modes."""
    outcome = "-".join("won" if t["success"] else "lost" for t in transcripts)
    last = transcripts[-1]
    key = (cell["arm"], cell["seed"], cell["column"], *_key(last))
    return {
        "outcome": outcome,
        "outcome_text": OUTCOMES[outcome],
        "modes": modes.get(key, []),
        "task_id": last["task_id"],
        "sample": last["sample"],
        "episodes": [_episode(transcript) for transcript in transcripts],
    }


def _episode(transcript: Row) -> Row:
    """Return *transcript* with the turns that are shown: of very many, the first and the last."""
    turns = transcript["turns"]
    hidden = max(0, len(turns) - MAX_TURNS)
    return transcript | {
        "count": len(turns),
        "hidden": hidden,
        "first": turns[: MAX_TURNS - 2] if hidden else turns,
        "last": turns[-2:] if hidden else [],
    }

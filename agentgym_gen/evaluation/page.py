"""The page of an evaluation: its score, a table, a plot, failures and some episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from agentgym_gen.evaluation.results import Evaluation, key_of
from agentgym_gen.evaluation.score import (
    ColumnScore,
    column_scores,
    mean_score,
    prompt_warning,
    score_line,
)
from agentgym_gen.study.report.document import (
    Block,
    Bullets,
    Document,
    Forest,
    Heading,
    Table,
    TableCell,
    Text,
    percent_interval,
)
from agentgym_gen.study.report.page import render_page
from agentgym_gen.study.results.failures import MODES
from agentgym_gen.study.results.rows import Row
from agentgym_gen.system.files import write_text

__all__ = ["PAGE", "make_page", "write_page"]

PAGE = "report.html"

MAX_CHARS, MAX_TURNS = 900, 8
"""How much of a text, and how many turns of an episode, the page shows."""


def write_page(evaluation: Evaluation) -> Path:
    """Write the page of *evaluation* into its folder and return its path.

    Raises:
        DataError: if nothing was played, or the folder cannot be written.
        MissingExtraError: if what makes the page is not installed.
    """
    path = evaluation.path / PAGE
    write_text(path, render_page(make_page(evaluation)))
    return path


def make_page(evaluation: Evaluation) -> Document:
    """Return the page of *evaluation*.

    Raises:
        DataError: if nothing was played.
    """
    scores = column_scores(evaluation)
    mean = mean_score(scores)
    document = Document(f"{evaluation.label}: {100 * mean.value:.1f} % of tasks solved")
    document.blocks.extend(
        [
            *_summary(evaluation, scores),
            *_table(scores),
            *_failures(evaluation, scores),
            *_episodes(evaluation, scores),
            *_methods(evaluation),
        ]
    )
    return document


def _summary(evaluation: Evaluation, scores: Sequence[ColumnScore]) -> Iterator[Block]:
    yield Heading("Score", "score")
    yield Text(f"`{score_line(evaluation)}`")
    notes = []
    panel = evaluation.record.get("panel")
    if panel is not None and panel["left_out"]:
        absent = ", ".join(f"`{env_id}`" for env_id in panel["left_out"])
        notes.append(
            f"**This is not the whole panel.** Left out, because their extras are absent: {absent}."
        )
    if not evaluation.complete:
        notes.append("**Not all episodes were played yet.** The same command goes on.")
    unanswered = sum(score.unanswered for score in scores)
    if unanswered:
        notes.append(
            f"**{unanswered} episodes ended because no answer came.** They count as failures; the "
            "same command plays them again."
        )
    if warning := prompt_warning(scores):
        notes.append(f"{warning}.")
    if notes:
        yield Bullets(notes)


def _table(scores: Sequence[ColumnScore]) -> Iterator[Block]:
    yield Heading("By environment", "environments")
    yield Forest(
        [(score.column.label, score.success) for score in scores],
        "The share of tasks that were solved, in percent, with Wilson's 95 % interval over tasks.",
        low=0.0,
        high=1.0,
        zero=False,
        signed=False,
    )
    header = ("environment", "tier", "interface", "success", "n", "score", "turns", "invalid")
    rows = [
        (
            score.environment,
            [
                TableCell(score.tier),
                TableCell(score.column.interface),
                TableCell(
                    f"{100 * score.success.value:.1f}",
                    percent_interval(score.success),
                    shade=score.success.value,
                ),
                TableCell(str(score.success.tasks)),
                TableCell(f"{score.score:.3f}"),
                TableCell(f"{score.turns:.1f}"),
                TableCell(f"{100 * score.invalid:.1f} %"),
            ],
        )
        for score in scores
    ]
    yield Table(
        header,
        rows,
        "`success` in percent, below it the interval; `n` tasks; `score` is how much of a task was "
        "done, 0 to 1; `turns` of an episode; `invalid` is the share of turns whose action could "
        "not be carried out.",
    )


def _failures(evaluation: Evaluation, scores: Sequence[ColumnScore]) -> Iterator[Block]:
    yield Heading("Failures", "failures")
    modes: dict[str, Counter[str]] = {}
    for row in evaluation.rows():
        modes.setdefault(row["column"], Counter()).update(row["failures"])
    rows = []
    for score in scores:
        counts, number = modes[score.column.name], score.episodes
        shares = {mode: counts[mode] / number for mode in MODES}
        cells = [TableCell(_percent(share), shade=-share) for share in shares.values()]
        rows.append((score.column.label, cells))
    yield Table(
        ("", *(mode.replace("_", " ") for mode in MODES)),
        rows,
        "The share of episodes that failed in each way, in percent. An episode can fail in several "
        "ways. The rules are those of a study.",
        css_class="heat",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share else ""


def _episodes(evaluation: Evaluation, scores: Sequence[ColumnScore]) -> Iterator[Block]:
    """Yield the first success and the first failure of each environment."""
    yield Heading("Episodes", "episodes")
    yield Text(
        "The first success and the first failure of each environment, as far as there are. Long "
        "ones are shortened."
    )
    texts = {key_of(row): row for row in evaluation.transcripts()}
    environments = {score.column.name: score.environment for score in scores}
    shown: set[tuple[str, bool]] = set()
    for row in evaluation.rows():
        kind = environments[row["column"]], row["success"]
        transcript = texts.get(key_of(row))
        if kind not in shown and transcript is not None:
            shown.add(kind)
            yield _episode(row, transcript)


def _episode(row: Row, transcript: Row) -> Block:
    turns = list(enumerate(transcript["turns"], 1))
    hidden = len(turns) - MAX_TURNS
    if hidden > 0:
        turns = [*turns[: MAX_TURNS - 2], *turns[-2:]]
    texts = [(str(n), turn["observation"], turn["completion"]) for n, turn in turns]
    texts.append(("", transcript["last_observation"], ""))
    rows = [(n, [TableCell(_short(text)) for text in pair]) for n, *pair in texts]
    gap = f", {hidden} turns left out" if hidden > 0 else ""
    return Table(
        ("turn", "the model reads", "the model answers"),
        rows,
        f"{row['end_reason']} in {row['task_id']}, {row['interface']} interface, "
        f"{len(transcript['turns'])} turns{gap}.",
        css_class="texts",
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} …"


def _methods(evaluation: Evaluation) -> Iterator[Block]:
    yield Heading("How it was made", "methods")
    record = evaluation.record
    model = ", ".join(f"{key} `{value}`" for key, value in record["model"].items())
    settings = ", ".join(f"{key} `{value}`" for key, value in record["settings"].items())
    made = [
        f"`agentgym-gen {versions.get('versions', {}).get('agentgym-gen')}`, Python "
        f"{versions.get('python')}, {versions.get('platform')}, {versions.get('processor')}"
        for versions in record["made_with"]
    ]
    yield Bullets(
        [f"Model: {model}.", f"Settings: {settings}.", *(f"Made with {text}." for text in made)]
    )
    yield Text(
        "Every episode is a row of `episodes.jsonl`, its texts are in `transcripts.jsonl.gz`, and "
        "what was played is in `eval.json`. All of them in the browser, with filters: "
        "`agentgym-gen view` and the name of this folder."
    )

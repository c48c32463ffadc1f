"""A user's questions, in the formats of five data sets, recognized by their keys.

| format | keys of the format | hops | tier |
| --- | --- | --- | --- |
| MuSiQue | `question_decomposition`, `paragraphs` | decomposition | hops |
| HotpotQA, 2WikiMultihopQA | `supporting_facts` | supporting titles | `level`, else hops |
| FlashRAG | `golden_answers` | none | easy |
| NQ | `answers` or `answer` alone | none | easy |

A file is one JSON list or JSON lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.envs.searchqa.questions import Hop, Question
from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import numbered_lines, parse_json, read_text
from agentgym_gen.world import TIERS

TieredQuestion = tuple[str, Question]
"""A tier and a question."""


def read_questions(path: str | Path) -> list[TieredQuestion]:
    """Return the questions of the file at *path* with their tiers.

    MuSiQue's unanswerable questions are left out, and a repeated question is read once.

    Raises:
        DataError: if the file cannot be read, holds no question, or a row is bad, naming its
            number.
    """
    questions: dict[str, TieredQuestion] = {}
    for row, where in _rows(Path(path)):
        if not isinstance(row, dict):
            raise DataError(f"Bad question in {where}: it is no JSON object")
        if row.get("answerable", True):
            tier, question = _question(row, where)
            questions.setdefault(question.text, (tier, question))
    if not questions:
        raise DataError(f"No question in {str(Path(path))!r}")
    return list(questions.values())


def _rows(path: Path) -> Iterator[tuple[object, str]]:
    """Yield every row with a description of where it is."""
    text = read_text(path, "Questions")
    if text.lstrip().startswith("["):
        rows = parse_json(text, repr(str(path)))
        for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
            yield row, f"item {number} of {str(path)!r}"
        return
    for number, line in numbered_lines(text):
        where = f"line {number} of {str(path)!r}"
        yield parse_json(line, where), where


def _question(row: dict[str, Any], where: str) -> TieredQuestion:
    read_row = next((reader for keys, reader in _FORMATS if keys <= row.keys()), None)
    if read_row is None:
        raise DataError(
            f"Bad question in {where}: it has the keys {sorted(row)}, which are those of no known "
            "format; known: HotpotQA, MuSiQue, 2WikiMultihopQA, FlashRAG and NQ"
        )
    try:
        tier, question = read_row(row)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"Bad question in {where}: {error!r}") from error
    is_complete = isinstance(question.text, str) and question.text.strip() and question.answers
    if not is_complete or not all(
        isinstance(answer, str) and answer.strip() for answer in question.answers
    ):
        raise DataError(f"Bad question in {where}: a question and its answers are texts, not empty")
    return tier, question


def _hotpotqa(row: dict[str, Any]) -> TieredQuestion:
    titles = list(dict.fromkeys(str(title) for title, _ in row["supporting_facts"]))
    level = row.get("level")
    tier = level if level in TIERS else _tier(len(titles))
    return tier, _make_question(row["question"], [row["answer"]], titles, str(row.get("type", "")))


def _musique(row: dict[str, Any]) -> TieredQuestion:
    steps = row["question_decomposition"]
    title_of = {paragraph["idx"]: str(paragraph["title"]) for paragraph in row["paragraphs"]}
    titles = list(dict.fromkeys(title_of[step["paragraph_support_idx"]] for step in steps))
    answers = [row["answer"], *row.get("answer_aliases", [])]
    return _tier(len(steps)), _make_question(row["question"], answers, titles, f"{len(steps)}hop")


def _flashrag(row: dict[str, Any]) -> TieredQuestion:
    return "easy", _make_question(row["question"], row["golden_answers"], [], "")


def _nq(row: dict[str, Any]) -> TieredQuestion:
    answers = row["answers"] if "answers" in row else row["answer"]
    return "easy", _make_question(
        row["question"], [answers] if isinstance(answers, str) else answers, [], ""
    )


def _make_question(text: str, answers: Sequence[str], titles: Sequence[str], kind: str) -> Question:
    if not isinstance(answers, list):
        raise TypeError(f"its answers are a list of texts, not {answers!r}")
    hops = tuple(Hop(title, title) for title in titles)
    return Question(text, tuple(dict.fromkeys(answers)), hops, kind, tuple(titles))


def _tier(hops: int) -> str:
    """Return the tier of a question with so many *hops*: easy has 1, medium 2, hard 3 or more."""
    return TIERS[min(max(hops, 1), len(TIERS)) - 1]


_FORMATS: tuple[tuple[set[str], Callable[[dict[str, Any]], TieredQuestion]], ...] = (
    ({"question", "answer", "question_decomposition", "paragraphs"}, _musique),
    ({"question", "answer", "supporting_facts"}, _hotpotqa),
    ({"question", "golden_answers"}, _flashrag),
    ({"question", "answers"}, _nq),
    ({"question", "answer"}, _nq),
)
"""The keys of each format, and its reader; the first one that fits is taken."""

__all__ = ["TieredQuestion", "read_questions"]

"""The tasks of SearchQA: the questions that ship, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentgym_gen.envs.searchqa.generator.graph import fact_graph, load_data
from agentgym_gen.envs.searchqa.generator.question_writer import QuestionSpec, write_question
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.envs.searchqa.question_formats import TieredQuestion
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.seeding import stream
from agentgym_gen.world import SPLITS, TIERS, TaskId, Tasks

Rows = Mapping[str, Mapping[str, Sequence[Sequence[int]]]]
"""The numbers of every question, by tier and split."""

SHARES = (("test", 0.15), ("valid", 0.15))
"""Which share of a user's questions each split has; the rest is for training."""


class FactTasks(Tasks[Question]):
    """The questions that ship: of 1 (easy), 2 (medium) and 3 (hard) hops.

    No bridge and no answer of one split is a bridge or an answer of another one.

    Args:
        facts: ``real``, or ``invented`` for the same questions under invented names.
    """

    env = "searchqa"

    def __init__(self, facts: str = "real") -> None:
        self._facts = facts
        self._graph = get_or_make(("graph", facts), lambda: fact_graph(facts))
        self._rows: Rows = get_or_make(
            "questions", lambda: load_data("questions.json.gz")["questions"]
        )

    def __reduce__(self) -> tuple[type[FactTasks], tuple[str]]:
        """Return what makes these tasks again: a pickle does not hold the questions."""
        return FactTasks, (self._facts,)

    def size(self, tier: str, split: str) -> int:
        """Return how many questions *split* of *tier* has."""
        return len(self._rows[tier][split])

    def spec(self, tier: str, split: str, index: int) -> QuestionSpec:
        """Return question *index* as numbers."""
        return QuestionSpec(*self._rows[tier][split][index])

    def generate(self, task_id: TaskId, index: int) -> Question:
        """Return question *index*.

        Raises:
            DataError: if the data files do not belong together.
        """
        question = write_question(self._graph, self.spec(task_id.tier, task_id.split, index))
        if question is None:
            raise DataError("The data files of SearchQA do not fit together; install it again")
        return question


class CustomTasks(Tasks[Question]):
    """A user's own questions.

    Args:
        questions: Pairs of tier and question by split; or all of them in one list, which is then
            divided 70 : 15 : 15 within each tier.
        tiers: The tiers that are played; by default all that occur.

    Raises:
        InvalidValueError: if a split has no question of a tier.
    """

    env = "searchqa"

    def __init__(
        self,
        questions: Mapping[str, Sequence[TieredQuestion]] | Sequence[TieredQuestion],
        tiers: Sequence[str] | None = None,
    ) -> None:
        by_split = questions if isinstance(questions, Mapping) else split_questions(questions)
        _check_disjoint(by_split)
        present = {tier for pairs in by_split.values() for tier, _ in pairs}
        self.tiers = tuple(tier for tier in TIERS if tier in (present if tiers is None else tiers))
        self.splits = tuple(split for split in SPLITS if split in by_split)
        self._questions = {
            (tier, split): [
                question for question_tier, question in by_split[split] if question_tier == tier
            ]
            for tier in self.tiers
            for split in self.splits
        }
        empty = next((cell for cell, pool in self._questions.items() if not pool), None)
        if empty or not self.tiers:
            raise InvalidValueError(
                f"There is no question of {empty or tiers!r} (tier, split); give a file for each "
                "split, or the tiers to play, such as tiers=('hard',)"
            )

    def size(self, tier: str, split: str) -> int:
        """Return how many questions *split* of *tier* has."""
        return len(self._questions[tier, split])

    def generate(self, task_id: TaskId, index: int) -> Question:
        """Return question *index*."""
        return self._questions[task_id.tier, task_id.split][index]


def split_questions(pairs: Sequence[TieredQuestion]) -> dict[str, list[TieredQuestion]]:
    """Return *pairs* by split, 70 : 15 : 15 within each tier, in a random order for each tier.

    The stream's second name is from an earlier version; renaming it would change every split.
    """
    parts: dict[str, list[TieredQuestion]] = {split: [] for split in SPLITS}
    for tier in TIERS:
        pool = [pair for pair in pairs if pair[0] == tier]
        order = stream("searchqa", "own", tier).permutation(len(pool))
        shuffled = [pool[index] for index in order]
        for split, share in SHARES:
            size = max(1, round(share * len(pool)))
            parts[split] += shuffled[:size]
            shuffled = shuffled[size:]
        parts["train"] += shuffled
    return parts


def _check_disjoint(by_split: Mapping[str, Sequence[TieredQuestion]]) -> None:
    owner: dict[str, str] = {}
    for split, pairs in by_split.items():
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        for _, question in pairs:
            if owner.setdefault(question.text, split) != split:
                raise InvalidValueError(
                    f"The question {question.text!r} is in the splits {owner[question.text]!r} and "
                    f"{split!r}; a question belongs to one"
                )


__all__ = ["CustomTasks", "FactTasks"]

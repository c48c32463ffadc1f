"""The rules of SearchQA: what a search shows, and what an answer earns.

Rules and texts follow Search-R1's environment and AgentGym's version of it. Where they differ, the
environment's page in the documentation gives the reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from agentgym_gen.envs.searchqa import expert, reward
from agentgym_gen.envs.searchqa.corpus import Passage, file_states, read_corpus
from agentgym_gen.envs.searchqa.distractors import leaflet_lines
from agentgym_gen.envs.searchqa.generator.graph import FACTS
from agentgym_gen.envs.searchqa.generator.passages import fact_corpus
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.envs.searchqa.question_formats import read_questions
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers import Retriever, make_retriever
from agentgym_gen.envs.searchqa.tasks import CustomTasks, FactTasks
from agentgym_gen.envs.searchqa.wording import (
    CORRECT,
    INSTRUCTION,
    INVALID,
    VERBS,
    WRONG,
    WRONG_RETRY,
    unavailable,
)
from agentgym_gen.errors import BackendError, InvalidValueError, unknown_name
from agentgym_gen.world import (
    TIERS,
    Command,
    EndReason,
    Malformed,
    Message,
    Outcome,
    Scene,
    Surface,
    Task,
    Tasks,
    World,
    copy_sharing,
    phrase_of,
)
from agentgym_gen.world.distractors import sample_evenly

__all__ = ["ANSWERS", "MAX_K", "TURNS", "SearchQA"]

TURNS = {"easy": 5, "medium": 8, "hard": 10}
"""The turn limits: the three stages of AgentGym-RL's training on SearchQA."""

ANSWERS = ("once", "retry")
"""Whether a wrong answer ends the episode, as in Search-R1, or not, as in AgentGym."""

MAX_K = 100
"""The largest number of passages that a search may show."""


class SearchQA(World[Question]):
    """Answer a question by searching a corpus.

    Args:
        facts: ``real``, or ``invented`` for the same facts under invented names, which no model can
            know.
        corpus: A user's corpus instead: a JSON-lines file or a folder.
        questions: A user's questions: a file in the format of HotpotQA, MuSiQue, 2WikiMultihopQA,
            NQ or FlashRAG, or one for each split.
        retriever: ``bm25``, ``dense:<model>``, the address of a server with Search-R1's
            ``/retrieve``, ``module:function``, or any object with ``search(query, k)``.
        k: How many passages a search shows.
        answers: ``once`` or ``retry``: whether a wrong answer ends the episode.
        tiers: The tiers of the user's questions that are played; by default all that occur.
        title_weight: How many times ``bm25`` counts the words of a title, three times by default;
            1 is plain Lucene over title and text.

    Raises:
        UnknownNameError: if there is no such facts or rule of answers.
        InvalidValueError: if *k* or *title_weight* is out of its range, or *retriever* means
            nothing.
        DataError: if a file cannot be read.
        MissingExtraError: if the retriever needs a package that is not installed.
    """

    name = "SearchQA"
    verbs = VERBS
    tasks: Tasks[Question]

    def __init__(  # noqa: PLR0913  (keyword options, each with a default)
        self,
        *,
        facts: str = "real",
        corpus: str | Path | None = None,
        questions: str | Path | Mapping[str, str | Path] | None = None,
        retriever: str | Retriever = "bm25",
        k: int = 3,
        answers: str = "once",
        tiers: Sequence[str] | None = None,
        title_weight: int | None = None,
    ) -> None:
        if answers not in ANSWERS:
            raise unknown_name("rule of answers", answers, ANSWERS)
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
            raise InvalidValueError(f"`k` is 1 to {MAX_K}, not {k!r}")
        self.tasks = _choose_tasks(facts, questions, tiers)
        # A pickle may be read in another working directory.
        path = None if corpus is None else _absolute(corpus)
        self._retriever = _choose_retriever(retriever, facts, corpus, title_weight)
        self._retriever_source = (retriever, facts, path, title_weight)
        self.steps_in_process = retriever == "bm25"
        self._k = k
        self._retry = answers == "retry"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the retriever and the question."""
        return copy_sharing(self, memo, "_question", "_retriever", "_retriever_source")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the corpus: in another process the retriever is made again."""
        return {name: value for name, value in vars(self).items() if name != "_retriever"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the retriever of this process, made now if it has none."""
        vars(self).update(state)
        self._retriever = _choose_retriever(*self._retriever_source)

    def reset(self, task: Task[Question]) -> Scene:
        """Start *task* and return the question."""
        self._question, self._tier = task.content, task.id.tier
        self._found_titles: dict[str, None] = {}
        self._past_queries: dict[str, None] = {}
        self._f1 = self._sub_em = 0.0
        self._name_pattern: re.Pattern[str] | None = None
        text = task.content.text
        return Scene((f"Question: {text}",), {"question": text})

    def step(self, command: Command) -> Outcome:
        """Carry out *command*."""
        text = command.args[0].strip()
        return self._search(text) if command.verb == "search" else self._answer(text)

    def admissible(self) -> tuple[Command, ...]:
        """Return both usages: any query may be searched and any answer given."""
        return tuple(verb.usage for verb in VERBS)

    def expert_plan(self) -> tuple[Command, ...]:
        """Return the searches for the passages that are not found yet, and the answer."""
        return expert.plan(self._question, self._found_titles, self._past_queries)

    def instruction(self) -> Message:
        """Return Search-R1's prompt."""
        return INSTRUCTION

    def goal(self) -> str:
        """Return the question."""
        return self._question.text

    def turn_limit(self) -> int:
        """Return the limit of the tier, and at least twice what the expert takes."""
        return max(TURNS[self._tier], 2 * (len(self._question.hops) + 1))

    def invalid_reply(self, malformed: Malformed) -> Message:
        """Return AgentGym's sentence."""
        return INVALID

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does: the first pair of tags acts, whatever is around it.

        Unlike there, a tag inside a tag and a second answer are malformed.
        """
        return _read_tags(text, {verb.name: verb.name for verb in self.verbs})

    def read_reworded(self, text: str, templates: Mapping[str, str]) -> Command | Malformed:
        """Read *text* as `read` does, with the tags of *templates*."""
        return _read_tags(text, {phrase_of(tag): verb for verb, tag in templates.items()})

    def surface(self) -> Surface:
        """Return what interfaces read of this world."""
        return Surface(
            nouns=self._nouns,
            canonical_argument=self._canonical_argument,
            distractors=_distractors,
        )

    def _nouns(self) -> tuple[str, ...]:
        """Return the names of the entities in the question's chain.

        A word before another name, such as the rank in "order Ericales", is no part of the name.
        Renamed as a whole, it would hide from the reader what the answer without it is called.
        """
        names = self._question.names
        return tuple(name for name in names if not _has_rank(name, names))

    def _canonical_argument(self, argument: str) -> str:
        """Return *argument* with the usual case of every name: a search ignores case."""
        if self._name_pattern is None:
            # The longest name first, so that no name hides a longer one; "(?!)" matches nothing.
            longest_first = sorted(self._question.names, key=len, reverse=True)
            any_name = "|".join(map(re.escape, longest_first)) or "(?!)"
            self._name_pattern = re.compile(rf"(?<!\w)(?:{any_name})(?!\w)", re.IGNORECASE)
        usual = {name.casefold(): name for name in self._question.names}
        return self._name_pattern.sub(
            lambda match: usual.get(match[0].casefold(), match[0]), argument
        )

    def info(self) -> dict[str, Any]:
        """Return the other scores of the last answer, and how many hops are found."""
        return {
            "f1": self._f1,
            "sub_em": self._sub_em,
            "retrieved_hops": self._hops_found(),
            "hops": len(self._question.hops),
        }

    def _search(self, query: str) -> Outcome:
        try:
            passages = self._retriever.search(query, self._k)
        except BackendError as error:
            reason = str(error)
            scene = Scene(unavailable(reason))
            return Outcome(scene, valid=False, score=self._score(), reason=reason)
        self._past_queries[query] = None
        self._found_titles.update(dict.fromkeys(passage.title for passage in passages))
        facts = [{"title": passage.title, "text": passage.text} for passage in passages]
        text = f"<information>{_format_passages(passages)}</information>"
        scene = Scene((text,), {"information": facts})
        return Outcome(scene, score=self._score())

    def _answer(self, text: str) -> Outcome:
        answers = self._question.answers
        self._f1, self._sub_em = reward.f1(text, answers), reward.sub_exact_match(text, answers)
        exact_match = reward.exact_match(text, answers)
        if exact_match:
            return Outcome(
                Scene(CORRECT), exact_match, end=EndReason.SUCCESS, score=self._score(True)
            )
        if self._retry:
            return Outcome(Scene(WRONG_RETRY), score=self._score())
        return Outcome(Scene(WRONG), end=EndReason.FAILURE, score=self._score())

    def _hops_found(self) -> int:
        return sum(hop.title in self._found_titles for hop in self._question.hops)

    def _score(self, success: bool = False) -> float:
        return reward.score(self._hops_found(), len(self._question.hops), success)


def _read_tags(text: str, verbs: Mapping[str, str]) -> Command | Malformed:
    """Return the command of the first pair of tags in *text*; *verbs* has the verb of each tag."""
    tags = "|".join(map(re.escape, verbs))
    matches = re.finditer(rf"<({tags})>(.*?)</\1>", text, re.DOTALL)
    match = next(matches, None)
    if match is None:
        return Malformed(text, "there is no action between tags in it")
    verb, content = verbs[match[1]], match[2].strip()
    if not content:
        return Malformed(text, "there is nothing between the tags")
    if re.search(rf"</?(?:{tags})>", content):
        return Malformed(text, "there is a tag inside a tag")
    if verb == "answer" and any(later[1] == match[1] for later in matches):
        return Malformed(text, "only one can be given at a time")
    return Command(verb, (content,))


def _format_passages(passages: Sequence[Passage]) -> str:
    """Return *passages* in Search-R1's format."""
    return "\n".join(
        f"Doc {number}(Title: {passage.title}) {passage.text}"
        for number, passage in enumerate(passages, 1)
    ).strip()


def _choose_tasks(
    facts: str,
    questions: str | Path | Mapping[str, str | Path] | None,
    tiers: Sequence[str] | None,
) -> Tasks[Question]:
    """Return the questions that are played; a text of *tiers* has commas between them."""
    if facts not in FACTS:
        raise unknown_name("facts", facts, FACTS)
    if questions is None:
        if tiers is not None:
            raise InvalidValueError(
                "`tiers` chooses among your own `questions`; the tier of ours is in the id: "
                "rftgen/SearchQA-hard-v0"
            )
        return FactTasks(facts)
    tiers = [tier.strip() for tier in tiers.split(",")] if isinstance(tiers, str) else tiers
    for tier in tiers or ():
        if tier not in TIERS:
            raise unknown_name("tier", tier, TIERS)
    if isinstance(questions, Mapping):
        return CustomTasks(
            {split: read_questions(path) for split, path in questions.items()}, tiers
        )
    return CustomTasks(read_questions(questions), tiers)


def _absolute(path: str | Path) -> str:
    return str(Path(path).resolve())


def _choose_retriever(
    spec: str | Retriever, facts: str, corpus: str | Path | None, title_weight: int | None
) -> Retriever:
    if corpus is None:
        return make_retriever(spec, lambda: fact_corpus(facts), facts, title_weight=title_weight)
    # The files' sizes and times are part of the key, so that a corpus that changes is read again.
    state = file_states(corpus)
    return make_retriever(
        spec,
        lambda: get_or_make(state, lambda: read_corpus(corpus)),
        str(state),
        title_weight=title_weight,
    )


def _distractors(rng: np.random.Generator, amount: int) -> tuple[str, ...]:
    """Return sentences about leaflets that are not available."""
    return sample_evenly(leaflet_lines(), amount, rng)


def _has_rank(name: str, names: Collection[str]) -> bool:
    """Return whether *name* is one of *names* after a word in lower case."""
    rank, _, rest = name.partition(" ")
    return rank.islower() and rest in names

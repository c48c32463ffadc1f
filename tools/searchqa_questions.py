"""Choose the questions of SearchQA: ``python -m tools.searchqa_questions``.

Run after `tools/searchqa_facts.py`. Every path of every pattern through the facts is a candidate.
A candidate is kept if these conditions hold, with the real names and with invented ones:

- the stored searches find every passage of the chain among the first three;
- a question of several hops, put as the only search, does not find the whole chain;
- no passage but the last one of a chain contains the answer;
- the bridges and the answer belong to the question's split, and to no other.

Splits are drawn for whole families of entities (an order with its families and genera, a country
with its cities, an American state with its cities), because paths rarely leave them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from agentgym_gen.envs.searchqa.generator.graph import FACTS, Graph, fact_graph
from agentgym_gen.envs.searchqa.generator.passages import fact_corpus
from agentgym_gen.envs.searchqa.generator.patterns import PATTERNS, Pattern
from agentgym_gen.envs.searchqa.generator.question_writer import (
    QuestionSpec,
    path_of,
    write_question,
)
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers import BM25Retriever
from agentgym_gen.envs.searchqa.reward import normalize
from agentgym_gen.seeding import stream
from tools.searchqa_facts import fold, write

SHARES = {"train": 0.70, "valid": 0.15, "test": 0.15}
"""Which share of the families each split has."""

TIERS = {"easy": 1, "medium": 2, "hard": 3}
"""The hops of the questions of each tier."""

TOP_K = 3
"""Each hop has to be among so many passages of its search."""

MAX_PER_ANSWER = {"easy": 3, "medium": 8, "hard": 12}
"""How many questions of one pattern may have the same answer."""

MAX_PER_PATTERN = {"easy": 700, "medium": 2500, "hard": 3000}
"""How many questions one pattern may have."""

ABOVE_ORDERS = frozenset(
    {"superorder", "subclass", "class", "superclass", "subphylum", "phylum", "division"}
)
"""The ranks above the families of entities that share a split."""

YEARS = frozenset({"born", "died", "discovery year"})
"""Values that many entities share; they belong to splits of their own."""

UPWARDS = ("member", "state", "country", "part")
"""The relations to what an entity belongs to."""


def root_of(graph: Graph, number: int) -> int:
    """Return the entity whose split *number* has: the top of its family."""
    visited = {number}
    while True:
        entity = graph[number]
        parents = [entity.links[name] for name in UPWARDS if name in entity.links]
        is_top = entity.kind in {"country", "American state"} or not parents
        if is_top or parents[0] in visited or graph[parents[0]].kind in ABOVE_ORDERS:
            return number
        number = parents[0]
        visited.add(number)


def split_of(*key: str) -> str:
    """Return the split that the stream of *key* draws."""
    share = stream("searchqa", "split", *key).random()
    if share < SHARES["train"]:
        return "train"
    return "valid" if share < SHARES["train"] + SHARES["valid"] else "test"


class Splits:
    """Which split each entity and each value belongs to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._split_by_entity = [
            split_of(graph[root_of(graph, number)].title) for number in range(len(graph))
        ]

    def of(self, spec: QuestionSpec) -> str | None:
        """Return the split of the question that *spec* means, or None if it is in several."""
        pattern, path = PATTERNS[spec.pattern], path_of(self.graph, spec)
        if path is None:
            return None
        splits = {self._split_by_entity[number] for number in path[1:]}
        if pattern.compares:
            splits.add(self._split_by_entity[spec.other])
        elif pattern.value in YEARS:
            splits.add(split_of(pattern.value, str(self.graph[path[-1]].values[pattern.value])))
        elif pattern.value and not pattern.path:
            splits.add(self._split_by_entity[path[0]])
        return splits.pop() if len(splits) == 1 else None

    def members(self, split: str, kinds: Iterable[str], value: str) -> list[int]:
        """Return the entities of *split* of one of *kinds* with a certain *value*."""
        return [
            number
            for number, entity in enumerate(self.graph)
            if self._split_by_entity[number] == split
            and entity.kind in kinds
            and value in entity.values
        ]


class QuestionChecker:
    """Checks the conditions that a question has to meet, with one set of names."""

    def __init__(self, facts: str) -> None:
        self.graph = fact_graph(facts)
        self.retriever = BM25Retriever(fact_corpus(facts), keep=False)
        self.texts = {passage.title: normalize(passage.contents) for passage in fact_corpus(facts)}
        names = Counter(name for entity in self.graph for name in set(map(fold, entity.names)))
        self.is_unique = [names[fold(entity.name)] == 1 for entity in self.graph]

    def fault(self, spec: QuestionSpec) -> str | None:
        """Return which condition the question that *spec* means does not meet, or None."""
        question = write_question(self.graph, spec)
        if question is None:
            return "no question"
        numbers = [spec.topic, *([spec.other] if spec.other >= 0 else [])]
        if not all(self.is_unique[number] for number in numbers):
            return "ambiguous name"
        if "beijing" in map(normalize, question.answers):
            return "answer of the instruction's example"
        if self._is_answered_early(question):
            return "told early"
        if not all(hop.title in self._titles(hop.query) for hop in question.hops):
            return "not found"
        finds_all = {hop.title for hop in question.hops} <= self._titles(question.text)
        return "found at once" if len(question.hops) > 1 and finds_all else None

    def _is_answered_early(self, question: Question) -> bool:
        if question.kind == "comparison":
            return False
        early = [f" {self.texts[hop.title]} " for hop in question.hops[:-1]]
        last = f" {self.texts[question.hops[-1].title]} "
        answers = [f" {normalize(answer)} " for answer in question.answers]
        return any(answer in text for answer in answers for text in early) or answers[0] not in last

    def _titles(self, query: str) -> set[str]:
        return {passage.title for passage in self.retriever.search(query, TOP_K)}


def candidates(splits: Splits) -> Iterator[tuple[QuestionSpec, str]]:
    """Yield every question of every pattern with its split."""
    for index, pattern in enumerate(PATTERNS):
        rng = stream("searchqa", "others", index)
        others = {split: splits.members(split, *_others(pattern)) for split in SHARES}
        for number in range(len(splits.graph)):
            path = splits.graph.follow(number, pattern.path)
            if path is None:
                continue
            other = -1
            if pattern.compares:
                pool = others[splits.of(QuestionSpec(index, number, path[-1])) or "train"]
                other = pool[int(rng.integers(len(pool)))]
            spec = QuestionSpec(index, number, other)
            split = splits.of(spec)
            if split:
                yield spec, split


def _others(pattern: Pattern) -> tuple[set[str], str]:
    kinds = {"country"} if pattern.value == "area" else {"city"}
    return kinds, pattern.value


class Selection:
    """The questions that are kept, within the limits of patterns and answers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.specs: dict[str, dict[str, list[QuestionSpec]]] = {
            tier: {split: [] for split in SHARES} for tier in TIERS
        }
        self._counts: Counter[Any] = Counter()
        self._owner: dict[str, str] = {}

    def has_room(self, tier: str, spec: QuestionSpec, split: str) -> bool:
        """Say whether *split* has room for another question of this pattern and answer."""
        pattern, answer = ("pattern", spec.pattern), (spec.pattern, self._answer(spec))
        if self._counts[pattern] >= MAX_PER_PATTERN[tier]:
            return False
        if self._counts[answer] >= MAX_PER_ANSWER[tier]:
            return False
        return all(self._owner.get(name, split) == split for name in self._names(spec))

    def add(self, tier: str, spec: QuestionSpec, split: str) -> None:
        """Keep *spec*."""
        self._counts[("pattern", spec.pattern)] += 1
        self._counts[(spec.pattern, self._answer(spec))] += 1
        self._owner.update(dict.fromkeys(self._names(spec), split))
        self.specs[tier][split].append(spec)

    def _answer(self, spec: QuestionSpec) -> str:
        question = write_question(self.graph, spec)
        return normalize(question.answers[0]) if question else ""

    def _names(self, spec: QuestionSpec) -> list[str]:
        """Return the names of all bridges and answers, which no other split may have."""
        question, path = write_question(self.graph, spec), path_of(self.graph, spec)
        if question is None or path is None:
            return []
        bridges = [name for number in path[1:] for name in self.graph[number].names]
        others = self.graph[spec.other].names if spec.other >= 0 else ()
        return [normalize(name) for name in (*question.answers, *bridges, *others)]


def main() -> None:
    """Write the data file and print how many questions were dropped for what."""
    checkers = [QuestionChecker(facts) for facts in FACTS]
    splits = Splits(checkers[0].graph)
    selection = Selection(checkers[0].graph)
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    pool = list(candidates(splits))
    for index in stream("searchqa", "order").permutation(len(pool)):
        spec, split = pool[index]
        tier = next(name for name, hops in TIERS.items() if hops == PATTERNS[spec.pattern].hops)
        if not selection.has_room(tier, spec, split):
            continue
        fault = next(filter(None, (checker.fault(spec) for checker in checkers)), None)
        faults[tier][fault or "kept"] += 1
        if fault is None:
            selection.add(tier, spec, split)
    report(selection, faults)
    write("questions.json.gz", {"questions": rows(selection)})


def rows(selection: Selection) -> dict[str, dict[str, list[list[int]]]]:
    """Return the questions as lists of numbers, by tier and split, shuffled.

    Unshuffled, the first ones would all be about the most frequent topics.
    """
    return {
        tier: {
            split: [_row(specs[index]) for index in _order(tier, split, len(specs))]
            for split, specs in by_split.items()
        }
        for tier, by_split in selection.specs.items()
    }


def _row(spec: QuestionSpec) -> list[int]:
    return [spec.pattern, spec.topic, *([spec.other] if spec.other >= 0 else [])]


def _order(tier: str, split: str, number: int) -> list[int]:
    return [int(index) for index in stream("searchqa", "rows", tier, split).permutation(number)]


def report(selection: Selection, faults: dict[str, Counter[str]]) -> None:
    """Print the counts of questions, patterns and faults."""
    for tier, by_split in selection.specs.items():
        sizes = {split: len(specs) for split, specs in by_split.items()}
        print(tier, sum(sizes.values()), sizes, dict(faults[tier]))
        for index, pattern in enumerate(PATTERNS):
            count = {
                split: sum(spec.pattern == index for spec in specs)
                for split, specs in by_split.items()
            }
            if pattern.hops == TIERS[tier]:
                print("   ", pattern.path, pattern.value, pattern.compares, count)


if __name__ == "__main__":
    main()

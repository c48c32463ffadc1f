"""Choose the questions of SearchQA: ``python -m tools.searchqa_questions``.

Run after `tools/searchqa_facts.py`. Every path of every pattern through the facts is a candidate.
Kept are those that hold these laws, under the true names and under invented ones:

- the stored searches find every passage of the chain among the first three;
- a question of several hops, put as the only search, does not find the whole chain;
- no passage but the last one of a chain says the answer;
- the bridges and the answer belong to the question's split, and to no other.

Splits are drawn for whole families of entities (an order with its families and genera, a country
with its cities, an American state with its cities), because paths rarely leave them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from agentgym_gen.envs.searchqa.generator.passages import fact_corpus
from agentgym_gen.envs.searchqa.generator.graph import FACTS, Graph, fact_graph
from agentgym_gen.envs.searchqa.generator.patterns import PATTERNS, Pattern
from agentgym_gen.envs.searchqa.generator.question_writer import QuestionSpec, path_of, write_question
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers.bm25 import BM25Retriever
from agentgym_gen.envs.searchqa.reward import normalize
from agentgym_gen.seeding import stream
from tools.searchqa_facts import folded, write

SHARES = {"train": 0.70, "valid": 0.15, "test": 0.15}
"""Which share of the families each split has."""

TIERS = {"easy": 1, "medium": 2, "hard": 3}
"""The hops of the questions of each tier."""

FOUND = 3
"""Among how many passages each hop has to be found."""

MOST_PER_ANSWER = {"easy": 3, "medium": 8, "hard": 12}
"""How many questions of one pattern may have the same answer."""

MOST_PER_PATTERN = {"easy": 700, "medium": 2500, "hard": 3000}
"""How many questions one pattern may have."""

ABOVE_ORDERS = frozenset(
    {"superorder", "subclass", "class", "superclass", "subphylum", "phylum", "division"}
)
"""The ranks above the families of entities that share a split."""

YEARS = frozenset({"born", "died", "discovery year"})
"""Values that many entities share; they belong to splits of their own."""

UPWARDS = ("member", "state", "country", "part")


def root_of(graph: Graph, number: int) -> int:
    """Return the entity whose split *number* has: the top of its family."""
    seen = {number}
    while True:
        entity = graph[number]
        ups = [entity.links[name] for name in UPWARDS if name in entity.links]
        stop = entity.kind in {"country", "American state"} or not ups or ups[0] in seen
        if stop or graph[ups[0]].kind in ABOVE_ORDERS:
            return number
        number = ups[0]
        seen.add(number)


def split_of(*key: str) -> str:
    """Return the split that the stream of *key* draws."""
    drawn = stream("searchqa", "split", *key).random()
    if drawn < SHARES["train"]:
        return "train"
    return "valid" if drawn < SHARES["train"] + SHARES["valid"] else "test"


class Splits:
    """Which split each entity and each value belongs to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._of = [split_of(graph[root_of(graph, number)].title) for number in range(len(graph))]

    def of(self, draft: QuestionSpec) -> str | None:
        """Return the split of the question that *draft* means, or None if it is torn."""
        pattern, path = PATTERNS[draft.pattern], path_of(self.graph, draft)
        if path is None:
            return None
        splits = {self._of[number] for number in path[1:]}
        if pattern.compares:
            splits.add(self._of[draft.other])
        elif pattern.value in YEARS:
            splits.add(split_of(pattern.value, str(self.graph[path[-1]].values[pattern.value])))
        elif pattern.value and not pattern.path:
            splits.add(self._of[path[0]])
        return splits.pop() if len(splits) == 1 else None

    def members(self, split: str, kinds: Iterable[str], value: str) -> list[int]:
        """Return the entities of *split* of one of *kinds* with a certain *value*."""
        return [
            number
            for number, entity in enumerate(self.graph)
            if self._of[number] == split and entity.kind in kinds and value in entity.values
        ]


class Judge:
    """The laws that a question of one set of names has to hold."""

    def __init__(self, facts: str) -> None:
        self.graph = fact_graph(facts)
        self.retriever = BM25Retriever(fact_corpus(facts), keep=False)
        self.texts = {one.title: normalize(one.contents) for one in fact_corpus(facts)}
        names = Counter(name for one in self.graph for name in set(map(folded, one.names)))
        self.unique = [names[folded(one.name)] == 1 for one in self.graph]

    def fault(self, draft: QuestionSpec) -> str | None:
        """Return which law the question that *draft* means breaks, or None."""
        question = write_question(self.graph, draft)
        if question is None:
            return "no question"
        named = [draft.topic, *([draft.other] if draft.other >= 0 else [])]
        if not all(self.unique[number] for number in named):
            return "ambiguous name"
        if "beijing" in map(normalize, question.answers):
            return "answer of the instruction's example"
        if self._told_early(question):
            return "told early"
        if not all(hop.title in self._titles(hop.query) for hop in question.hops):
            return "not found"
        whole = {hop.title for hop in question.hops} <= self._titles(question.text)
        return "found at once" if len(question.hops) > 1 and whole else None

    def _told_early(self, question: Question) -> bool:
        if question.kind == "comparison":
            return False
        early = [f" {self.texts[hop.title]} " for hop in question.hops[:-1]]
        last = f" {self.texts[question.hops[-1].title]} "
        told = [f" {normalize(answer)} " for answer in question.answers]
        return any(one in text for one in told for text in early) or told[0] not in last

    def _titles(self, query: str) -> set[str]:
        return {passage.title for passage in self.retriever.search(query, FOUND)}


def candidates(splits: Splits) -> Iterator[tuple[QuestionSpec, str]]:
    """Yield every question of every pattern with its split."""
    for place, pattern in enumerate(PATTERNS):
        rng = stream("searchqa", "others", place)
        others = {split: splits.members(split, *_others(pattern)) for split in SHARES}
        for number in range(len(splits.graph)):
            path = splits.graph.follow(number, pattern.path)
            if path is None:
                continue
            other = -1
            if pattern.compares:
                pool = others[splits.of(QuestionSpec(place, number, path[-1])) or "train"]
                other = pool[int(rng.integers(len(pool)))]
            draft = QuestionSpec(place, number, other)
            split = splits.of(draft)
            if split:
                yield draft, split


def _others(pattern: Pattern) -> tuple[set[str], str]:
    kinds = {"country"} if pattern.value == "area" else {"city"}
    return kinds, pattern.value


class Chosen:
    """The questions that are kept, within the limits of patterns and answers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.kept: dict[str, dict[str, list[QuestionSpec]]] = {
            tier: {split: [] for split in SHARES} for tier in TIERS
        }
        self._counts: Counter[Any] = Counter()
        self._owner: dict[str, str] = {}

    def takes(self, tier: str, draft: QuestionSpec, split: str) -> bool:
        """Say whether another question of this pattern and answer is wanted in *split*."""
        pattern, answer = ("pattern", draft.pattern), (draft.pattern, self._answer(draft))
        if self._counts[pattern] >= MOST_PER_PATTERN[tier]:
            return False
        if self._counts[answer] >= MOST_PER_ANSWER[tier]:
            return False
        return all(self._owner.get(name, split) == split for name in self._names(draft))

    def add(self, tier: str, draft: QuestionSpec, split: str) -> None:
        """Keep *draft*."""
        self._counts[("pattern", draft.pattern)] += 1
        self._counts[(draft.pattern, self._answer(draft))] += 1
        self._owner.update(dict.fromkeys(self._names(draft), split))
        self.kept[tier][split].append(draft)

    def _answer(self, draft: QuestionSpec) -> str:
        question = write_question(self.graph, draft)
        return normalize(question.answers[0]) if question else ""

    def _names(self, draft: QuestionSpec) -> list[str]:
        """Return the names of all bridges and answers, which no other split may have."""
        question, path = write_question(self.graph, draft), path_of(self.graph, draft)
        if question is None or path is None:
            return []
        bridges = [name for number in path[1:] for name in self.graph[number].names]
        others = self.graph[draft.other].names if draft.other >= 0 else ()
        return [normalize(name) for name in (*question.answers, *bridges, *others)]


def main() -> None:
    """Write the data file and print how many questions were dropped for what."""
    judges = [Judge(facts) for facts in FACTS]
    splits = Splits(judges[0].graph)
    chosen = Chosen(judges[0].graph)
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    pool = list(candidates(splits))
    for place in stream("searchqa", "order").permutation(len(pool)):
        draft, split = pool[place]
        tier = next(name for name, hops in TIERS.items() if hops == PATTERNS[draft.pattern].hops)
        if not chosen.takes(tier, draft, split):
            continue
        fault = next(filter(None, (judge.fault(draft) for judge in judges)), None)
        faults[tier][fault or "kept"] += 1
        if fault is None:
            chosen.add(tier, draft, split)
    report(chosen, faults)
    write("questions.json.gz", {"questions": rows(chosen)})


def rows(chosen: Chosen) -> dict[str, dict[str, list[list[int]]]]:
    """Return the questions as lists of numbers, by tier and split, shuffled.

    In the order in which they were chosen, the first would all be about what is commonest.
    """
    return {
        tier: {
            split: [_row(kept[place]) for place in _order(tier, split, len(kept))]
            for split, kept in by_split.items()
        }
        for tier, by_split in chosen.kept.items()
    }


def _row(draft: QuestionSpec) -> list[int]:
    return [draft.pattern, draft.topic, *([draft.other] if draft.other >= 0 else [])]


def _order(tier: str, split: str, number: int) -> list[int]:
    return [int(place) for place in stream("searchqa", "rows", tier, split).permutation(number)]


def report(chosen: Chosen, faults: dict[str, Counter[str]]) -> None:
    """Print the counts of questions, patterns and faults."""
    for tier, by_split in chosen.kept.items():
        sizes = {split: len(kept) for split, kept in by_split.items()}
        print(tier, sum(sizes.values()), sizes, dict(faults[tier]))
        for place, pattern in enumerate(PATTERNS):
            count = {
                split: sum(one.pattern == place for one in kept) for split, kept in by_split.items()
            }
            if pattern.hops == TIERS[tier]:
                print("   ", pattern.path, pattern.value, pattern.compares, count)


if __name__ == "__main__":
    main()

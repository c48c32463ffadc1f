"""SearchQA's facts and questions: counts, splits, and that they are what they claim to be."""

import hashlib
import pathlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from agentgym_gen.envs.searchqa.corpus import PASSAGE_VERSION, fact_corpus
from agentgym_gen.envs.searchqa.generator.graph import FACTS, fact_graph, load_data
from agentgym_gen.envs.searchqa.generator.patterns import PATTERNS
from agentgym_gen.envs.searchqa.questions import Question, path_of
from agentgym_gen.envs.searchqa.retrievers.bm25 import BM25Retriever
from agentgym_gen.envs.searchqa.reward import normalize
from agentgym_gen.envs.searchqa.tasks import FactTasks
from agentgym_gen.world import SPLITS, TIERS

ROOT = pathlib.Path(__file__).parents[2]
LEAST = {"easy": 1000, "medium": 4000, "hard": 3000}
HOPS = {"easy": 1, "medium": 2, "hard": 3}
PASSAGES = "00789ec950d8e93b"
"""The hash of the passages with real names under wording 1."""


def cells() -> Iterator[tuple[str, str, int]]:
    """Yield tier, split and index of every question."""
    tasks = FactTasks()
    for tier in TIERS:
        for split in SPLITS:
            for index in range(tasks.size(tier, split)):
                yield tier, split, index


def entities(tier: str, split: str, index: int) -> set[str]:
    """Return the names of the bridges, the answer and what it is compared with."""
    tasks, graph = FactTasks(), fact_graph("real")
    draft = tasks.spec(tier, split, index)
    path = path_of(graph, draft)
    assert path is not None
    compared = [draft.other] if draft.other >= 0 else []
    question = tasks.make(tier, split, index).content
    names = [name for number in (*path[1:], *compared) for name in graph[number].names]
    return {normalize(name) for name in (*names, *question.answers)}


class TestFacts:
    """The graph."""

    def test_titles_are_unique(self) -> None:
        """In both worlds."""
        for facts in FACTS:
            titles = [one.title for one in fact_graph(facts)]
            assert len(set(titles)) == len(titles) == 22025

    def test_every_relation_has_one_target_of_a_fitting_kind(self) -> None:
        """A city lies in a country, a country's capital is a city in it."""
        graph = fact_graph("real")
        for place, one in enumerate(graph):
            if "country" in one.links:
                assert graph[one.links["country"]].kind == "country"
            if one.kind == "country" and "capital" in one.links:
                assert graph[one.links["capital"]].links["country"] == place

    def test_there_are_the_countries_of_today(self) -> None:
        """And no territory, and none that is gone."""
        names = {one.name for one in fact_graph("real") if one.kind == "country"}

        assert len(names) == 194
        assert not names & {"Soviet Union", "Yugoslavia", "Netherlands Antilles", "Greenland"}
        assert {"South Sudan", "Montenegro", "North Macedonia", "Eswatini"} <= names

    def test_capitals_are_those_of_today(self) -> None:
        """Some have changed since the sources were made."""
        graph = fact_graph("real")
        capitals = {
            one.name: graph[one.links["capital"]].name
            for one in graph
            if one.kind == "country" and "capital" in one.links
        }

        assert capitals["Kazakhstan"] == "Astana"
        assert capitals["Burundi"] == "Gitega"
        assert capitals["India"] == "New Delhi"
        assert "Bolivia" not in capitals

    def test_sources_are_named(self) -> None:
        """In the data file itself."""
        assert set(load_data("facts.json.gz")["sources"]) == {
            "WordNet", "GeoNames", "countryinfo", "mendeleev",
        }  # fmt: skip

    def test_passages_change_with_their_wording_number_only(self) -> None:
        """Indexes are kept under that number: raise it when this hash has to change."""
        whole = hashlib.sha256("\0".join(one.contents for one in fact_corpus("real")).encode())

        assert (PASSAGE_VERSION, whole.hexdigest()[:16]) == (1, PASSAGES)

    def test_no_passage_names_an_action(self) -> None:
        """Or a renamed wording would leak through it."""
        words = {"search", "answer"}
        for passage in fact_corpus("real"):
            assert not words & set(passage.contents.lower().replace(".", " ").split())


class TestQuestions:
    """All of them."""

    @pytest.mark.parametrize("tier", TIERS)
    def test_there_are_enough(self, tier: str) -> None:
        """And some in every split."""
        sizes = [FactTasks().size(tier, split) for split in SPLITS]

        assert sum(sizes) >= LEAST[tier]
        assert min(sizes) >= 200

    def test_a_tier_is_a_number_of_hops(self) -> None:
        """1, 2 and 3 passages."""
        tasks = FactTasks()
        for tier, split, index in cells():
            draft = tasks.spec(tier, split, index)
            assert PATTERNS[draft.pattern].hops == HOPS[tier]

    def test_both_kinds_are_there(self) -> None:
        """Bridges and comparisons in the two tiers that can have them."""
        tasks = FactTasks()
        for tier in ("medium", "hard"):
            for split in SPLITS:
                kinds = {
                    tasks.make(tier, split, index).content.kind
                    for index in range(tasks.size(tier, split))
                }
                assert kinds == {"bridge", "comparison"}

    def test_splits_share_no_bridge_and_no_answer(self) -> None:
        """By name: what is an answer or a bridge in one split is neither in another."""
        owners: dict[str, str] = {}
        for tier, split, index in cells():
            for name in entities(tier, split, index):
                assert owners.setdefault(name, split) == split, (name, tier, split, index)

    def test_the_documentation_counts_right(self) -> None:
        """Its table of tiers and kinds has today's numbers."""
        tasks, counts = FactTasks(), Counter[tuple[str, str, str]]()
        for tier, split, index in cells():
            counts[tier, tasks.make(tier, split, index).content.kind, split] += 1
        page = (ROOT / "docs" / "environments" / "searchqa.md").read_text(encoding="utf-8")
        told = re.findall(r"^\| (\w+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", page, re.M)

        assert {
            (tier, kind, split): int(number.replace(",", ""))
            for tier, kind, *numbers in told
            for split, number in zip(SPLITS, numbers, strict=True)
        } == counts

    def test_no_question_is_there_twice(self) -> None:
        """In all tiers and splits."""
        tasks = FactTasks()
        texts = [tasks.make(*cell).content.text for cell in cells()]

        assert len(set(texts)) == len(texts)


def found(retriever: BM25Retriever, query: str) -> set[str]:
    """Return the titles of the first three passages."""
    return {passage.title for passage in retriever.search(query, 3)}


@pytest.mark.slow
@pytest.mark.parametrize(("facts", "every"), [("real", 1), ("invented", 4)])
class TestSolved:
    """Every question (of the invented names every fourth), with the retriever that ships."""

    def test_the_stored_searches_find_the_chain_and_the_answer(
        self, facts: str, every: int
    ) -> None:
        """Each hop is among three passages, and the last passage has the answer."""
        tasks, retriever = FactTasks(facts), BM25Retriever(fact_corpus(facts))
        texts = {one.title: normalize(one.contents) for one in fact_corpus(facts)}
        for tier, split, index in list(cells())[::every]:
            question = tasks.make(tier, split, index).content
            for hop in question.hops:
                assert hop.title in found(retriever, hop.query), (tier, split, index, hop)
            if question.kind != "comparison":
                assert normalize(question.answers[0]) in texts[question.hops[-1].title]

    def test_one_search_does_not_find_the_chain(self, facts: str, every: int) -> None:
        """The question itself as the only search finds less than all, in 95 of 100 at least."""
        tasks, retriever = FactTasks(facts), BM25Retriever(fact_corpus(facts))
        questions = [tasks.make(*cell).content for cell in cells() if cell[0] != "easy"][::every]
        at_once = sum(_is_found(retriever, question) for question in questions)

        assert at_once / len(questions) < 0.05


def _is_found(retriever: BM25Retriever, question: Question) -> bool:
    return {hop.title for hop in question.hops} <= found(retriever, question.text)

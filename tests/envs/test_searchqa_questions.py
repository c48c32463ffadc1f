"""SearchQA's facts and questions: counts, splits, and what the documentation claims of them."""

import hashlib
import pathlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from agentgym_gen.envs.searchqa.generator.graph import FACTS, fact_graph, load_data
from agentgym_gen.envs.searchqa.generator.passages import PASSAGE_VERSION, fact_corpus
from agentgym_gen.envs.searchqa.generator.patterns import PATTERNS
from agentgym_gen.envs.searchqa.generator.question_writer import path_of
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers import BM25Retriever
from agentgym_gen.envs.searchqa.reward import normalize
from agentgym_gen.envs.searchqa.tasks import FactTasks
from agentgym_gen.world import SPLITS, TIERS

ROOT = pathlib.Path(__file__).parents[2]
MIN_QUESTIONS = {"easy": 1000, "medium": 4000, "hard": 3000}
HOPS = {"easy": 1, "medium": 2, "hard": 3}
PASSAGES_HASH = "00789ec950d8e93b"
"""The hash of the passages with real names under version 1."""


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
    spec = tasks.spec(tier, split, index)
    path = path_of(graph, spec)
    assert path is not None
    compared = [spec.other] if spec.other >= 0 else []
    question = tasks.make(tier, split, index).content
    names = [name for number in (*path[1:], *compared) for name in graph[number].names]
    return {normalize(name) for name in (*names, *question.answers)}


class TestFacts:
    """The graph."""

    def test_titles_are_unique(self) -> None:
        """No two entities share a title, with real names or invented ones."""
        for facts in FACTS:
            titles = [entity.title for entity in fact_graph(facts)]
            assert len(set(titles)) == len(titles) == 22025

    def test_every_relation_has_one_target_of_a_fitting_kind(self) -> None:
        """A city lies in a country, and a country's capital is a city in it."""
        graph = fact_graph("real")
        for number, entity in enumerate(graph):
            if "country" in entity.links:
                assert graph[entity.links["country"]].kind == "country"
            if entity.kind == "country" and "capital" in entity.links:
                assert graph[entity.links["capital"]].links["country"] == number

    def test_there_are_the_countries_of_today(self) -> None:
        """The countries are the 194 of today, without territories and former countries."""
        names = {entity.name for entity in fact_graph("real") if entity.kind == "country"}

        assert len(names) == 194
        assert not names & {"Soviet Union", "Yugoslavia", "Netherlands Antilles", "Greenland"}
        assert {"South Sudan", "Montenegro", "North Macedonia", "Eswatini"} <= names

    def test_capitals_are_those_of_today(self) -> None:
        """Capitals that changed after the sources were made are those of today."""
        graph = fact_graph("real")
        capitals = {
            entity.name: graph[entity.links["capital"]].name
            for entity in graph
            if entity.kind == "country" and "capital" in entity.links
        }

        assert capitals["Kazakhstan"] == "Astana"
        assert capitals["Burundi"] == "Gitega"
        assert capitals["India"] == "New Delhi"
        assert "Bolivia" not in capitals

    def test_sources_are_named(self) -> None:
        """The data file names its sources."""
        assert set(load_data("facts.json.gz")["sources"]) == {
            "WordNet", "GeoNames", "countryinfo", "mendeleev",
        }  # fmt: skip

    def test_passages_change_with_their_version_only(self) -> None:
        """Indexes are cached under the version: raise it when this hash has to change."""
        contents = "\0".join(passage.contents for passage in fact_corpus("real"))
        digest = hashlib.sha256(contents.encode())

        assert (PASSAGE_VERSION, digest.hexdigest()[:16]) == (1, PASSAGES_HASH)

    def test_no_passage_names_an_action(self) -> None:
        """No passage has a verb's name, which would reveal it where verbs are renamed."""
        words = {"search", "answer"}
        for passage in fact_corpus("real"):
            assert not words & set(passage.contents.lower().replace(".", " ").split())


class TestQuestions:
    """All questions that ship."""

    @pytest.mark.parametrize("tier", TIERS)
    def test_there_are_enough(self, tier: str) -> None:
        """Every tier has enough questions, and every split at least 200 of them."""
        sizes = [FactTasks().size(tier, split) for split in SPLITS]

        assert sum(sizes) >= MIN_QUESTIONS[tier]
        assert min(sizes) >= 200

    def test_a_tier_is_a_number_of_hops(self) -> None:
        """Questions of the three tiers have 1, 2 and 3 hops."""
        tasks = FactTasks()
        for tier, split, index in cells():
            spec = tasks.spec(tier, split, index)
            assert PATTERNS[spec.pattern].hops == HOPS[tier]

    def test_both_kinds_are_there(self) -> None:
        """Every split of medium and hard has bridge questions and comparisons."""
        tasks = FactTasks()
        for tier in ("medium", "hard"):
            for split in SPLITS:
                kinds = {
                    tasks.make(tier, split, index).content.kind
                    for index in range(tasks.size(tier, split))
                }
                assert kinds == {"bridge", "comparison"}

    def test_splits_share_no_bridge_and_no_answer(self) -> None:
        """A name that is an answer or a bridge in one split is neither in another split."""
        owners: dict[str, str] = {}
        for tier, split, index in cells():
            for name in entities(tier, split, index):
                assert owners.setdefault(name, split) == split, (name, tier, split, index)

    def test_the_documentation_counts_right(self) -> None:
        """The table of tiers and kinds on the documentation page has the right numbers."""
        tasks, counts = FactTasks(), Counter[tuple[str, str, str]]()
        for tier, split, index in cells():
            counts[tier, tasks.make(tier, split, index).content.kind, split] += 1
        page = (ROOT / "docs" / "environments" / "searchqa.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| (\w+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", page, re.M)

        assert {
            (tier, kind, split): int(number.replace(",", ""))
            for tier, kind, *numbers in rows
            for split, number in zip(SPLITS, numbers, strict=True)
        } == counts

    def test_no_question_is_there_twice(self) -> None:
        """No text of a question occurs twice, in any tier and split."""
        tasks = FactTasks()
        texts = [tasks.make(*cell).content.text for cell in cells()]

        assert len(set(texts)) == len(texts)


def first_titles(retriever: BM25Retriever, query: str) -> set[str]:
    """Return the titles of the first three passages."""
    return {passage.title for passage in retriever.search(query, 3)}


@pytest.mark.slow
@pytest.mark.parametrize(("facts", "every"), [("real", 1), ("invented", 4)])
class TestSolved:
    """Every question with real names, and every fourth with invented ones, by keyword search."""

    def test_the_stored_searches_find_the_chain_and_the_answer(
        self, facts: str, every: int
    ) -> None:
        """Each search finds its passage among the first three; the last one has the answer."""
        tasks, retriever = FactTasks(facts), BM25Retriever(fact_corpus(facts))
        texts = {passage.title: normalize(passage.contents) for passage in fact_corpus(facts)}
        for tier, split, index in list(cells())[::every]:
            question = tasks.make(tier, split, index).content
            for hop in question.hops:
                assert hop.title in first_titles(retriever, hop.query), (tier, split, index, hop)
            if question.kind != "comparison":
                assert normalize(question.answers[0]) in texts[question.hops[-1].title]

    def test_one_search_does_not_find_the_chain(self, facts: str, every: int) -> None:
        """Less than 5 % of the questions find their whole chain when put as the only search."""
        tasks, retriever = FactTasks(facts), BM25Retriever(fact_corpus(facts))
        questions = [tasks.make(*cell).content for cell in cells() if cell[0] != "easy"][::every]
        at_once = sum(_is_found(retriever, question) for question in questions)

        assert at_once / len(questions) < 0.05


def _is_found(retriever: BM25Retriever, question: Question) -> bool:
    return {hop.title for hop in question.hops} <= first_titles(retriever, question.text)

"""Scores worked out by hand, ties, and files."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.retrieval.bm25 import stored_length

TEXTS = ("red shoe", "blue shoe with red laces", "green hat", "red shoe")


def ranked(index: BM25Index, query: str, k: int = 10) -> list[int]:
    """Return the numbers of the best documents for *query*."""
    return index.search(query, k)[0].tolist()


def test_score_by_hand() -> None:
    """A score is ``idf * tf / (tf + k1 * (1 - b + b * length / mean))``."""
    index = BM25Index.build(["cat dog", "cat", "bird bird fish"])
    rarity = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    expected = rarity * 2 / (2 + 0.9 * (0.6 + 0.4 * 3 / 2))

    documents, scores = index.search("birds", 5)

    assert documents.tolist() == [2]
    assert scores.tolist() == pytest.approx([expected], rel=1e-6)


def test_a_word_that_occurs_twice_counts_twice() -> None:
    """Each mention in the query adds the word's score again."""
    index = BM25Index.build(TEXTS)

    once, twice = index.search("hat", 1)[1][0], index.search("hat hat", 1)[1][0]

    assert twice == pytest.approx(2 * once, rel=1e-6)


def test_ties_keep_the_order_of_documents() -> None:
    """Equal documents come in the order in which they were given."""
    assert ranked(BM25Index.build(TEXTS), "red shoe") == [0, 3, 1]


def test_a_cut_through_ties_keeps_the_first() -> None:
    """When only some of equal documents fit, they are the first ones."""
    assert ranked(BM25Index.build(["x"] * 9), "x", 4) == [0, 1, 2, 3]


@pytest.mark.parametrize("query", ["", "the", "zebra", "\u2014", "[" * 10_000])
def test_nothing_found(query: str) -> None:
    """A query without a word of the index finds nothing."""
    assert ranked(BM25Index.build(TEXTS), query) == []


def test_an_empty_index_finds_nothing() -> None:
    """An index of no texts can be built and searched."""
    assert ranked(BM25Index.build([]), "shoe") == []


def test_lengths_are_kept_in_four_binary_digits() -> None:
    """Lengths are exact to 40, then rounded down, as one byte of Lucene holds them."""
    assert [stored_length(n) for n in (0, 39, 40, 41, 55, 56, 58, 120)] == [
        0, 39, 40, 40, 54, 56, 56, 120,
    ]  # fmt: skip


def test_file_round_trip(tmp_path: Path) -> None:
    """What was saved is loaded again, words of any script too."""
    index = BM25Index.build([*TEXTS, "caf\u00e9 \u65e5"])
    path = tmp_path / "index.npz"

    index.save(path)
    loaded = BM25Index.load(path)

    assert len(loaded) == 5
    for query in ("red", "caf\u00e9", "\u65e5 hat"):
        for built, read in zip(index.search(query, 9), loaded.search(query, 9), strict=True):
            np.testing.assert_array_equal(built, read)
    assert [file.name for file in tmp_path.iterdir()] == ["index.npz"]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """A file that is no index is an error with its path."""
    path = tmp_path / "index.npz"
    path.write_bytes(b"not an index")

    with pytest.raises(DataError, match=r"index\.npz"):
        BM25Index.load(path)


def test_threads_find_the_same() -> None:
    """Many threads may search one index."""
    index = BM25Index.build(f"word{i % 7} text{i}" for i in range(500))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: ranked(index, f"word{i % 7}"), range(70)))

    assert results == [ranked(index, f"word{i % 7}") for i in range(70)]


@pytest.mark.parametrize(("k1", "b"), [(0.0, 0.4), (0.9, 1.1), (float("nan"), 0.4)])
def test_parameters_are_checked(k1: float, b: float) -> None:
    """A parameter out of its range is an error."""
    with pytest.raises(InvalidValueError, match="`k1`"):
        BM25Index.build(TEXTS, k1=k1, b=b)


def test_k_is_checked() -> None:
    """A search for 0 documents is an error."""
    with pytest.raises(InvalidValueError, match="`k`"):
        BM25Index.build(TEXTS).search("red", 0)

"""Terms as Lucene makes them; the expected values are what Lucene 9.5 itself answered."""

from __future__ import annotations

import pytest

from agentgym_gen.retrieval import english_terms, stem, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.b.c a:b 1:2 a.1 1.a", ["a.b.c", "a:b", "1", "2", "a", "1", "1", "a"]),
        ("3,000.50;4 and 5'6", ["3,000.50;4", "and", "5'6"]),
        ("_x_ __ a_b 1_2", ["_x_", "a_b", "1_2"]),
        ("don't 'quoted' o\u2019neil dogs'", ["don't", "quoted", "o\u2019neil", "dogs"]),
        ("5\u00b0C \u00bd \u00b2 x\u00d7y", ["5", "C", "x", "y"]),
        ("cafe\u0301s f\u200bg", ["cafe\u0301s", "f", "g"]),
        ("\u65e5\u672c\u306e\u30c6\u30ad", ["\u65e5", "\u672c", "\u306e", "\u30c6\u30ad"]),
        ("\u0e20\u0e32\u0e29\u0e32 \ud55c", ["\u0e20\u0e32\u0e29\u0e32", "\ud55c"]),
        ("\u2605New \u2606old \u00ae", ["\u2605", "New", "old", "\u00ae"]),
        ("\U0001f44d\U0001f3fd\U0001f44d", ["\U0001f44d\U0001f3fd", "\U0001f44d"]),
        ("\U0001f468\u200d\U0001f4bc!", ["\U0001f468\u200d\U0001f4bc"]),
        ("", []),
        ("--- !!! ...", []),
    ],
)  # fmt: skip
def test_tokens(text: str, words: list[str]) -> None:
    """Words end where Lucene's `StandardTokenizer` ends them."""
    assert tokens(text) == words


def test_long_words_are_cut() -> None:
    """A word of 600 letters is three words of at most 255."""
    assert [len(word) for word in tokens("x" * 600)] == [255, 255, 90]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Women's shoes, size 7.5", ["women", "shoe", "size", "7.5"]),
        ("The dogs' and O\u2019NEIL\u2019S", ["dog", "o\u2019neil"]),
        ("It is not for the weary", ["weari"]),
        ("\u0391\u03a3", ["\u03b1\u03c3"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    """Possessives go, capitals fall, stop words are left out, the rest is stemmed."""
    assert english_terms(text) == terms


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("agreed", "agre"),
        ("feed", "feed"),
        ("plastered", "plaster"),
        ("conflated", "conflat"),
        ("falling", "fall"),
        ("filing", "file"),
        ("possibly", "possibl"),
        ("archaeology", "archaeolog"),
        ("electriciti", "electr"),
        ("adoption", "adopt"),
        ("replacement", "replac"),
        ("rate", "rate"),
        ("cease", "ceas"),
        ("controll", "control"),
        ("syzygy", "syzygi"),
        ("is", "is"),
    ],
)
def test_stems(word: str, root: str) -> None:
    """Stems are those of Porter's paper, with his two later rules."""
    assert stem(word) == root

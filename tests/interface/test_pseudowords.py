"""Pseudo-words: words that mean nothing, for new names and symbols."""

import numpy as np

from agentgym_gen.interface.renaming.pseudowords import ENGLISH, SYLLABLES, pseudo_words


def test_pseudo_words_are_different_and_never_excluded_or_english() -> None:
    """No two of 100,000 pseudo-words are the same, and none is an excluded or English word."""
    excluded = set(pseudo_words(np.random.default_rng(0), 500, set()))
    words = pseudo_words(np.random.default_rng(1), 100_000, excluded)

    assert len(set(words)) == 100_000
    assert not set(words) & (excluded | ENGLISH)


def test_the_same_stream_gives_the_same_words() -> None:
    """Two generators with one seed give the same words."""
    first, second = (pseudo_words(np.random.default_rng(3), 5, set()) for _ in range(2))

    assert first == second


def test_every_listed_english_word_could_be_sampled() -> None:
    """Every word in the list of English words consists of three of the syllables."""
    words = [word for word in ENGLISH if {word[:2], word[2:4], word[4:]} <= set(SYLLABLES)]

    assert sorted(words) == sorted(ENGLISH)

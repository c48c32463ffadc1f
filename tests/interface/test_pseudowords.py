"""The words of the verbs, and words that mean nothing."""

import numpy as np

from agentgym_gen.interface.renaming.pseudowords import ENGLISH, SYLLABLES, pseudo_words


def test_pseudo_words_are_different_and_never_taken_or_english() -> None:
    """However many are asked for."""
    taken = set(pseudo_words(np.random.default_rng(0), 500, set()))
    words = pseudo_words(np.random.default_rng(1), 100_000, taken)

    assert len(set(words)) == 100_000
    assert not set(words) & (taken | ENGLISH)


def test_the_same_stream_gives_the_same_words() -> None:
    """Words are drawn from the generator alone."""
    one, two = (pseudo_words(np.random.default_rng(3), 5, set()) for _ in range(2))

    assert one == two


def test_every_listed_english_word_could_be_drawn() -> None:
    """The list holds nothing that three syllables do not make."""
    drawable = [word for word in ENGLISH if {word[:2], word[2:4], word[4:]} <= set(SYLLABLES)]

    assert sorted(drawable) == sorted(ENGLISH)

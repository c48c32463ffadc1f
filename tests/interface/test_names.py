"""The bijection between things and pseudo-words."""

import numpy as np

from agentgym_gen.interface.names import Renaming

NOUNS = ("oak log", "oak", "log", "stick")


def test_renaming_and_back_is_the_identity() -> None:
    """On whole words, the longest noun first, plain or with underscores."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))
    text = "get 1 oak log, an oak, 2 log and sticky stick"
    there = renaming.there(text)

    assert renaming.back(there) == text
    assert "sticky" in there
    assert renaming.there("minecraft:oak_log") == "minecraft:" + renaming.there("oak log")


def test_every_noun_has_a_word_of_its_own() -> None:
    """No two nouns share one, and none is a noun."""
    words = [Renaming(NOUNS, np.random.default_rng(0)).there(noun) for noun in NOUNS]

    assert len(set(words)) == len(NOUNS)
    assert not set(words) & set(NOUNS)


def test_old_names_are_found() -> None:
    """In an argument of a command."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.old_name("1 oak log") == "oak log"
    assert renaming.old_name(renaming.there("1 oak log")) is None


def test_a_world_without_nouns_is_left_alone() -> None:
    """Nothing to rename."""
    nothing = Renaming((), np.random.default_rng(0))

    assert (nothing.there("a"), nothing.back("a"), nothing.old_name("a")) == ("a", "a", None)


def test_words_inside_identifiers_are_renamed() -> None:
    """An underscore parts words, as a space does."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.there("dark_oak_log") == f"dark_{renaming.there('oak log')}"
    assert renaming.old_name("dark_oak_log") == "oak_log"


def test_nothing_is_called_like_a_verb() -> None:
    """The words of the verbs are left out."""
    first = Renaming(NOUNS, np.random.default_rng(0)).there("oak log")
    other = Renaming(NOUNS, np.random.default_rng(0), (f"{first} in", "go to"))

    assert first not in {other.there(noun) for noun in NOUNS}

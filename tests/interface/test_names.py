"""The bijection between things and pseudo-words."""

import numpy as np
import pytest

from agentgym_gen import TextEnv
from agentgym_gen.envs.alfworld import ALFWorld
from agentgym_gen.interface.names import Renaming, renaming
from agentgym_gen.interface.plurals import plurals
from agentgym_gen.world.task import TaskId

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


def test_an_article_fits_the_new_name() -> None:
    """All new names start with a consonant; the article of another word stays."""
    names = Renaming(("apple", "old oak"), np.random.default_rng(0))
    apple, oak = names.there("apple"), names.there("old oak")

    assert names.prose("an apple. An old oak, an orange apple") == (
        f"a {apple}. A {oak}, an orange {apple}"
    )
    assert names.prose("Japan apple") == f"Japan {apple}"


def test_an_argument_keeps_its_article() -> None:
    """Or reading would not be the inverse of writing."""
    names = Renaming(("apple",), np.random.default_rng(0))

    assert names.back(names.there("an apple")) == "an apple"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("mug", "mugs"),
        ("box", "boxes"),
        ("cherry", "cherries"),
        ("knife", "knives"),
        ("ox", "oxes"),
    ],
)
def test_plurals_and_capitals_follow(one: str, many: str) -> None:
    """There and back."""
    names = Renaming((one,), np.random.default_rng(0))
    word = names.there(one)

    assert names.prose(f"{many} {many.capitalize()} {one.capitalize()}") == (
        f"{word}s {word.capitalize()}s {word.capitalize()}"
    )
    assert names.back(names.there(f"2 {many}")) == f"2 {many}"
    assert names.old_name(many.capitalize()) == many.capitalize()


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("glass", "glasses"),
        ("bush", "bushes"),
        ("toy", "toys"),
        ("leaf", "leaves"),
        ("cliff", "cliffs"),
        ("tomato", "tomatoes"),
        ("fire man", "fire men"),
    ],
)
def test_plurals_are_those_of_english(one: str, many: str) -> None:
    """The first one is the usual one."""
    assert plurals(one)[0] == many


def test_a_plural_that_is_a_noun_itself_has_its_own_name() -> None:
    """So the names stay a bijection."""
    names = Renaming(("brick", "bricks"), np.random.default_rng(0))
    brick, bricks = names.there("brick"), names.there("bricks")

    assert bricks not in (brick, f"{brick}s")
    assert names.back(f"{brick} {bricks}") == "brick bricks"
    assert names.back(f"{brick}s") == f"{brick}s"


def test_a_fixed_vocabulary_names_a_thing_alike_in_every_task() -> None:
    """Whatever else there is; another vocabulary has other names."""
    one, other = TaskId("alfworld", "easy", "train", "1"), TaskId("alfworld", "hard", "test", "2")

    class Few(ALFWorld):
        def nouns(self) -> tuple[str, ...]:
            return ("mug", "apple")

    class Many(ALFWorld):
        def nouns(self) -> tuple[str, ...]:
            return ("desk", "fork", "mug", "zebra", "apple")

    word = renaming(Few(), one, 1, ()).there("mug")

    assert renaming(Many(), other, 1, ()).there("mug") == word
    assert renaming(Few(), one, 2, ()).there("mug") != word
    assert renaming(Few(), one, 0, ()).there("mug") != renaming(Few(), other, 0, ()).there("mug")


def test_the_marks_of_a_drawing_get_new_ones() -> None:
    """One for each, none of the old ones, the same in legend and board."""
    env = TextEnv("agentgym_gen.envs.sokoban:Sokoban", interface="renamed", tier="easy")
    board, _ = env.reset(options={"task_id": "sokoban/easy/train/7"})
    native = TextEnv("agentgym_gen.envs.sokoban:Sokoban", tier="easy")
    original, _ = native.reset(options={"task_id": "sokoban/easy/train/7"})
    pairs = dict(zip(original, board, strict=True))
    wall = env.tell("wall")

    assert len(set(pairs.values())) == len(pairs)
    assert not set(board) & set("#_O√XPS")
    assert f"\n{pairs['#']}: {wall}, {pairs['_']}: empty" in env.instruction
    assert f"push all {env.tell('boxes')} to {env.tell('targets')}" in env.instruction


def test_a_name_that_starts_with_a_mark_keeps_it() -> None:
    """SearchQA's facts have such cities; the other names are renamed all the same."""
    renaming = Renaming(("'Ibri", "Oman"), np.random.default_rng(0))
    told = renaming.there("'Ibri is in Oman.")

    assert told.startswith("'Ibri is in ")
    assert "Oman" not in told

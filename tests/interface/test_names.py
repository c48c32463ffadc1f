"""The bijection between things and pseudo-words."""

import numpy as np
import pytest

from agentgym_gen import TextEnv
from agentgym_gen.interface.renaming.names import Renaming, sample_renaming
from agentgym_gen.interface.renaming.plurals import plurals
from agentgym_gen.world import Surface, TaskId

NOUNS = ("oak log", "oak", "log", "stick")


def test_renaming_and_back_is_the_identity() -> None:
    """On whole words, the longest noun first, plain or with underscores."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))
    text = "get 1 oak log, an oak, 2 log and sticky stick"
    there = renaming.rename(text)

    assert renaming.restore(there) == text
    assert "sticky" in there
    assert renaming.rename("minecraft:oak_log") == "minecraft:" + renaming.rename("oak log")


def test_every_noun_has_a_word_of_its_own() -> None:
    """No two nouns share one, and none is a noun."""
    words = [Renaming(NOUNS, np.random.default_rng(0)).rename(noun) for noun in NOUNS]

    assert len(set(words)) == len(NOUNS)
    assert not set(words) & set(NOUNS)


def test_old_names_are_found() -> None:
    """In an argument of a command."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.old_name("1 oak log") == "oak log"
    assert renaming.old_name(renaming.rename("1 oak log")) is None


def test_a_world_without_nouns_is_left_alone() -> None:
    """Nothing to rename."""
    nothing = Renaming((), np.random.default_rng(0))

    assert (nothing.rename("a"), nothing.restore("a"), nothing.old_name("a")) == ("a", "a", None)


def test_words_inside_identifiers_are_renamed() -> None:
    """An underscore parts words, as a space does."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.rename("dark_oak_log") == f"dark_{renaming.rename('oak log')}"
    assert renaming.old_name("dark_oak_log") == "oak_log"


def test_nothing_is_called_like_a_verb() -> None:
    """The words of the verbs are left out."""
    first = Renaming(NOUNS, np.random.default_rng(0)).rename("oak log")
    other = Renaming(NOUNS, np.random.default_rng(0), (f"{first} in", "go to"))

    assert first not in {other.rename(noun) for noun in NOUNS}


def test_an_article_fits_the_new_name() -> None:
    """All new names start with a consonant; the article of another word stays."""
    names = Renaming(("apple", "old oak"), np.random.default_rng(0))
    apple, oak = names.rename("apple"), names.rename("old oak")

    assert names.rename_prose("an apple. An old oak, an orange apple") == (
        f"a {apple}. A {oak}, an orange {apple}"
    )
    assert names.rename_prose("Japan apple") == f"Japan {apple}"


def test_an_argument_keeps_its_article() -> None:
    """Or reading would not be the inverse of writing."""
    names = Renaming(("apple",), np.random.default_rng(0))

    assert names.restore(names.rename("an apple")) == "an apple"


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
    word = names.rename(one)

    assert names.rename_prose(f"{many} {many.capitalize()} {one.capitalize()}") == (
        f"{word}s {word.capitalize()}s {word.capitalize()}"
    )
    assert names.restore(names.rename(f"2 {many}")) == f"2 {many}"
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
    brick, bricks = names.rename("brick"), names.rename("bricks")

    assert bricks not in (brick, f"{brick}s")
    assert names.restore(f"{brick} {bricks}") == "brick bricks"
    assert names.restore(f"{brick}s") == f"{brick}s"


def test_a_fixed_vocabulary_names_a_thing_alike_in_every_task() -> None:
    """Whatever else there is; another vocabulary has other names."""
    one, other = TaskId("alfworld", "easy", "train", "1"), TaskId("alfworld", "hard", "test", "2")

    few = Surface(nouns=lambda: ("mug", "apple"))
    many = Surface(nouns=lambda: ("desk", "fork", "mug", "zebra", "apple"))

    def mug(surface: Surface, task_id: TaskId, vocabulary: int) -> str:
        return sample_renaming(surface, task_id, vocabulary, ()).rename("mug")

    assert mug(many, other, 1) == mug(few, one, 1)
    assert mug(few, one, 2) != mug(few, one, 1)
    assert mug(few, one, 0) != mug(few, other, 0)


def test_the_glyphs_of_a_grid_get_new_ones() -> None:
    """One for each, none of the old ones, the same in legend and board."""
    env = TextEnv("agentgym_gen.envs.sokoban:Sokoban", interface="renamed", tier="easy")
    board, _ = env.reset(options={"task_id": "sokoban/easy/train/7"})
    native = TextEnv("agentgym_gen.envs.sokoban:Sokoban", tier="easy")
    original, _ = native.reset(options={"task_id": "sokoban/easy/train/7"})
    pairs = dict(zip(original, board, strict=True))
    wall = env.render_message("wall")

    assert len(set(pairs.values())) == len(pairs)
    assert not set(board) & set("#_O√XPS")
    assert f"\n{pairs['#']}: {wall}, {pairs['_']}: empty" in env.instruction
    assert (
        f"push all {env.render_message('boxes')} to {env.render_message('targets')}"
        in env.instruction
    )


def test_a_name_that_starts_with_a_mark_keeps_it() -> None:
    """SearchQA's facts have such cities; the other names are renamed all the same."""
    renaming = Renaming(("'Ibri", "Oman"), np.random.default_rng(0))
    told = renaming.rename("'Ibri is in Oman.")

    assert told.startswith("'Ibri is in ")
    assert "Oman" not in told

"""The names axis: a bijection between the things of a world and pseudo-words."""

import numpy as np
import pytest

from agentgym_gen import TextEnv
from agentgym_gen.interface.renaming.names import Renaming, sample_renaming
from agentgym_gen.interface.renaming.plurals import plurals
from agentgym_gen.world import Surface, TaskId

NOUNS = ("oak log", "oak", "log", "stick")


def test_renaming_and_back_is_the_identity() -> None:
    """Whole words are renamed and restored, the longest noun first, also with underscores."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))
    text = "get 1 oak log, an oak, 2 log and sticky stick"
    new_text = renaming.rename(text)

    assert renaming.restore(new_text) == text
    assert "sticky" in new_text
    assert renaming.rename("minecraft:oak_log") == "minecraft:" + renaming.rename("oak log")


def test_every_noun_has_a_word_of_its_own() -> None:
    """No two nouns have the same new name, and no new name is a noun."""
    words = [Renaming(NOUNS, np.random.default_rng(0)).rename(noun) for noun in NOUNS]

    assert len(set(words)) == len(NOUNS)
    assert not set(words) & set(NOUNS)


def test_old_names_are_found() -> None:
    """An argument with an old name is recognized, and one with the new name is not."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.old_name("1 oak log") == "oak log"
    assert renaming.old_name(renaming.rename("1 oak log")) is None


def test_a_world_without_nouns_is_left_alone() -> None:
    """A renaming of no nouns changes no text and recognizes no old name."""
    empty = Renaming((), np.random.default_rng(0))

    assert (empty.rename("a"), empty.restore("a"), empty.old_name("a")) == ("a", "a", None)


def test_words_inside_identifiers_are_renamed() -> None:
    """An underscore separates words, as a space does."""
    renaming = Renaming(NOUNS, np.random.default_rng(0))

    assert renaming.rename("dark_oak_log") == f"dark_{renaming.rename('oak log')}"
    assert renaming.old_name("dark_oak_log") == "oak_log"


def test_nothing_is_called_like_a_verb() -> None:
    """A word of a verb is no new name, though the same stream would give it."""
    word = Renaming(NOUNS, np.random.default_rng(0)).rename("oak log")
    renaming = Renaming(NOUNS, np.random.default_rng(0), (f"{word} in", "go to"))

    assert word not in {renaming.rename(noun) for noun in NOUNS}


def test_an_article_fits_the_new_name() -> None:
    """The article before a new name becomes "a"; that of another word stays."""
    names = Renaming(("apple", "old oak"), np.random.default_rng(0))
    apple, oak = names.rename("apple"), names.rename("old oak")

    assert names.rename_prose("an apple. An old oak, an orange apple") == (
        f"a {apple}. A {oak}, an orange {apple}"
    )
    assert names.rename_prose("Japan apple") == f"Japan {apple}"


def test_an_argument_keeps_its_article() -> None:
    """An argument with an article is renamed and restored without a change of its article."""
    names = Renaming(("apple",), np.random.default_rng(0))

    assert names.restore(names.rename("an apple")) == "an apple"


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("mug", "mugs"),
        ("box", "boxes"),
        ("cherry", "cherries"),
        ("knife", "knives"),
        ("ox", "oxes"),
    ],
)
def test_plurals_and_capitals_follow(singular: str, plural: str) -> None:
    """Plurals and capitals of a noun are renamed, restored and recognized."""
    names = Renaming((singular,), np.random.default_rng(0))
    word = names.rename(singular)

    assert names.rename_prose(f"{plural} {plural.capitalize()} {singular.capitalize()}") == (
        f"{word}s {word.capitalize()}s {word.capitalize()}"
    )
    assert names.restore(names.rename(f"2 {plural}")) == f"2 {plural}"
    assert names.old_name(plural.capitalize()) == plural.capitalize()


@pytest.mark.parametrize(
    ("singular", "plural"),
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
def test_plurals_are_those_of_english(singular: str, plural: str) -> None:
    """The first of the possible plurals of a noun is the usual one in English."""
    assert plurals(singular)[0] == plural


def test_a_plural_that_is_a_noun_itself_has_its_own_name() -> None:
    """Two nouns have two new names even where one is the plural of the other."""
    names = Renaming(("brick", "bricks"), np.random.default_rng(0))
    brick, bricks = names.rename("brick"), names.rename("bricks")

    assert bricks not in (brick, f"{brick}s")
    assert names.restore(f"{brick} {bricks}") == "brick bricks"
    assert names.restore(f"{brick}s") == f"{brick}s"


def test_a_fixed_vocabulary_names_a_thing_alike_in_every_task() -> None:
    """A vocabulary has one name for a thing in any task; without it, each task has its own."""
    first = TaskId("alfworld", "easy", "train", "1")
    second = TaskId("alfworld", "hard", "test", "2")

    few = Surface(nouns=lambda: ("mug", "apple"))
    many = Surface(nouns=lambda: ("desk", "fork", "mug", "zebra", "apple"))

    def mug(surface: Surface, task_id: TaskId, vocabulary: int) -> str:
        return sample_renaming(surface, task_id, vocabulary, ()).rename("mug")

    assert mug(many, second, 1) == mug(few, first, 1)
    assert mug(few, first, 2) != mug(few, first, 1)
    assert mug(few, first, 0) != mug(few, second, 0)


def test_the_glyphs_of_a_grid_get_new_ones() -> None:
    """Each glyph of a board has a new one, which is no old one and the same in the legend."""
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


def test_a_name_that_starts_with_a_punctuation_mark_is_not_renamed() -> None:
    """A city called 'Ibri, of SearchQA's facts, keeps its name, and other names are renamed."""
    renaming = Renaming(("'Ibri", "Oman"), np.random.default_rng(0))
    text = renaming.rename("'Ibri is in Oman.")

    assert text.startswith("'Ibri is in ")
    assert "Oman" not in text

"""WebShop's reward, with numbers worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from webshop_shelf import BLANKET, GOAL, HOOKS, MUG

from agentgym_gen.envs.webshop.colours import canonical_colour
from agentgym_gen.envs.webshop.fuzzy import token_set_ratio
from agentgym_gen.envs.webshop.goals import NO_LIMIT, Goal, price_limit, price_text
from agentgym_gen.envs.webshop.nouns import content_words, load_noun_extractor, load_spacy_nouns
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.reward import Scoring, has_attribute, type_score
from agentgym_gen.errors import DataError, InvalidValueError, MissingExtraError

FIXED, ORIGINAL = Scoring(content_words), Scoring(content_words, as_original=True)
RED = {"color": "red"}


def score(product: Product, chosen: dict[str, str], goal: Goal = GOAL) -> float:
    """Return what the purchase of *product* is worth when the mug is wanted."""
    return FIXED.score_purchase(product, MUG, goal, chosen).total


@pytest.mark.parametrize(
    ("product", "chosen", "expected"),
    [
        (MUG, RED, 4 / 4),
        (MUG, {}, 3 / 4),
        (MUG, {"color": "deep blue"}, 3 / 4),
        (replace(MUG, prices=(20.0,)), RED, 4 / 4),
        (replace(MUG, prices=(20.01,)), RED, 3 / 4),
        (replace(MUG, attributes=("x",), bullets=("Dishwasher safe.",)), RED, 3 / 4),
        # Another kind of thing under the same words: one of four nouns of the title is shared.
        (replace(MUG, title="Mug", query="cup", path="A"), RED, 4 / 4),
        # One of four is not above 0.2 with another title of six words that is wanted.
        (BLANKET, {"back": "red"}, 0.0),
        (HOOKS[0], {}, 0.0),
    ],
)
def test_rewards(product: Product, chosen: dict[str, str], expected: float) -> None:
    """The share of two attributes, one option and the price, times the type."""
    assert score(product, chosen) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("title_score", "listed_alike", "expected"),
    [
        (1.0, False, 1.0),
        (0.21, False, 1.0),
        (0.2, False, 0.5),
        (0.2, True, 1.0),
        (0.1, False, 0.5),
        (0.09, True, 0.1),
        (0.0, True, 0.0),
    ],
)
def test_types(title_score: float, listed_alike: bool, expected: float) -> None:
    """Titles without a common noun undo even the same query."""
    assert type_score(title_score, listed_alike) == expected


def test_details() -> None:
    """The parts have the original's names, and add up to the reward."""
    details = FIXED.score_purchase(MUG, MUG, GOAL, {"color": "deep blue"})

    assert (details.r_type, details.r_att, details.r_option, details.r_price) == (1, 1, 0, 1)
    assert (details.w_att, details.w_option, details.w_price) == (2 / 4, 1 / 4, 1 / 4)
    assert (details.query_match, details.category_match, details.title_score) == (1, 1, 1)
    assert details.total == 0.75


def test_repeated_nouns_count_as_often_as_they_occur() -> None:
    """The original divides shared nouns, counted once, by all nouns of the wanted title."""
    assert FIXED.title_score("Tea Cup", "Tea for Tea Lovers") == 1 / 3


def test_a_title_without_nouns_is_a_fifth_of_every_title() -> None:
    """So that a match of the query decides."""
    assert FIXED.title_score("Anything", "The 3 of 4") == 0.2


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("leak proof", True),
        ("proof leak", True),  # the same words in another order
        ("dishwasher-safe", True),  # a sign is a space
        ("keeps it warm", True),  # in the description
        ("with lid", True),  # in the title
        ("warm. holds", False),
        ("oven safe", False),
    ],
)
def test_attributes(wish: str, expected: bool) -> None:
    """By the attributes of the product, or by what its pages say."""
    assert has_attribute(MUG, wish) is expected


def test_only_the_very_value_will_do_where_it_is_offered() -> None:
    """The original takes every value that is worded alike: "2 pack" for "12 pack" of size."""
    packs = replace(MUG, options={"size": ("set of 2", "set of 4")})
    wish = ("size", "set of 4")

    assert not FIXED.has_option(packs, {"size": "set of 2"}, wish)
    assert FIXED.has_option(packs, {"size": "set of 4"}, wish)
    assert ORIGINAL.has_option(packs, {"size": "set of 2"}, wish)


def test_a_value_worded_alike_will_do_where_the_very_one_is_not_offered() -> None:
    """A colour's name stands for the value."""
    other = replace(MUG, options={"color": ("wine red", "blue")})

    assert FIXED.has_option(other, {"color": "wine red"}, ("color", "red"))
    assert not FIXED.has_option(other, {"color": "blue"}, ("color", "red"))


def test_options_of_human_goals_have_no_names() -> None:
    """The value is looked for in all options."""
    assert FIXED.has_option(MUG, {"color": "red"}, ("", "red"))
    assert not FIXED.has_option(MUG, {"size": "small"}, ("", "red"))


def test_the_original_cannot_meet_a_value_with_a_colour_inside_a_word() -> None:
    """The chosen "rectangular" becomes a "tan", the wanted one does not."""
    table = replace(MUG, options={"shape": ("rectangular", "round")})
    wish, chosen = ("shape", "rectangular"), {"shape": "rectangular"}

    assert FIXED.has_option(table, chosen, wish)
    assert not ORIGINAL.has_option(table, chosen, wish)


@pytest.mark.parametrize(
    ("value", "colour"),
    [("heather gray", "gray"), ("rectangular", "tan"), ("x-large", "x-large"), ("navy", "navy")],
)
def test_colours(value: str, colour: str) -> None:
    """The first name of the list that occurs anywhere."""
    assert canonical_colour(value) == colour


# What rapidfuzz 3.14 says, rounded as thefuzz rounds.
@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("long sleeve", "long sleeve", 100),
        ("long sleeve", "sleeve, long - cotton", 100),
        ("easy clean", "easy install", 57),
        ("cotton", "coton", 91),
        ("machine washable", "machine wash", 86),
        ("non slip", "nonslip", 93),
        ("caf\u00e9 au lait", "caf au lait", 100),
        ("", "red", 0),
        ("--", "red", 0),
        ("red", "blue", 29),
    ],
)
def test_ratios(one: str, other: str, ratio: int) -> None:
    """As thefuzz computes them."""
    assert token_set_ratio(one, other) == token_set_ratio(other, one) == ratio


def test_ratios_are_those_of_rapidfuzz() -> None:
    """On 3,000 pairs of phrases of random words."""
    fuzz = pytest.importorskip("rapidfuzz.fuzz")
    process = pytest.importorskip("rapidfuzz.utils").default_process
    words = ["red", "blue", "tan", "navy-blue", "x-large", "large", "2", "12", "pack", "of"]
    words += ["3/4", "cotton", "cottons", "Soft", "softer", "a"]
    draw = random.Random(0)
    for _ in range(3000):
        one, other = (" ".join(draw.choices(words, k=draw.randint(0, 4))) for _ in range(2))
        expected = round(fuzz.token_set_ratio(one, other, processor=process))
        assert token_set_ratio(one, other) == expected, (one, other)


@pytest.mark.parametrize(
    ("price", "limits"),
    [(12.5, {30.0, 40.0, 50.0}), (20.0, {40.0, 50.0, 60.0}), (965.0, {980.0, 990.0})],
)
def test_price_limits(price: float, limits: set[float]) -> None:
    """The greater of two of the next four multiples of ten: never the first of them."""
    drawn = {price_limit(price, "test", number) for number in range(60)}

    assert drawn == limits


def test_dear_things_have_no_limit() -> None:
    """Above 980 dollars there are not two steps left, and the instruction names none."""
    assert price_limit(985.0, "test") == NO_LIMIT
    assert price_text(NO_LIMIT) == ""
    assert price_text(30.0) == ", and price lower than 30.00 dollars"


def test_unknown_nouns_are_named() -> None:
    """With what is known."""
    with pytest.raises(InvalidValueError, match="'words' or 'spacy'"):
        load_noun_extractor("nltk")


def test_spacy_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its absence is told with the command that installs it."""
    load_spacy_nouns.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "spacy", None)

    with pytest.raises(MissingExtraError, match=r"agentgym-gen\[webshop\]"):
        load_noun_extractor("spacy")


def test_spacys_nouns_are_taken_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the tags of its model, for which a small package of ours stands in here."""
    (tmp_path / "spacy.py").write_text(
        "class Token:\n"
        "    def __init__(self, text):\n"
        "        self.text, self.pos_ = text, 'PROPN' if text[0].isupper() else 'ADJ'\n"
        "def load(name):\n"
        "    if name != 'en_core_web_sm':\n"
        "        raise OSError(name)\n"
        "    return lambda title: [Token(word) for word in title.split()]\n"
    )
    load_spacy_nouns.cache_clear()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "spacy", raising=False)

    assert load_noun_extractor("spacy")("Warm red Mug") == ("warm", "mug")

    monkeypatch.setattr("agentgym_gen.envs.webshop.nouns.MODEL", "another")
    load_spacy_nouns.cache_clear()
    with pytest.raises(DataError, match="python -m spacy download another"):
        load_noun_extractor("spacy")
    load_spacy_nouns.cache_clear()

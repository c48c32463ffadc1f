"""WebShop's reward, with numbers worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from webshop_fixture import BLANKET, GOAL, HOOKS, MUG

from agentgym_gen.envs.webshop.goals import NO_LIMIT, Goal, price_limit, price_text
from agentgym_gen.envs.webshop.matching.colours import canonical_colour
from agentgym_gen.envs.webshop.matching.fuzzy import token_set_ratio
from agentgym_gen.envs.webshop.matching.nouns import (
    content_words,
    load_noun_extractor,
    load_spacy_nouns,
)
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.reward import Scoring, has_attribute, type_score
from agentgym_gen.errors import DataError, InvalidValueError, MissingExtraError

FIXED, ORIGINAL = Scoring(content_words), Scoring(content_words, as_original=True)
RED = {"color": "red"}


def score(product: Product, selection: dict[str, str], goal: Goal = GOAL) -> float:
    """Return the reward for buying *product* when the goal's product is the mug."""
    return FIXED.score_purchase(product, MUG, goal, selection).total


@pytest.mark.parametrize(
    ("product", "selection", "expected"),
    [
        (MUG, RED, 4 / 4),
        (MUG, {}, 3 / 4),
        (MUG, {"color": "deep blue"}, 3 / 4),
        (replace(MUG, prices=(20.0,)), RED, 4 / 4),
        (replace(MUG, prices=(20.01,)), RED, 3 / 4),
        (replace(MUG, attributes=("x",), bullets=("Dishwasher safe.",)), RED, 3 / 4),
        # Another query and path: one of the three nouns of the goal's title is shared.
        (replace(MUG, title="Mug", query="cup", path="A"), RED, 4 / 4),
        # No noun of the goal's title is in these titles.
        (BLANKET, {"back": "red"}, 0.0),
        (HOOKS[0], {}, 0.0),
    ],
)
def test_rewards(product: Product, selection: dict[str, str], expected: float) -> None:
    """The reward is the share of two attributes, one option and the price, times the type."""
    assert score(product, selection) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("title_score", "same_listing", "expected"),
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
def test_types(title_score: float, same_listing: bool, expected: float) -> None:
    """The type score is 0 for titles without a common noun, even under the same query."""
    assert type_score(title_score, same_listing) == expected


def test_details() -> None:
    """The parts have the original's names, and add up to the reward."""
    details = FIXED.score_purchase(MUG, MUG, GOAL, {"color": "deep blue"})

    assert (details.r_type, details.r_att, details.r_option, details.r_price) == (1, 1, 0, 1)
    assert (details.w_att, details.w_option, details.w_price) == (2 / 4, 1 / 4, 1 / 4)
    assert (details.query_match, details.category_match, details.title_score) == (1, 1, 1)
    assert details.total == 0.75


def test_repeated_nouns_count_as_often_as_they_occur() -> None:
    """The shared nouns, counted once, are divided by all nouns of the goal's title."""
    assert FIXED.title_score("Tea Cup", "Tea for Tea Lovers") == 1 / 3


def test_a_title_without_nouns_is_a_fifth_of_every_title() -> None:
    """The title score is 0.2 where the goal's title has no nouns."""
    assert FIXED.title_score("Anything", "The 3 of 4") == 0.2


@pytest.mark.parametrize(
    ("attribute", "expected"),
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
def test_attributes(attribute: str, expected: bool) -> None:
    """A product has an attribute if its list of attributes or its pages have it."""
    assert has_attribute(MUG, attribute) is expected


def test_only_the_very_value_meets_an_option_that_offers_it() -> None:
    """The original accepts a value that is worded alike, "set of 2" for "set of 4"; we do not."""
    packs = replace(MUG, options={"size": ("set of 2", "set of 4")})
    option = ("size", "set of 4")

    assert not FIXED.has_option(packs, {"size": "set of 2"}, option)
    assert FIXED.has_option(packs, {"size": "set of 4"}, option)
    assert ORIGINAL.has_option(packs, {"size": "set of 2"}, option)


def test_a_value_worded_alike_meets_an_option_that_lacks_the_very_one() -> None:
    """A value with the same colour meets the option of a product that lacks the very value."""
    mug = replace(MUG, options={"color": ("wine red", "blue")})

    assert FIXED.has_option(mug, {"color": "wine red"}, ("color", "red"))
    assert not FIXED.has_option(mug, {"color": "blue"}, ("color", "red"))


def test_options_of_human_goals_have_no_names() -> None:
    """A value without an option's name is looked for in the options that offer it."""
    assert FIXED.has_option(MUG, {"color": "red"}, ("", "red"))
    assert not FIXED.has_option(MUG, {"size": "small"}, ("", "red"))


def test_the_original_cannot_meet_a_value_with_a_colour_inside_a_word() -> None:
    """In the original the selected "rectangular" becomes "tan", and that of the goal does not."""
    table = replace(MUG, options={"shape": ("rectangular", "round")})
    option, selection = ("shape", "rectangular"), {"shape": "rectangular"}

    assert FIXED.has_option(table, selection, option)
    assert not ORIGINAL.has_option(table, selection, option)


@pytest.mark.parametrize(
    ("value", "colour"),
    [("heather gray", "gray"), ("rectangular", "tan"), ("x-large", "x-large"), ("navy", "navy")],
)
def test_colours(value: str, colour: str) -> None:
    """The colour of a value is the first name of the list that occurs anywhere in it."""
    assert canonical_colour(value) == colour


# What rapidfuzz 3.14 says, rounded as thefuzz rounds.
@pytest.mark.parametrize(
    ("left", "right", "ratio"),
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
def test_ratios(left: str, right: str, ratio: int) -> None:
    """The ratio is that of thefuzz, in either order of the texts."""
    assert token_set_ratio(left, right) == token_set_ratio(right, left) == ratio


def test_ratios_are_those_of_rapidfuzz() -> None:
    """The ratios of 3,000 pairs of phrases of random words are those of rapidfuzz."""
    fuzz = pytest.importorskip("rapidfuzz.fuzz")
    process = pytest.importorskip("rapidfuzz.utils").default_process
    words = ["red", "blue", "tan", "navy-blue", "x-large", "large", "2", "12", "pack", "of"]
    words += ["3/4", "cotton", "cottons", "Soft", "softer", "a"]
    rng = random.Random(0)
    for _ in range(3000):
        left, right = (" ".join(rng.choices(words, k=rng.randint(0, 4))) for _ in range(2))
        expected = round(fuzz.token_set_ratio(left, right, processor=process))
        assert token_set_ratio(left, right) == expected, (left, right)


@pytest.mark.parametrize(
    ("price", "limits"),
    [(12.5, {30.0, 40.0, 50.0}), (20.0, {40.0, 50.0, 60.0}), (965.0, {980.0, 990.0})],
)
def test_price_limits(price: float, limits: set[float]) -> None:
    """A limit is the greater of two of the next four multiples of ten: never the first of them."""
    assert {price_limit(price, "test", number) for number in range(60)} == limits


def test_expensive_products_have_no_limit() -> None:
    """A price of 985 dollars leaves only one step, so its instruction names no limit."""
    assert price_limit(985.0, "test") == NO_LIMIT
    assert price_text(NO_LIMIT) == ""
    assert price_text(30.0) == ", and price lower than 30.00 dollars"


def test_unknown_nouns_are_named() -> None:
    """An unknown extractor of nouns is an error that names the two valid ones."""
    with pytest.raises(InvalidValueError, match="'words' or 'spacy'"):
        load_noun_extractor("nltk")


def test_spacy_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without spaCy the error names the extra to install."""
    load_spacy_nouns.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "spacy", None)

    with pytest.raises(MissingExtraError, match=r"agentgym-gen\[webshop\]"):
        load_noun_extractor("spacy")


def test_spacys_nouns_are_the_words_with_its_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nouns are the words that the model tags as nouns; a fake package stands for spaCy."""
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

    monkeypatch.setattr("agentgym_gen.envs.webshop.matching.nouns.SPACY_MODEL", "another")
    load_spacy_nouns.cache_clear()
    with pytest.raises(DataError, match="python -m spacy download another"):
        load_noun_extractor("spacy")
    load_spacy_nouns.cache_clear()

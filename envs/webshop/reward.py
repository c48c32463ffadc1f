"""The reward of a purchase, as pure functions of what was bought and what was asked for.

As ``goal.py`` of WebShop computes it: the share of attributes, options and price that are met,
times how much the product is of the wanted type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentgym_gen.envs.webshop.colours import COLOURS, canonical_colour
from agentgym_gen.envs.webshop.fuzzy import token_set_ratio
from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.nouns import NounExtractor
from agentgym_gen.envs.webshop.products import Product

MATCH_RATIO = 85
"""Above this ratio two phrases mean the same."""


@dataclass(frozen=True)
class RewardDetails:
    """What makes up a reward; the names are the original's."""

    bought: bool = False
    """Whether anything was bought; if not, all else is 0."""
    r_type: float = 0.0
    """How much the product is of the wanted type: 0, 0.1, 0.5 or 1."""
    r_att: float = 0.0
    """The share of attributes that are met."""
    w_att: float = 0.0
    """The weight of the attributes."""
    r_option: float = 0.0
    """The share of options that are met; 0 without options, whose weight is 0."""
    w_option: float = 0.0
    """The weight of the options."""
    r_price: float = 0.0
    """1 if it does not cost more than allowed."""
    w_price: float = 0.0
    """The weight of the price."""
    query_match: float = 0.0
    """1 if both products were listed under the same words."""
    category_match: float = 0.0
    """1 if their paths share two names."""
    title_score: float = 0.0
    """The share of the wanted title's nouns that are in the title of what was bought."""
    total: float = 0.0
    """The reward, 0 to 1."""


@dataclass(frozen=True)
class Scoring:
    """How purchases are judged."""

    nouns: NounExtractor
    """What titles are compared by."""
    as_original: bool = False
    """Whether options are compared as the original does, with two faults.

    It takes the nearest value for the wanted one even where the wanted one is on the page, so that
    ``set of 2`` is as good as ``set of 4``. And it takes a chosen value's colour for the value, but
    not so in the goal: 6.6 % of its goals cannot be met, ``rectangular`` (``tan``) among them.
    """

    def score_purchase(
        self, bought: Product, wanted: Product, goal: Goal, chosen: Mapping[str, str]
    ) -> RewardDetails:
        """Return what the purchase of *bought* with the options *chosen* is worth.

        Args:
            bought: What was bought.
            wanted: The product from which the goal was made.
            goal: What was asked for.
            chosen: The chosen value of each option.
        """
        parts = len(goal.attributes) + len(goal.options) + 1
        met = sum(has_attribute(bought, wish) for wish in goal.attributes)
        got = sum(self.has_option(bought, chosen, option) for option in goal.options)
        query = bought.query == wanted.query
        category = len(bought.categories & wanted.categories) >= 2
        title = self.title_score(bought.title, wanted.title)
        kind = type_score(title, query or category)
        cheap = bought.price <= goal.price_upper
        return RewardDetails(
            bought=True,
            r_type=kind,
            r_att=met / len(goal.attributes) if goal.attributes else 0.0,
            w_att=len(goal.attributes) / parts,
            r_option=got / len(goal.options) if goal.options else 0.0,
            w_option=len(goal.options) / parts,
            r_price=float(cheap),
            w_price=1 / parts,
            query_match=float(query),
            category_match=float(category),
            title_score=title,
            total=kind * ((met + got + cheap) / parts),
        )

    def has_option(
        self, bought: Product, chosen: Mapping[str, str], option: tuple[str, str]
    ) -> bool:
        """Say whether the *chosen* values of *bought* meet *option*.

        Where the product has the very value, only that will do; where it has not, a value that is
        worded alike.
        """
        name, value = option
        offers = [n for n, values in bought.options.items() if value in values]
        if not self.as_original and offers and (not name or name in offers):
            return any(chosen.get(n) == value for n in offers)
        wish = self._wish(option)
        return any(token_set_ratio(canonical_colour(v), wish) > MATCH_RATIO for v in chosen.values())

    def title_score(self, title: str, wanted: str) -> float:
        """Return the share of the nouns of *wanted* that are in *title*; 0.2 if it has none."""
        nouns = self.nouns(wanted)
        shared = set(self.nouns(title)).intersection(nouns)
        return len(shared) / len(nouns) if nouns else 0.2

    def _wish(self, option: tuple[str, str]) -> str:
        name, value = option
        if not name:
            return canonical_colour(value)
        if self.as_original:
            # Membership in a pair, where a part of a text was meant: only a bare colour is one.
            return next((colour for colour in COLOURS if colour in option), str(option))
        return f"{name} {canonical_colour(value)}"


def has_attribute(product: Product, wish: str) -> bool:
    """Say whether *product* is like *wish*, by its attributes or by what its pages say."""
    if any(token_set_ratio(attribute, wish) > MATCH_RATIO for attribute in product.attributes):
        return True
    return any(wish in text for text in product.searched_texts)


def type_score(title_score: float, listed_alike: bool) -> float:
    """Return how much a product is of the wanted type; titles without a common noun undo all."""
    if title_score == 0:
        return 0.0
    if title_score < 0.1:
        return 0.1
    return 1.0 if listed_alike or title_score > 0.2 else 0.5

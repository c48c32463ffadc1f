"""The reward of a purchase, computed as ``goal.py`` of WebShop does.

It is the share of attributes, options and price that are met, times how much the product is of the
type that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.matching.colours import COLOURS, canonical_colour
from agentgym_gen.envs.webshop.matching.fuzzy import token_set_ratio
from agentgym_gen.envs.webshop.matching.nouns import NounExtractor
from agentgym_gen.envs.webshop.products import Product

MATCH_RATIO = 85
"""Above this `token_set_ratio` two phrases mean the same."""


@dataclass(frozen=True)
class RewardDetails:
    """The parts of a reward, by the original's names."""

    bought: bool = False
    """Whether anything was bought; if not, all other parts are 0."""
    r_type: float = 0.0
    """How much the product is of the goal's type: 0, 0.1, 0.5 or 1."""
    r_att: float = 0.0
    """The share of attributes that are met."""
    w_att: float = 0.0
    """The weight of the attributes."""
    r_option: float = 0.0
    """The share of options that are met; 0 without options, whose weight is 0."""
    w_option: float = 0.0
    """The weight of the options."""
    r_price: float = 0.0
    """1 if the price is not above the goal's limit."""
    w_price: float = 0.0
    """The weight of the price."""
    query_match: float = 0.0
    """1 if both products were listed under the same words."""
    category_match: float = 0.0
    """1 if their paths share two names."""
    title_score: float = 0.0
    """The share of the nouns in the goal's title that are in the title of what was bought."""
    total: float = 0.0
    """The reward, 0 to 1."""


@dataclass(frozen=True)
class Scoring:
    """How purchases are scored."""

    nouns: NounExtractor
    """The function that returns the nouns by which titles are compared."""
    as_original: bool = False
    """Whether options are compared as the original does, with its two faults.

    It accepts a value that is worded alike even where the product has the very value, so that
    ``set of 2`` is as good as ``set of 4``. And it replaces a selected value by the colour in it,
    but not the value of the goal: 6.6 % of its goals cannot be met, ``rectangular`` (``tan``) among
    them.
    """

    def score_purchase(
        self, product: Product, target: Product, goal: Goal, selection: Mapping[str, str]
    ) -> RewardDetails:
        """Return the reward for buying *product* with the values of *selection*, in parts.

        Args:
            product: What was bought.
            target: The product from which the goal was made.
            goal: What was asked for.
            selection: The selected value of each option.
        """
        parts = len(goal.attributes) + len(goal.options) + 1
        attributes = sum(has_attribute(product, attribute) for attribute in goal.attributes)
        options = sum(self.has_option(product, selection, option) for option in goal.options)
        same_query = product.query == target.query
        same_category = len(product.categories & target.categories) >= 2
        title = self.title_score(product.title, target.title)
        r_type = type_score(title, same_query or same_category)
        price = product.price <= goal.price_upper
        return RewardDetails(
            bought=True,
            r_type=r_type,
            r_att=attributes / len(goal.attributes) if goal.attributes else 0.0,
            w_att=len(goal.attributes) / parts,
            r_option=options / len(goal.options) if goal.options else 0.0,
            w_option=len(goal.options) / parts,
            r_price=float(price),
            w_price=1 / parts,
            query_match=float(same_query),
            category_match=float(same_category),
            title_score=title,
            total=r_type * ((attributes + options + price) / parts),
        )

    def has_option(
        self, product: Product, selection: Mapping[str, str], option: tuple[str, str]
    ) -> bool:
        """Say whether the values of *selection* meet the *option* of a goal.

        Where *product* offers the very value, only that will do; where it does not, a value that is
        worded alike.
        """
        name, value = option
        offers = [n for n, values in product.options.items() if value in values]
        if not self.as_original and offers and (not name or name in offers):
            return any(selection.get(n) == value for n in offers)
        phrase = self._option_phrase(option)
        return any(
            token_set_ratio(canonical_colour(selected), phrase) > MATCH_RATIO
            for selected in selection.values()
        )

    def title_score(self, title: str, target: str) -> float:
        """Return the share of the nouns of *target* that are in *title*; 0.2 if it has none."""
        nouns = self.nouns(target)
        shared = set(self.nouns(title)).intersection(nouns)
        return len(shared) / len(nouns) if nouns else 0.2

    def _option_phrase(self, option: tuple[str, str]) -> str:
        """Return the phrase with which selected values are compared."""
        name, value = option
        if not name:
            return canonical_colour(value)
        if self.as_original:
            # The original looks for a colour in the pair (name, value) instead of in the value, so
            # that it replaces only a value that is a bare colour; all others stand as the pair.
            return next((colour for colour in COLOURS if colour in option), str(option))
        return f"{name} {canonical_colour(value)}"


def has_attribute(product: Product, attribute: str) -> bool:
    """Say whether *product* has *attribute*, in its list of attributes or in its texts."""
    if any(token_set_ratio(phrase, attribute) > MATCH_RATIO for phrase in product.attributes):
        return True
    return any(attribute in text for text in product.searched_texts)


def type_score(title_score: float, same_listing: bool) -> float:
    """Return how much a product is of the goal's type; 0 if the titles have no common noun.

    Args:
        title_score: The share of nouns that the titles have in common.
        same_listing: Whether both were listed under the same query or in the same departments.
    """
    if title_score == 0:
        return 0.0
    if title_score < 0.1:
        return 0.1
    return 1.0 if same_listing or title_score > 0.2 else 0.5

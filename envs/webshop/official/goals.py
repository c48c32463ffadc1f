"""The goals in WebShop's own files, worded and numbered as the original does it."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agentgym_gen.envs.webshop.goals import Goal, option_text, price_limit, price_text
from agentgym_gen.envs.webshop.official.dataset import (
    RawRecord,
    check_text,
    check_texts,
    naming_product,
)
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.errors import DataError

SHUFFLE_SEED = 233
"""The seed with which the original shuffles its goals."""

MAX_GOALS_PER_PRODUCT = 100_000
"""The most synthetic goals of one product; the original's small set has 7,000 in all."""


def synthetic_goals(products: Iterable[tuple[Product, RawRecord]]) -> Iterator[Goal]:
    """Yield a goal for every combination of options of every product with an instruction."""
    for product, attribute_record in products:
        if attribute_record.get("instruction") is None:
            continue
        with naming_product(product.asin, "items_ins_v2*.json"):
            request, attributes = (
                check_text(attribute_record["instruction"]),
                check_texts(attribute_record["instruction_attributes"]),
            )
        limit = price_limit(product.price, product.asin)
        for options in _combinations(product):
            instruction = f"{request}{option_text(options)}{price_text(limit)}"
            yield Goal(product.asin, request, instruction, attributes, options, limit)


def _combinations(product: Product) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every choice of one value for each option of *product*.

    Raises:
        DataError: if there are more than `MAX_GOALS_PER_PRODUCT`.
    """
    names = sorted(product.options)
    amount = math.prod(len(product.options[name]) for name in names)
    if amount > MAX_GOALS_PER_PRODUCT:
        raise DataError(
            f"Product {product.asin!r} has {amount:,} combinations of options, each a goal; "
            f"{MAX_GOALS_PER_PRODUCT:,} are the most"
        )
    for values in itertools.product(*(product.options[name] for name in names)):
        yield tuple(zip(names, values, strict=True))


def human_goals(
    products: Iterable[Product], instructions_by_asin: Mapping[str, Any]
) -> Iterator[Goal]:
    """Yield a goal for every human instruction that names an attribute.

    Human instructions name values of options without the options' names.
    """
    for product in products:
        with naming_product(product.asin, "items_human_ins*.json"):
            records = instructions_by_asin.get(product.asin, ())
            instructions = [_parse_human_instruction(record) for record in records]
        # The number counts instructions without attributes, too: it names the draw of the price.
        for number, (request, attributes, values) in enumerate(instructions):
            if not attributes:
                continue
            limit = price_limit(product.price, product.asin, number)
            options = tuple(("", value) for value in values)
            instruction = request + price_text(limit)
            yield Goal(product.asin, request, instruction, attributes, options, limit)


def _parse_human_instruction(raw: RawRecord) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the request of a human instruction, its attributes and its values of options."""
    attributes = check_texts(raw["instruction_attributes"])
    values = check_texts(raw["instruction_options"]) if attributes else ()
    return check_text(raw["instruction"]).strip("."), attributes, values


def shuffle_goals(goals: Iterable[Goal]) -> list[Goal]:
    """Return *goals* in the order in which the original numbers them."""
    ordered = list(goals)
    random.Random(SHUFFLE_SEED).shuffle(ordered)  # the original's own generator and order
    return ordered

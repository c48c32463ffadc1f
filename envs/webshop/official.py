"""WebShop's own files: products, attributes and human instructions, read as the original does."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.envs.webshop.goals import Goal, option_text, price_limit, price_text
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.records import JsonRecord, stream_records
from agentgym_gen.errors import DataError

SMALL_SET_SIZE = 1000
"""How many products the small set has."""

NO_ATTRIBUTES = ("DUMMY_ATTR",)
"""The attributes of a product for which the files name none."""

SHUFFLE_SEED = 233
"""The seed with which the original shuffles its goals."""

MAX_ASIN_LENGTH = 10
"""Products with longer numbers are left out."""

MAX_GOALS_PER_PRODUCT = 100_000
"""The most synthetic goals of one product; the original's small set has 7,000 of all."""

_SHAPE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What a record of another shape raises where it is read."""

_NUMBER = re.compile("[A-Z0-9]+")
_NOT_PRICE = re.compile(r"[^\d.]")

RawRecord = Mapping[str, Any]
"""A record of a file."""


@dataclass(frozen=True)
class DatasetFiles:
    """Where the files are."""

    products: Path
    """``items_shuffle*.json``: a list of products."""
    attributes: Path
    """``items_ins_v2*.json``: attributes and synthetic instructions by product number."""
    human: Path | None
    """``items_human_ins*.json``: human instructions by product number, if it is there."""


def find_files(folder: Path, amount: int | None) -> DatasetFiles:
    """Return the files of *folder* for *amount* products: the small set's where that is enough.

    Raises:
        DataError: if the folder or a file is missing.
    """
    if not folder.is_dir():
        raise DataError(f"No folder {str(folder)!r} with WebShop's files")
    small = amount is not None and amount <= SMALL_SET_SIZE
    return DatasetFiles(
        products=_find_file(folder, "items_shuffle", small),
        attributes=_find_file(folder, "items_ins_v2", small),
        human=next(iter(sorted(folder.glob("items_human_ins*.json"))), None),
    )


def _find_file(folder: Path, name: str, small: bool) -> Path:
    found = sorted(folder.glob(f"{name}*.json"))
    if not found:
        raise DataError(
            f"No file {name}*.json in {str(folder)!r}; put WebShop's data there, "
            "items_shuffle_1000.json and items_ins_v2_1000.json or the full set"
        )
    sized = [path for path in found if (f"_{SMALL_SET_SIZE}" in path.name) == small]
    return (sized or found)[0]


def read_products(files: DatasetFiles, amount: int | None) -> Iterator[tuple[Product, RawRecord]]:
    """Yield the first *amount* products, each with its record of the file of attributes."""
    attributes = {record.key: record.value for record in stream_records(files.attributes)}
    seen: set[str] = set()
    for record in itertools.islice(stream_records(files.products), amount):
        asin = record_asin(record, files.products)
        if is_accepted_asin(asin) and asin not in seen:
            seen.add(asin)
            about = attributes.get(asin, {})
            with naming_product(asin, f"{files.products} or {files.attributes}"):
                product = read_product(record.value, about)
            yield product, about


def record_asin(record: JsonRecord, path: Path) -> str:
    """Return the number of the product that *record* of the file *path* describes.

    Raises:
        DataError: if it has none.
    """
    asin = record.value.get("asin") if isinstance(record.value, dict) else None
    if not isinstance(asin, str) or (is_accepted_asin(asin) and not _NUMBER.fullmatch(asin)):
        raise DataError(
            f"The product at byte {record.start:,} of {path} has no number `asin` of capitals and "
            f"digits: {asin!r}; its button is called by it"
        )
    return asin


@contextlib.contextmanager
def naming_product(asin: str, where: str) -> Iterator[None]:
    """Let a fault in what *where* says of the product *asin* be a `DataError` that names both."""
    try:
        yield
    except _SHAPE_ERRORS as error:
        raise DataError(f"Product {asin!r} of {where} cannot be read: {error!r}") from error


def is_accepted_asin(asin: str) -> bool:
    """Say whether the original keeps the product with the number *asin*."""
    return asin != "nan" and len(asin) <= MAX_ASIN_LENGTH


def read_product(raw: RawRecord, about: RawRecord) -> Product:
    """Return the product of a record.

    Args:
        raw: The record of the file of products.
        about: Its record of the file of attributes; may be empty.
    """
    if not isinstance(about, Mapping):
        raise TypeError(f"{about!r} stands where its attributes should")
    points = raw["small_description"]
    return Product(
        asin=raw["asin"],
        title=_text(raw["name"]),
        description=_text(raw["full_description"]),
        bullets=_texts(points) if isinstance(points, list) else (_text(points),),
        prices=_prices(raw.get("pricing")),
        options=_options(raw["customization_options"]),
        attributes=_texts(about["attributes"]) if "attributes" in about else NO_ATTRIBUTES,
        category=_text(raw["category"]),
        path=_text(raw["product_category"]),
        query=raw["query"].lower().strip(),
    )


def _prices(said: str | None) -> tuple[float, ...]:
    parts = (said or "").split("$")[1:]
    prices = tuple(float(_NOT_PRICE.sub("", part)) for part in parts[:2])
    if math.inf in prices:
        raise ValueError(f"its price is no number: {str(said)[:40]!r}")
    return prices


def _text(value: object) -> str:
    if not isinstance(value, str | None):
        raise TypeError(f"{value!r} stands where a text should")
    (value or "").encode()  # half a letter could be written to no file
    return value or ""


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or None in values:
        raise TypeError(f"{values!r} stands where a list of texts should")
    return tuple(map(_text, values))


def _options(said: Mapping[str, list[RawRecord] | None] | str | None) -> dict[str, tuple[str, ...]]:
    if not isinstance(said, Mapping):
        return {}
    return {
        _text(name).lower(): tuple(
            _text(content["value"]).strip().replace("/", " | ").lower() for content in contents
        )
        for name, contents in said.items()
        if contents is not None
    }


def synthetic_goals(products: Iterable[tuple[Product, RawRecord]]) -> Iterator[Goal]:
    """Yield a goal for every combination of options of every product with an instruction."""
    for product, about in products:
        if about.get("instruction") is None:
            continue
        with naming_product(product.asin, "items_ins_v2*.json"):
            request, attributes = (
                _text(about["instruction"]),
                _texts(about["instruction_attributes"]),
            )
        limit = price_limit(product.price, product.asin)
        for options in _combinations(product):
            said = f"{request}{option_text(options)}{price_text(limit)}"
            yield Goal(product.asin, request, said, attributes, options, limit)


def _combinations(product: Product) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every choice of one value for each option of *product*.

    Raises:
        DataError: if there are more than `MOST_GOALS`.
    """
    names = sorted(product.options)
    number = math.prod(len(product.options[name]) for name in names)
    if number > MAX_GOALS_PER_PRODUCT:
        raise DataError(
            f"Product {product.asin!r} has {number:,} combinations of options, each a goal; "
            f"{MAX_GOALS_PER_PRODUCT:,} are the most"
        )
    for values in itertools.product(*(product.options[name] for name in names)):
        yield tuple(zip(names, values, strict=True))


def human_goals(products: Iterable[Product], human: Mapping[str, Any]) -> Iterator[Goal]:
    """Yield a goal for every human instruction that names an attribute, options without names."""
    for product in products:
        with naming_product(product.asin, "items_human_ins*.json"):
            read = [_parse_human_instruction(one) for one in human.get(product.asin, ())]
        for number, (request, attributes, values) in enumerate(read):
            if not attributes:
                continue
            limit = price_limit(product.price, product.asin, number)
            options = tuple(("", value) for value in values)
            said = request + price_text(limit)
            yield Goal(product.asin, request, said, attributes, options, limit)


def _parse_human_instruction(raw: RawRecord) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the request of a human instruction, its attributes and its values of options."""
    attributes = _texts(raw["instruction_attributes"])
    values = _texts(raw["instruction_options"]) if attributes else ()
    return _text(raw["instruction"]).strip("."), attributes, values


def shuffle_goals(goals: Iterable[Goal]) -> list[Goal]:
    """Return *goals* in the order in which the original numbers them."""
    ordered = list(goals)
    random.Random(SHUFFLE_SEED).shuffle(ordered)  # the original's own generator and order
    return ordered

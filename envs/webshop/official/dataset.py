"""WebShop's own files: where they are, and their products, read as the original does."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.envs.webshop.official.json_stream import JsonRecord, stream_records
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.errors import DataError

SMALL_SET_SIZE = 1000
"""How many products the small set has."""

NO_ATTRIBUTES = ("DUMMY_ATTR",)
"""The attributes that the original gives a product for which its files have none."""

MAX_ASIN_LENGTH = 10
"""The length of the longest number of a product; products with longer ones are left out."""

_SHAPE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""The errors that a record of another shape raises while it is read."""

_NUMBER = re.compile("[A-Z0-9]+")
_NOT_PRICE = re.compile(r"[^\d.]")

RawRecord = Mapping[str, Any]
"""A JSON object from one of the files."""


@dataclass(frozen=True)
class DatasetFiles:
    """The paths of WebShop's files."""

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
    paths = sorted(folder.glob(f"{name}*.json"))
    if not paths:
        raise DataError(
            f"No file {name}*.json in {str(folder)!r}; put WebShop's data there, "
            "items_shuffle_1000.json and items_ins_v2_1000.json or the full set"
        )
    paths_of_size = [path for path in paths if (f"_{SMALL_SET_SIZE}" in path.name) == small]
    return (paths_of_size or paths)[0]


def read_products(files: DatasetFiles, amount: int | None) -> Iterator[tuple[Product, RawRecord]]:
    """Yield the first *amount* products, each with its record of the file of attributes."""
    attributes = {record.key: record.value for record in stream_records(files.attributes)}
    asins: set[str] = set()
    for record in itertools.islice(stream_records(files.products), amount):
        asin = record_asin(record, files.products)
        if is_accepted_asin(asin) and asin not in asins:
            asins.add(asin)
            attribute_record = attributes.get(asin, {})
            with naming_product(asin, f"{files.products} or {files.attributes}"):
                product = parse_product(record.value, attribute_record)
            yield product, attribute_record


def record_asin(record: JsonRecord, path: Path) -> str:
    """Return the product number in *record*, which stands in the file *path*.

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
    """Turn errors in the block into a `DataError` that names the product *asin* and its file."""
    try:
        yield
    except _SHAPE_ERRORS as error:
        raise DataError(f"Product {asin!r} of {where} cannot be read: {error!r}") from error


def is_accepted_asin(asin: str) -> bool:
    """Say whether the original takes the product with the number *asin* into its shop."""
    return asin != "nan" and len(asin) <= MAX_ASIN_LENGTH


def parse_product(raw: RawRecord, attribute_record: RawRecord) -> Product:
    """Return the product of a record.

    Args:
        raw: The record of the file of products.
        attribute_record: Its record of the file of attributes; may be empty.
    """
    if not isinstance(attribute_record, Mapping):
        raise TypeError(f"{attribute_record!r} stands where its attributes should")
    points = raw["small_description"]
    return Product(
        asin=raw["asin"],
        title=check_text(raw["name"]),
        description=check_text(raw["full_description"]),
        bullets=check_texts(points) if isinstance(points, list) else (check_text(points),),
        prices=_prices(raw.get("pricing")),
        options=_options(raw["customization_options"]),
        attributes=(
            check_texts(attribute_record["attributes"])
            if "attributes" in attribute_record
            else NO_ATTRIBUTES
        ),
        category=check_text(raw["category"]),
        path=check_text(raw["product_category"]),
        query=raw["query"].lower().strip(),
    )


def _prices(text: str | None) -> tuple[float, ...]:
    """Return the prices in a text like ``$1,299.00 - $1,099.50``, two at most."""
    parts = (text or "").split("$")[1:]
    prices = tuple(float(_NOT_PRICE.sub("", part)) for part in parts[:2])
    if math.inf in prices:
        raise ValueError(f"its price is no number: {str(text)[:40]!r}")
    return prices


def check_text(value: object) -> str:
    """Return *value* as a text, empty if it is None.

    Raises:
        TypeError: if it is something else.
        UnicodeEncodeError: if it has half of a surrogate pair.
    """
    if not isinstance(value, str | None):
        raise TypeError(f"{value!r} stands where a text should")
    (value or "").encode()  # half of a surrogate pair could not be written to any file
    return value or ""


def check_texts(values: object) -> tuple[str, ...]:
    """Return *values*, a list of texts.

    Raises:
        TypeError: if it is something else.
    """
    if not isinstance(values, list) or None in values:
        raise TypeError(f"{values!r} stands where a list of texts should")
    return tuple(map(check_text, values))


def _options(raw: Mapping[str, list[RawRecord] | None] | str | None) -> dict[str, tuple[str, ...]]:
    """Return the values of each option, in lower case, with a bar for a slash."""
    if not isinstance(raw, Mapping):
        return {}
    return {
        check_text(name).lower(): tuple(
            check_text(content["value"]).strip().replace("/", " | ").lower() for content in contents
        )
        for name, contents in raw.items()
        if contents is not None
    }

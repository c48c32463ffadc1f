"""The full set of 1.18 million products, which stays on disk.

Products are read from their file when they are looked at, and found by an index that is built once
and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.official import DatasetFiles, is_accepted_asin, naming_product, record_asin, read_product
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.records import read_value, stream_records
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.errors import DataError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.files import replacing
from agentgym_gen.system.untrusted_files import ARRAY_DAMAGES

LARGE_FILE_BYTES = 2**28
"""From which size in bytes a file of products is left on disk."""

CACHE_VERSION = 1
"""Rises when the form of the cached files or the texts of the index change."""

CACHED_PRODUCTS = 8192
"""How many products are kept in memory."""

Spans = NDArray[np.int64]
"""Where records stand in a file: start and length of each, or -1 for none."""


class ProductsOnDisk(Sequence[Product]):
    """Products in a file, in the order of their numbers; any number of threads may read them.

    Args:
        files: Where they are.
        spans: The places of the products' records.
        about: The places of their records in the file of attributes.
    """

    def __init__(self, files: DatasetFiles, spans: Spans, about: Spans) -> None:
        # Descriptors, not file objects: reads by place need no lock and no position.
        self._products = os.open(files.products, os.O_RDONLY)
        self._attributes = os.open(files.attributes, os.O_RDONLY)
        for descriptor in (self._products, self._attributes):
            weakref.finalize(self, os.close, descriptor)
        self._spans, self._about = spans, about
        self._where = f"{files.products} or {files.attributes}"
        self._read = lru_cache(maxsize=CACHED_PRODUCTS)(self._load_product)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._spans)

    @overload
    def __getitem__(self, place: int) -> Product: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Product]: ...
    def __getitem__(self, place: int | slice) -> Product | Sequence[Product]:
        """Return the product at *place*."""
        if isinstance(place, slice):
            return [self._read(n) for n in range(len(self))[place]]
        return self._read(place)

    def in_file_order(self, places: Iterable[int]) -> list[Product]:
        """Return the products at *places* as they follow one another in the file."""
        return [self[place] for place in sorted(places, key=lambda n: int(self._spans[n, 0]))]

    def index_texts(self) -> Iterator[str]:
        """Yield what the index holds of each product."""
        for start, length in self._spans.tolist():
            with naming_product(f"at byte {start:,}", self._where):
                raw = os.pread(self._products, length, start)
                text = read_product(read_value(raw), {}).index_text
            yield text

    def _load_product(self, place: int) -> Product:
        start, length = self._spans[place].tolist()
        with naming_product(f"at byte {start:,}", self._where):
            raw = read_value(os.pread(self._products, length, start))
            start, length = self._about[place].tolist()
            about = os.pread(self._attributes, length, start) if start >= 0 else b"{}"
            return read_product(raw, read_value(about))


def is_large(files: DatasetFiles) -> bool:
    """Say whether the products are left on disk."""
    return files.products.stat().st_size >= LARGE_FILE_BYTES


def open_on_disk(files: DatasetFiles, amount: int | None) -> tuple[Shop, ProductsOnDisk]:
    """Return the shop of the first *amount* products, and these; the first time takes minutes.

    Raises:
        DataError: if a file is broken, or the cache folder cannot be written.
    """
    folder = cache_folder(files, amount)
    try:
        path = folder / "places.npz"
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as kept:
            asins, spans, about = kept["asins"], kept["spans"], kept["about"]
        index = BM25Index.load(folder / "index.npz")
        _check_shapes(len(index), asins, spans, about)
    except ARRAY_DAMAGES:
        asins, spans, about = _scan_records(files, amount)
        index = BM25Index.build(ProductsOnDisk(files, spans, about).index_texts())
        index.save(folder / "index.npz")
        with replacing(folder / "places.npz") as file:
            np.savez(file, asins=asins, spans=spans, about=about)
    products = ProductsOnDisk(files, spans, about)
    return Shop(products, asins.tolist(), index), products


def _check_shapes(size: int, asins: NDArray[np.str_], spans: Spans, about: Spans) -> None:
    """Raise a ValueError unless the places are those of *size* products."""
    if (asins.shape, spans.shape, about.shape) != ((size,), (size, 2), (size, 2)):
        raise ValueError("the arrays do not belong together")


def cached_ranks(goals: Sequence[Goal], shop: Shop, folder: Path) -> list[int | None]:
    """Return `Shop.rank` of the request of each of *goals*, worked out once for *folder*.

    Raises:
        DataError: if the folder cannot be written.
    """
    asked = hashlib.sha256(repr([(goal.asin, goal.request) for goal in goals]).encode())
    path = folder / f"ranks-{asked.hexdigest()[:16]}.npz"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as kept:
            ranks = kept["ranks"].tolist()
        if len(ranks) != len(goals):
            raise ValueError("it is of other goals")
    except ARRAY_DAMAGES:
        found = (shop.rank(goal.request, goal.asin) for goal in goals)
        ranks = [-1 if rank is None else rank for rank in found]
        with replacing(path) as file:
            np.savez(file, ranks=np.array(ranks, np.int16))
    return [None if rank < 0 else rank for rank in ranks]


def cache_folder(files: DatasetFiles, amount: int | None) -> Path:
    """Return the folder for what is worked out of *files*; it may not exist."""
    said: list[object] = [CACHE_VERSION, amount]
    for path in (files.products, files.attributes):
        state = path.stat()
        said += [str(path.resolve()), state.st_size, state.st_mtime_ns]
    name = hashlib.sha256(repr(said).encode()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "agentgym_gen" / "webshop" / name


def _scan_records(files: DatasetFiles, amount: int | None) -> tuple[NDArray[np.str_], Spans, Spans]:
    """Return the numbers of the products in rising order, and where their records stand."""
    asins: dict[str, int] = {}
    spans = array("q")
    for record in itertools.islice(stream_records(files.products), amount):
        asin = record_asin(record, files.products)
        if is_accepted_asin(asin) and asin not in asins:
            asins[asin] = len(asins)
            spans.extend((record.start, record.length))
    if not asins:
        raise DataError(f"No products in {files.products}; name WebShop's own file")
    about = np.full((len(asins), 2), -1, np.int64)
    for record in stream_records(files.attributes):
        place = asins.get(record.key)
        if place is not None:
            about[place] = record.start, record.length
    names = np.array(list(asins))
    order = np.argsort(names, kind="stable")
    return names[order], np.array(spans, np.int64).reshape(-1, 2)[order], about[order]

"""The full set of 1.18 million products, which stays on disk.

A product is read from its file when its page is opened. The search index over all of them and the
positions of their records are built once and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.envs.webshop.goals import Goal
from agentgym_gen.envs.webshop.official.dataset import (
    DatasetFiles,
    is_accepted_asin,
    naming_product,
    parse_product,
    record_asin,
)
from agentgym_gen.envs.webshop.official.json_stream import parse_value, stream_records
from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.shop import Shop
from agentgym_gen.errors import DataError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.array_files import read_arrays
from agentgym_gen.system.files import atomic_write, cache_folder
from agentgym_gen.system.fork_safe_lock import ForkSafeLock
from agentgym_gen.system.untrusted_files import ARRAY_ERRORS

LARGE_FILE_BYTES = 2**28
"""The size in bytes from which a file of products is left on disk."""

CACHE_VERSION = 1
"""Rises when the format of the cached files or the texts of the index change."""

CACHED_PRODUCTS = 8192
"""How many products are kept in memory."""

Spans = NDArray[np.int64]
"""The positions of records in a file: start and length of each, or -1 for none."""


class ProductsOnDisk(Sequence[Product]):
    """Products in a file, in the order of their numbers; any number of threads may read them.

    Args:
        files: The paths of WebShop's files.
        spans: The positions of the products' records.
        attribute_spans: The positions of their records in the file of attributes.
    """

    def __init__(self, files: DatasetFiles, spans: Spans, attribute_spans: Spans) -> None:
        # Descriptors, not file objects: `os.pread` needs no seek, so threads need no lock.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
        self._products = os.open(files.products, flags)
        self._attributes = os.open(files.attributes, flags)
        for descriptor in (self._products, self._attributes):
            weakref.finalize(self, os.close, descriptor)
        self._spans, self._attribute_spans = spans, attribute_spans
        self._where = f"{files.products} or {files.attributes}"
        self._read = lru_cache(maxsize=CACHED_PRODUCTS)(self._load_product)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._spans)

    @overload
    def __getitem__(self, position: int) -> Product: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Product]: ...
    def __getitem__(self, position: int | slice) -> Product | Sequence[Product]:
        """Return the product at *position*."""
        if isinstance(position, slice):
            return [self._read(n) for n in range(len(self))[position]]
        return self._read(position)

    def in_file_order(self, positions: Iterable[int]) -> list[Product]:
        """Return the products at *positions* in the order of their records in the file."""
        return [self[n] for n in sorted(positions, key=lambda n: int(self._spans[n, 0]))]

    def index_texts(self) -> Iterator[str]:
        """Yield the text of each product for the search index."""
        for start, length in self._spans.tolist():
            with naming_product(f"at byte {start:,}", self._where):
                raw = _read_at(self._products, length, start)
                text = parse_product(parse_value(raw), {}).index_text
            yield text

    def _load_product(self, position: int) -> Product:
        start, length = self._spans[position].tolist()
        with naming_product(f"at byte {start:,}", self._where):
            raw = parse_value(_read_at(self._products, length, start))
            start, length = self._attribute_spans[position].tolist()
            attributes = _read_at(self._attributes, length, start) if start >= 0 else b"{}"
            return parse_product(raw, parse_value(attributes))


def _read_at(descriptor: int, length: int, start: int) -> bytes:
    """Return *length* bytes of an open file from *start* on."""
    if sys.platform != "win32":
        return os.pread(descriptor, length, start)
    with _SEEK_LOCK:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.read(descriptor, length)


_SEEK_LOCK = ForkSafeLock()
"""Held between the seek and the read, on Windows, which has no `os.pread`."""


def is_large(files: DatasetFiles) -> bool:
    """Say whether the products are left on disk."""
    return files.products.stat().st_size >= LARGE_FILE_BYTES


def open_on_disk(files: DatasetFiles, amount: int | None) -> tuple[Shop, ProductsOnDisk]:
    """Return the shop of the first *amount* products, and the products.

    The first call for a file takes minutes, for it builds the index.

    Raises:
        DataError: if a file is broken, or the cache folder cannot be written.
    """
    folder = index_folder(files, amount)
    try:
        path = folder / "places.npz"
        arrays = read_arrays(path)
        asins, spans, attribute_spans = arrays["asins"], arrays["spans"], arrays["about"]
        index = BM25Index.load(folder / "index.npz")
        _check_shapes(len(index), asins, spans, attribute_spans)
    except ARRAY_ERRORS:  # no cache yet, or a damaged one: it is built again
        asins, spans, attribute_spans = _scan_records(files, amount)
        index = BM25Index.build(ProductsOnDisk(files, spans, attribute_spans).index_texts())
        index.save(folder / "index.npz")
        with atomic_write(folder / "places.npz") as file:
            np.savez(file, asins=asins, spans=spans, about=attribute_spans)
    products = ProductsOnDisk(files, spans, attribute_spans)
    return Shop(products, asins.tolist(), index), products


def _check_shapes(size: int, asins: NDArray[np.str_], spans: Spans, attribute_spans: Spans) -> None:
    """Raise a ValueError unless the arrays are those of *size* products."""
    shapes = (asins.shape, spans.shape, attribute_spans.shape)
    kinds = asins.dtype.kind + spans.dtype.kind + attribute_spans.dtype.kind
    if (shapes, kinds) != (((size,), (size, 2), (size, 2)), "Uii"):
        raise ValueError("the arrays do not belong together")


def cached_ranks(goals: Sequence[Goal], shop: Shop, folder: Path) -> list[int | None]:
    """Return `Shop.rank` of the request of each of *goals*, computed once and kept in *folder*.

    Raises:
        DataError: if the folder cannot be written.
    """
    key = hashlib.sha256(repr([(goal.asin, goal.request) for goal in goals]).encode())
    path = folder / f"ranks-{key.hexdigest()[:16]}.npz"
    try:
        ranks = read_arrays(path)["ranks"].tolist()
        if len(ranks) != len(goals):
            raise ValueError("it is of other goals")
    except ARRAY_ERRORS:
        new_ranks = (shop.rank(goal.request, goal.asin) for goal in goals)
        ranks = [-1 if rank is None else rank for rank in new_ranks]
        with atomic_write(path) as file:
            np.savez(file, ranks=np.array(ranks, np.int16))
    return [None if rank < 0 else rank for rank in ranks]


def index_folder(files: DatasetFiles, amount: int | None) -> Path:
    """Return the folder for what is computed from *files*; it may not exist."""
    key: list[object] = [CACHE_VERSION, amount]
    for path in (files.products, files.attributes):
        state = path.stat()
        key += [str(path.resolve()), state.st_size, state.st_mtime_ns]
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    return cache_folder() / "webshop" / name


def _scan_records(files: DatasetFiles, amount: int | None) -> tuple[NDArray[np.str_], Spans, Spans]:
    """Return the numbers of the products in rising order, and the positions of their records."""
    asins: dict[str, int] = {}
    spans = array("q")
    for record in itertools.islice(stream_records(files.products), amount):
        asin = record_asin(record, files.products)
        if is_accepted_asin(asin) and asin not in asins:
            asins[asin] = len(asins)
            spans.extend((record.start, record.length))
    if not asins:
        raise DataError(f"No products in {files.products}; name WebShop's own file")
    attribute_spans = np.full((len(asins), 2), -1, np.int64)
    for record in stream_records(files.attributes):
        position = asins.get(record.key)
        if position is not None:
            attribute_spans[position] = record.start, record.length
    names = np.array(list(asins))
    order = np.argsort(names, kind="stable")
    return names[order], np.array(spans, np.int64).reshape(-1, 2)[order], attribute_spans[order]

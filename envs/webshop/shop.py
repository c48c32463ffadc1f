"""A shop: its products and the search over them, loaded once and shared by all worlds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache

from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.retrieval import BM25Index

MAX_RESULTS = 50
"""How many products a query finds at most."""

PAGE_SIZE = 10
"""How many products stand on a page of results."""

CACHED_QUERIES = 4096
"""The results of how many queries are kept: a group of episodes asks the same things."""


class Shop:
    """Products in the order of their numbers, in which the original breaks ties.

    Args:
        products: The products by rising numbers; they may be read from a file on demand.
        asins: Their numbers.
        index: The index over their texts.
    """

    def __init__(self, products: Sequence[Product], asins: Sequence[str], index: BM25Index) -> None:
        self._products = products
        self._asins = asins
        self._index = index
        self.search = lru_cache(maxsize=CACHED_QUERIES)(self._search)

    @classmethod
    def from_products(cls, products: Iterable[Product]) -> Shop:
        """Return the shop of *products*, all in memory."""
        ordered = sorted(products, key=lambda product: product.asin)
        index = BM25Index.build(product.index_text for product in ordered)
        return cls(ordered, [product.asin for product in ordered], index)

    def __len__(self) -> int:
        """Return how many products there are."""
        return len(self._asins)

    def __getitem__(self, position: int) -> Product:
        """Return the product at *place*."""
        return self._products[position]

    def place(self, asin: str) -> int | None:
        """Return the place of the product with the number *asin*, or None if there is none."""
        place = bisect_left(self._asins, asin)
        return place if place < len(self._asins) and self._asins[place] == asin else None

    def product(self, asin: str) -> Product:
        """Return the product with the number *asin*.

        Raises:
            KeyError: if there is none.
        """
        place = self.place(asin)
        if place is None:
            raise KeyError(asin)
        return self[place]

    def rank(self, query: str, asin: str) -> int | None:
        """Return the place of *asin* among what *query* finds, from 0, or None."""
        found, place = self.search(query), self.place(asin)
        return found.index(place) if place in found else None

    def _search(self, query: str) -> tuple[int, ...]:
        """Return the places of what *query* finds, the best first."""
        return tuple(self._index.search(query, MAX_RESULTS)[0].tolist())

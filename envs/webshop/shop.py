"""A shop: its products and the search over them, loaded once and shared by all worlds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache

from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.world import SharedData

MAX_RESULTS = 50
"""How many products a query finds at most."""

PAGE_SIZE = 10
"""How many products a page of results shows."""

CACHED_QUERIES = 4096
"""How many queries keep their results: a group of episodes searches for the same things."""


class Shop(SharedData):
    """Products in the order of their numbers, by which the original breaks ties of the search.

    Args:
        products: The products by rising numbers; they may be read from a file on demand.
        asins: Their numbers.
        index: The search index over their texts.
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
        """Return the product at *position*."""
        return self._products[position]

    def position(self, asin: str) -> int | None:
        """Return the position of the product with the number *asin*, or None if there is none."""
        position = bisect_left(self._asins, asin)
        is_there = position < len(self._asins) and self._asins[position] == asin
        return position if is_there else None

    def product(self, asin: str) -> Product:
        """Return the product with the number *asin*.

        Raises:
            KeyError: if there is none.
        """
        position = self.position(asin)
        if position is None:
            raise KeyError(asin)
        return self[position]

    def rank(self, query: str, asin: str) -> int | None:
        """Return the position of *asin* among the results for *query*, from 0, or None."""
        results, position = self.search(query), self.position(asin)
        return results.index(position) if position in results else None

    def _search(self, query: str) -> tuple[int, ...]:
        """Return the positions of the products that *query* finds, the best first."""
        return tuple(self._index.search(query, MAX_RESULTS)[0].tolist())

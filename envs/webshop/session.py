"""One visit to the shop: which page is open, and which values of options are selected.

The rules are those of the original's server: where a button leads, and what it resets.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Self

from agentgym_gen.envs.webshop.products import Product
from agentgym_gen.envs.webshop.shop import PAGE_SIZE, Shop
from agentgym_gen.world import copy_sharing

BACK = "back to search"
PREVIOUS = "< prev"
NEXT = "next >"
BUY = "buy now"


class Page(enum.StrEnum):
    """The kinds of pages; the values of the last three are buttons of a product's page."""

    START = "start"
    RESULTS = "results"
    PRODUCT = "product"
    DONE = "done"
    DESCRIPTION = "description"
    FEATURES = "features"
    REVIEWS = "reviews"


TABS = (Page.DESCRIPTION, Page.FEATURES, Page.REVIEWS)
"""The pages about a product, in the order of their buttons."""


@dataclass
class Session:
    """The state of a visit."""

    shop: Shop
    """The shop with its search."""
    page: Page = Page.START
    """The page that is open."""
    query: str = ""
    """The last query."""
    results: tuple[int, ...] = ()
    """The positions in the shop of the products that the last query found, the best first."""
    page_number: int = 1
    """Which page of the results is open, from 1."""
    product: Product | None = None
    """The product whose page is open, or one of its tabs."""
    selection: dict[str, str] = field(default_factory=dict)
    """The selected value of each option of the product: ``{"color": "red"}``."""
    viewed_asins: set[str] = field(default_factory=set)
    """The numbers of the products whose page was opened since the start page."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares the shop and the product."""
        return copy_sharing(self, memo, "results", "product")

    def search(self, query: str) -> None:
        """Open the first page of the results for *query*."""
        self.query = query
        self.results = self.shop.search(query)
        self._open_results(1)

    def click(self, button: str) -> None:
        """Follow *button*, which is one of `buttons`."""
        if button in self._navigation_buttons():
            self._navigate(button)
        elif self.page is Page.RESULTS:
            self.product = self.shop.product(button.upper())
            self.viewed_asins.add(self.product.asin)
            self.page = Page.PRODUCT
        else:
            self._select(button)

    def buttons(self) -> tuple[str, ...]:
        """Return the buttons of the page, in the original's order; the start page has none."""
        if self.page is Page.START or self.page is Page.DONE:
            return ()
        buttons = [BACK]
        if self.page is not Page.RESULTS:
            buttons.append(PREVIOUS)
        if self.page is Page.RESULTS:
            buttons += [PREVIOUS, NEXT] if self.page_number > 1 else [NEXT]
            buttons += [product.asin.lower() for product in self.page_products()]
        elif self.page is Page.PRODUCT and self.product is not None:
            buttons += [*TABS, BUY]
            buttons += [value for values in self.product.options.values() for value in values]
        return tuple(dict.fromkeys(map(str, buttons)))

    def page_products(self) -> tuple[Product, ...]:
        """Return the products of the open page of results."""
        first = (self.page_number - 1) * PAGE_SIZE
        return tuple(map(self.shop.__getitem__, self.results[first : first + PAGE_SIZE]))

    def _navigate(self, button: str) -> None:
        if button == BACK:
            self._leave_product()
            self.viewed_asins.clear()
            self.page = Page.START
        elif button == BUY:
            self.page = Page.DONE
        elif self.page is Page.RESULTS:
            self._open_results(self.page_number + (1 if button == NEXT else -1))
        elif button != PREVIOUS:
            self.page = Page(button)
        elif self.page is Page.PRODUCT:
            self._open_results(self.page_number)
        else:
            self.page = Page.PRODUCT

    def _navigation_buttons(self) -> tuple[str, ...]:
        """Return the buttons that every page of this kind may have, whatever it shows."""
        if self.page is Page.RESULTS:
            return (BACK, PREVIOUS, NEXT)
        return (BACK, PREVIOUS, *TABS, BUY) if self.page is Page.PRODUCT else (BACK, PREVIOUS)

    def _select(self, value: str) -> None:
        """Select *value*; where two options have it, that of the later option, as the original."""
        options = dict(self.product.options) if self.product else {}
        name = next((n for n in reversed(options) if value in options[n]), None)
        if name is not None:
            self.selection[name] = value

    def _open_results(self, number: int) -> None:
        self._leave_product()
        self.page_number = number
        self.page = Page.RESULTS

    def _leave_product(self) -> None:
        self.product, self.selection = None, {}

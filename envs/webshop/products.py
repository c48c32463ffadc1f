"""Products and their fields, whether generated or read from WebShop's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agentgym_gen.seeding import stream

PATH_SEPARATOR = "\u203a"
"""What stands between the names of a path."""

DEFAULT_PRICE = 100.0
"""What a product without a price costs, in dollars."""


@dataclass(frozen=True)
class Product:
    """One product of the shop."""

    asin: str
    """Its number, ten capitals and digits: ``B0RM63TWMZ``."""
    title: str
    description: str
    bullets: tuple[str, ...]
    """The sentences of its page of features."""
    prices: tuple[float, ...]
    """Its price in dollars, or the two ends of its price range; empty if it has no price."""
    options: Mapping[str, tuple[str, ...]]
    """The values of each option that can be chosen, in lower case."""
    attributes: tuple[str, ...]
    """What it is like, in short phrases that stand on no page."""
    category: str
    """Its department."""
    path: str
    """Its departments, from the widest to the narrowest, parted by `PATH_SEPARATOR`."""
    query: str
    """The words under which it was listed, in lower case."""

    @cached_property
    def price_tag(self) -> str:
        """Its price as pages show it: ``$9.99`` or ``$9.99 to $14.99``."""
        return " to ".join(f"${price}" for price in self.prices or (DEFAULT_PRICE,))

    @cached_property
    def price(self) -> float:
        """What is charged: of a range one price between its ends, the same in every process."""
        if len(self.prices) < 2:
            return self.prices[0] if self.prices else DEFAULT_PRICE
        low, high = self.prices
        return low + (high - low) * float(stream("webshop", "price", self.asin).random())

    @cached_property
    def index_text(self) -> str:
        """The text that the search index holds, as the original's, in lower case."""
        options = ", and ".join(f"{k}: {', '.join(v)}" for k, v in self.options.items())
        first = self.bullets[0] if self.bullets else ""
        return " ".join((self.title, self.description, first, options)).lower()

    @cached_property
    def searched_texts(self) -> tuple[str, str, str]:
        """The texts in which the reward looks for an attribute: title, features, description."""
        return self.title.lower(), " ".join(self.bullets).lower(), self.description.lower()

    @cached_property
    def categories(self) -> frozenset[str]:
        """The names of its path."""
        return frozenset(name.strip() for name in self.path.split(PATH_SEPARATOR))

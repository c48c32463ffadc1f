"""Goals: what is to be bought, in which words it is asked for, and how hard it is."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.envs.webshop.shop import PAGE_SIZE
from agentgym_gen.seeding import stream

PRICE_STEPS = tuple(10.0 * step for step in range(1, 100))
"""The limits that the original chooses from, in dollars."""

NO_LIMIT = 1_000_000.0
"""The price limit of a goal that names none: above 970 dollars there are too few steps."""

LIMIT_CHOICES = 4
"""How many steps above the price are drawn from; the greater of two is the limit."""


@dataclass(frozen=True)
class Goal:
    """The content of a task: what is asked for, and the product that meets it."""

    asin: str
    """The product from which the goal was made."""
    request: str
    """The instruction without its price; in generated and synthetic goals without options, too."""
    instruction: str
    """What the customer says: ``i need a red mug, and price lower than 20.00 dollars``."""
    attributes: tuple[str, ...]
    """What the product must be like."""
    options: tuple[tuple[str, str], ...]
    """The values to be chosen, with the names of their options; human goals have no names."""
    price_upper: float
    """The most that it may cost, in dollars."""


def price_limit(price: float, *key: str | int) -> float:
    """Return the greater of two of the next four multiples of ten above *price*.

    Args:
        price: What the product costs, in dollars.
        key: The name of the random stream, so that the limit is the same in every process.
    """
    steps = [step for step in PRICE_STEPS if step > price][:LIMIT_CHOICES]
    if len(steps) < 2:
        return NO_LIMIT
    indices = stream("webshop", "price limit", *key).choice(len(steps), 2, replace=False)
    return steps[int(indices.max())]


def price_text(limit: float) -> str:
    """Return how the original words a price *limit*; nothing where there is none."""
    return "" if limit == NO_LIMIT else f", and price lower than {limit:.2f} dollars"


def option_text(options: tuple[tuple[str, str], ...]) -> str:
    """Return how the original's synthetic goals word *options*: `` with color: red``."""
    values = ", and ".join(f"{name}: {value}" for name, value in options)
    return f" with {values}" if values else ""


def goal_tier(options: int, rank: int | None) -> str | None:
    """Return the tier of a goal, or None if it is left out.

    Args:
        options: How many options have to be chosen.
        rank: The position of the product among the results for the request, from 0; None if it is
            not among them.
    """
    if rank is None:
        return None
    if rank >= PAGE_SIZE or options > 2:
        return "hard"
    return "medium" if options == 2 else "easy"

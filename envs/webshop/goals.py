"""Goals: what is to be bought, and the words in which it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from agentgym_gen.seeding import stream

PRICE_STEPS = tuple(10.0 * step for step in range(1, 100))
"""The limits that the original chooses from, in dollars."""

NO_LIMIT = 1_000_000.0
"""The price limit of a goal that names none: above 970 dollars there are too few steps."""

LIMIT_CHOICES = 4
"""Of how many of the next steps above the price two are drawn."""


@dataclass(frozen=True)
class Goal:
    """The content of a task: what is asked for, and by which product it is met."""

    asin: str
    """The product from which the goal was made."""
    request: str
    """The instruction without its price, and for generated and synthetic goals without options."""
    instruction: str
    """What the customer says."""
    attributes: tuple[str, ...]
    """What the product must be like."""
    options: tuple[tuple[str, str], ...]
    """The values to be chosen, with the names of their options; human goals have no names."""
    price_upper: float
    """What it may cost at most, in dollars."""


def price_limit(price: float, *key: str | int) -> float:
    """Return the greater of two of the next four multiples of ten above *price*.

    Args:
        price: What the product costs, in dollars.
        key: What names the draw, so that it is the same in every process.
    """
    steps = [step for step in PRICE_STEPS if step > price][:LIMIT_CHOICES]
    if len(steps) < 2:
        return NO_LIMIT
    drawn = stream("webshop", "price limit", *key).choice(len(steps), 2, replace=False)
    return steps[int(drawn.max())]


def price_text(limit: float) -> str:
    """Return how the original says *limit*; nothing where there is none."""
    return "" if limit == NO_LIMIT else f", and price lower than {limit:.2f} dollars"


def option_text(options: tuple[tuple[str, str], ...]) -> str:
    """Return how the original's synthetic goals say *options*."""
    said = ", and ".join(f"{name}: {value}" for name, value in options)
    return f" with {said}" if said else ""

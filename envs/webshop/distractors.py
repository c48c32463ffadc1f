"""Advertisements, trivia and products that nobody sells, for the ``distractors`` axis.

The recipe of arXiv 2601.18217: advertisements for a category, trivial features, made-up products.
None of their words is on a button or in a product of our own shop.
"""

from __future__ import annotations

import functools

from agentgym_gen.world.distractors import TRAITS, shuffled

DISTRACTOR_AMOUNT = 4
"""How many lines an observation gets: one for ten of the recipe's volume of 40, as in Sokoban."""

CATEGORIES = (
    "antiques",
    "chess sets",
    "fishing lures",
    "greenhouses",
    "jigsaw puzzles",
    "model railways",
    "musical boxes",
    "party balloons",
    "postage stamps",
    "rocking horses",
    "sheet music",
    "snow globes",
    "stage curtains",
    "telescopes",
    "weather vanes",
    "wedding invitations",
)

SLOGANS = (
    "Everybody talks about it",
    "Gone by the weekend",
    "Half the price of last year",
    "Loved by ten thousand families",
    "Our neighbours are jealous",
    "Seen on television",
    "The season starts here",
    "Three for the price of two",
    "Treat yourself",
    "You have waited for this",
)


@functools.cache
def distractor_lines() -> tuple[str, ...]:
    """Return all distractor lines, which may stand beside any page of the shop."""
    lines = [f"[AD] {slogan} - shop {item} today!" for item in CATEGORIES for slogan in SLOGANS]
    for trait in TRAITS:
        lines += [f"[TRIVIA] The last of our {item} left the shop {trait}." for item in CATEGORIES]
        lines += [f"[SPONSORED] Assorted {item} ({trait}; sold out)." for item in CATEGORIES]
    return shuffled(lines, "webshop")

"""Advertisements, trivia and products that nobody sells, for the ``distractors`` axis.

The recipe of arXiv 2601.18217: advertisements for a category, trivial features, made-up products.
What they speak of is on no button and in no product of our shop.
"""

from __future__ import annotations

import functools

from agentgym_gen.world.distractors import TRAITS, shuffled

DISTRACTOR_AMOUNT = 4
"""How many lines: of the recipe's volume of 40, one for ten, as it is in Sokoban."""

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
    """Return lines that stand beside every page of such a shop."""
    lines = [f"[AD] {slogan} - shop {one} today!" for one in CATEGORIES for slogan in SLOGANS]
    for trait in TRAITS:
        lines += [f"[TRIVIA] The last of our {one} left the shop {trait}." for one in CATEGORIES]
        lines += [f"[SPONSORED] Assorted {one} ({trait}; sold out)." for one in CATEGORIES]
    return shuffled(lines, "webshop")

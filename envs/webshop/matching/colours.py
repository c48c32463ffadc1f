"""Colours by one name each, so that the reward takes "heather gray" and "gray" for the same.

The list and its order are a part of the original's rules (``normalize.py`` of WebShop, MIT): the
first name that occurs anywhere in a value, even inside a word, stands for the value.
"""

from __future__ import annotations

from functools import lru_cache

_NAMES = """
    alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown
    burgundy camel camo caramel champagne charcoal cheetah chestnut chocolate christmas coffee
    cognac copper coral cranberry cream crystal dark denim eggplant elephant espresso fuchsia gold
    granite grape graphite grass gray green grey heather indigo ivory ivy khaki lavender lemon
    leopard light lilac lime magenta maroon mauve merlot midnight mint mocha multicolor mushroom
    mustard natural navy nude olive orange peach pewter pink plum purple rainbow red rose royal
    rust sand sapphire seashell silver skull slate steel stone stonewash sunflower tan taupe teal
    tiger turquoise violet walnut wheat white wine yellow
    """

COLOURS = tuple(_NAMES.split())
"""The names, in the order in which they are looked for."""


@lru_cache(maxsize=2**14)
def canonical_colour(value: str) -> str:
    """Return the first of `COLOURS` that occurs in *value*, or *value* itself.

    >>> [canonical_colour(value) for value in ("heather gray", "x-large", "rectangular")]
    ['gray', 'x-large', 'tan']
    """
    return next((name for name in COLOURS if name in value), value)

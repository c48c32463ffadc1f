"""Leaflets that the library does not have, for the ``distractors`` axis.

The recipe of arXiv 2601.18217, which has no SearchQA, as it stands for ALFWorld: new objects, each
with one of 19 trivial descriptions. None is an entity or an answer of our facts.
"""

from __future__ import annotations

import functools

from agentgym_gen.world.distractors import TRAITS, shuffled

THEMES = (
    "bottle openers",
    "bus shelters",
    "coat hangers",
    "doorbells",
    "garden gnomes",
    "lampshades",
    "paper clips",
    "picture frames",
    "postcard racks",
    "rubber stamps",
    "shoelaces",
    "teaspoons",
    "ticket stubs",
    "umbrella stands",
    "wallpaper samples",
    "window blinds",
)

PLACES = (
    "behind the radiator",
    "beside the stairs",
    "in another branch",
    "in the cloakroom",
    "on the bottom shelf",
    "under the counter",
)


@functools.cache
def leaflet_lines() -> tuple[str, ...]:
    """Return sentences about leaflets that cannot be had."""
    lines = [
        f"A leaflet about {theme} lies {place} ({trait}; on loan)."
        for theme in THEMES
        for place in PLACES
        for trait in TRAITS
    ]
    return shuffled(lines, "searchqa")

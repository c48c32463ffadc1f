"""Leaflets that are not available, for the ``distractors`` axis.

arXiv 2601.18217 has no distractors for SearchQA. These follow its recipe for ALFWorld: new objects,
each with one of 19 trivial descriptions. None is an entity or an answer of our facts.
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
    """Return sentences about leaflets that are not available, in a fixed random order."""
    lines = [
        f"A leaflet about {theme} lies {place} ({trait}; on loan)."
        for theme in THEMES
        for place in PLACES
        for trait in TRAITS
    ]
    return shuffled(lines, "searchqa")

"""The regular plurals of English nouns, so that `apples` is renamed with `apple`."""

from __future__ import annotations

import re

_IRREGULAR = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "tooth": "teeth",
    "woman": "women",
}

_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?:s|x|z|ch|sh)$", ("es",)),
    (r"(?<=[^aeiou])y$", ("ies",)),
    (r"fe$", ("ves",)),
    (r"(?<=[^f])f$", ("ves", "fs")),
    (r"o$", ("oes", "os")),
    (r"(?<=[A-Za-z])$", ("s",)),
)
"""Endings of nouns and of their plurals; the first match is used."""

_KEPT = {"es", "s"}
"""The endings that are appended to the noun; the others replace its last letters."""


def plurals(noun: str) -> tuple[str, ...]:
    """Return the plurals of *noun*, the usual one first; the last word is inflected.

    >>> plurals("oak shelf"), plurals("box"), plurals("cherry"), plurals("key"), plurals("mug 2")
    (('oak shelves', 'oak shelfs'), ('boxes',), ('cherries',), ('keys',), ())
    """
    first, space, last = noun.rpartition(" ")
    if last.lower() in _IRREGULAR:
        return (f"{first}{space}{_IRREGULAR[last.lower()]}",)
    for pattern, endings in _ENDINGS:
        if match := re.search(pattern, noun):
            return tuple(
                noun + ending if ending in _KEPT else noun[: match.start()] + ending
                for ending in endings
            )
    return ()

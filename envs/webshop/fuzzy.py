"""How alike two texts are: the one measure of thefuzz that WebShop's reward needs.

``token_set_ratio`` of thefuzz 0.22 on rapidfuzz, with its default processing and its rounding; a
test compares it with rapidfuzz itself. Written here because it is forty lines, and a reward that
needs a compiled package would need it in every installation.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NOT_WORD = re.compile(r"\W")
_LATIN_1 = dict.fromkeys(range(128, 256))


@lru_cache(maxsize=2**16)
def token_set_ratio(one: str, other: str) -> int:
    """Return how much of the words of the smaller text is in the other, 0 to 100.

    >>> token_set_ratio("long sleeve", "long sleeve, cotton"), token_set_ratio("cotton", "coton")
    (100, 91)
    """
    mine, theirs = _words(one), _words(other)
    if not mine or not theirs:
        return 0
    both = mine & theirs
    if both and (mine <= theirs or theirs <= mine):
        return 100
    left, right = " ".join(sorted(mine - theirs)), " ".join(sorted(theirs - mine))
    shared = len(" ".join(sorted(both)))
    gap = 1 if shared else 0
    lengths = 2 * (shared + gap) + len(left) + len(right)
    ratios = [_similarity(len(left) + len(right) - 2 * _common_subsequence_length(left, right), lengths)]
    if shared:
        ratios += [_similarity(gap + len(x), 2 * shared + gap + len(x)) for x in (left, right)]
    return round(max(ratios))


def _words(text: str) -> frozenset[str]:
    return frozenset(_NOT_WORD.sub(" ", text.translate(_LATIN_1)).lower().split())


def _similarity(distance: int, length: int) -> float:
    return 100 - 100 * distance / length if length else 100.0


def _common_subsequence_length(one: str, other: str) -> int:
    """Return the length of the longest common subsequence, by Hyyrö's bit-parallel rows."""
    places: dict[str, int] = {}
    for place, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << place
    full = (1 << len(one)) - 1
    row = full
    for letter in other:
        matched = row & places.get(letter, 0)
        row = (row + matched | row - matched) & full
    return len(one) - row.bit_count()

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
def token_set_ratio(left: str, right: str) -> int:
    """Return how much of the words of the smaller text is in the larger, 0 to 100.

    >>> token_set_ratio("long sleeve", "long sleeve, cotton"), token_set_ratio("cotton", "coton")
    (100, 91)
    """
    left_words, right_words = _words(left), _words(right)
    if not left_words or not right_words:
        return 0
    common = left_words & right_words
    if common and (left_words <= right_words or right_words <= left_words):
        return 100
    # Three texts are compared: the common words, and these followed by the rest of either side.
    # All begin alike, so only the rests are aligned, and the common part enters as a length.
    rests = [" ".join(sorted(words - common)) for words in (left_words, right_words)]
    rest_length = sum(map(len, rests))
    shared = len(" ".join(sorted(common)))
    gap = 1 if shared else 0
    edits = rest_length - 2 * _common_subsequence_length(*rests)
    ratios = [_similarity(edits, 2 * (shared + gap) + rest_length)]
    if shared:
        ratios += [_similarity(gap + len(rest), 2 * shared + gap + len(rest)) for rest in rests]
    return round(max(ratios))


def _words(text: str) -> frozenset[str]:
    """Return the words of *text* as thefuzz takes them: without the letters of Latin-1."""
    return frozenset(_NOT_WORD.sub(" ", text.translate(_LATIN_1)).lower().split())


def _similarity(distance: int, length: int) -> float:
    return 100 - 100 * distance / length if length else 100.0


def _common_subsequence_length(left: str, right: str) -> int:
    """Return the length of the longest common subsequence, by Hyyrö's bit-parallel rows.

    ``row`` is a row of the usual table, as bits: bit i is 0 where the first i + 1 letters of *left*
    have a longer common subsequence than the first i. The zeros of the last row are the length.
    """
    masks: dict[str, int] = {}  # which letters of `left` are this letter, one bit each
    for position, letter in enumerate(left):
        masks[letter] = masks.get(letter, 0) | 1 << position
    full = (1 << len(left)) - 1
    row = full
    for letter in right:
        matches = row & masks.get(letter, 0)
        # The carry of the sum moves each 0 down to the lowest match of the run of ones below it.
        row = (row + matches | row - matches) & full
    return len(left) - row.bit_count()

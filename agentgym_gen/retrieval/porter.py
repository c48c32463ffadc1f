"""Porter's stemmer as Lucene runs it, with its author's later rules.

M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the two departures of
the author's own programs (``bli`` to ``ble`` and ``logi`` to ``log``). Words of one or two letters
are left unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "bli": "ble", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize",
    "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive", "fulness": "ful",
    "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP_4_ENDINGS = """
    al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize
    """
_STEP_4 = dict.fromkeys(_STEP_4_ENDINGS.split(), "")


@lru_cache(maxsize=2**16)
def stem(word: str) -> str:
    """Return the stem of *word*, which is in lower case.

    >>> " ".join(map(stem, ("relational", "hopping", "sky", "happy", "controlling")))
    'relat hop sky happi control'
    """
    if len(word) <= 2:
        return word
    word = _final_y(_strip_ed_ing(_strip_plural(word)))
    word = _replace_ending(word, _STEP_2, 0)
    word = _replace_ending(word, _STEP_3, 0)
    word = _replace_ending(word, _STEP_4, 1)
    return _final_l(_final_e(word))


def _strip_plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _strip_ed_ing(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    ending = next((ending for ending in ("ed", "ing") if word.endswith(ending)), "")
    bare = word[: len(word) - len(ending)]
    if not ending or "v" not in _shape(bare):
        return word
    if bare.endswith(("at", "bl", "iz")):
        return bare + "e"
    if _ends_double(bare):
        return bare if bare[-1] in "lsz" else bare[:-1]
    return bare + "e" if _measure(bare) == 1 and _ends_cvc(bare) else bare


def _final_y(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and "v" in _shape(word[:-1]) else word


def _replace_ending(word: str, endings: Mapping[str, str], above: int) -> str:
    """Replace the longest of *endings* if the stem before it has a measure above *above*."""
    for length in range(min(7, len(word)), 1, -1):
        ending = word[-length:]
        bare = word[:-length]
        if ending in endings and (ending != "ion" or bare.endswith(("s", "t"))):
            return bare + endings[ending] if _measure(bare) > above else word
    return word


def _final_e(word: str) -> str:
    if not word.endswith("e"):
        return word
    measure = _measure(word[:-1])
    return word[:-1] if measure > 1 or (measure == 1 and not _ends_cvc(word[:-1])) else word


def _final_l(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _measure(text: str) -> int:
    """Return the number of vowel-consonant pairs: the m of ``[C](VC)^m[V]`` in the paper."""
    return _shape(text).count("vc")


def _shape(text: str) -> str:
    """Return ``v`` for every vowel and ``c`` for every consonant of *text*."""
    shape = ""
    for letter in text:
        vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if vowel else "c"
    return shape


def _ends_double(text: str) -> bool:
    return len(text) > 1 and text[-1] == text[-2] and _shape(text)[-1] == "c"


def _ends_cvc(text: str) -> bool:
    return _shape(text).endswith("cvc") and text[-1] not in "wxy"

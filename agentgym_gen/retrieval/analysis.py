"""Text to terms by the rules of Lucene's ``EnglishAnalyzer``.

The rules, in their order: words by Unicode's text segmentation (UAX #29, as in
``StandardTokenizer``), possessive ``'s`` removed, lower case, 33 stop words removed, Porter's stem.
Left out: double quotes inside Hebrew words, and characters that Lucene's Unicode version classifies
in another way than Python's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from agentgym_gen.retrieval.pictographs import character_class
from agentgym_gen.retrieval.porter import stem

_STOP_WORDS = """
    a an and are as at be but by for if in into is it no not of on or such that the their then
    there these they this to was will with
    """

STOP_WORDS = frozenset(_STOP_WORDS.split())
"""The words that Lucene's ``EnglishAnalyzer`` leaves out."""

MAX_TOKEN_CHARS = 255
"""Longer words are cut into pieces of this length, as ``StandardTokenizer`` does."""

_APOSTROPHES = "'\u2019\uff07"
_MID_BOTH = r".'\u2018\u2019\u2024\ufe52\uff07\uff0e"
_MID_LETTER = _MID_BOTH + r":\u00b7\u0387\u05f4\u2027\ufe13\ufe55\uff1a"
_MID_NUMBER = _MID_BOTH + (
    r",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b"
)
_KATAKANA = r"\u3031-\u3035\u309b\u309c\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d"
_SINGLE = r"\u3041-\u3096\u309d-\u309f\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SINGLE += r"\U00020000-\U0003ffff"
_RUNS = r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
"""Thai, Lao, Burmese and Khmer, whose words are not separated by spaces."""

_ZERO_WIDTH_SPACE = 0x200B
_SCANNED = (*range(0x80, 0x20000), *range(0xE0000, 0xE01F0))
"""The code points whose Unicode category is looked up: all scripts in use today."""


def tokens(text: str) -> list[str]:
    """Return the words of *text* as Lucene's ``StandardTokenizer`` finds them.

    >>> tokens("It's the U.S.A., 3,000.5 km/h - not snake_case")
    ["It's", 'the', 'U.S.A', '3,000.5', 'km', 'h', 'not', 'snake_case']
    """
    words = (_ascii_pattern() if text.isascii() else _unicode_pattern()).findall(text)
    return words if max(map(len, words), default=0) <= MAX_TOKEN_CHARS else list(_split_long(words))


def english_terms(text: str) -> list[str]:
    """Return the terms of *text* as Lucene's ``EnglishAnalyzer`` makes them.

    >>> english_terms("The runner's shoes, and other running things")
    ['runner', 'shoe', 'other', 'run', 'thing']
    """
    return [term for term in map(_term, tokens(text)) if term]


@lru_cache(maxsize=2**17)
def _term(token: str) -> str:
    """Return the term of *token*, or nothing for a stop word."""
    if len(token) >= 2 and token[-1] in "sS" and token[-2] in _APOSTROPHES:
        token = token[:-2]
    # Java lowers one character at a time: no final sigma, and a dotted capital I loses its dot.
    lower = token.lower() if token.isascii() else "".join(char.lower()[0] for char in token)
    return "" if lower in STOP_WORDS else stem(lower)


def _split_long(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        for start in range(0, len(word), MAX_TOKEN_CHARS):
            yield word[start : start + MAX_TOKEN_CHARS]


@cache
def _ascii_pattern() -> re.Pattern[str]:
    return re.compile(_word("[A-Za-z]", "[0-9]", "_"))


@cache
def _unicode_pattern() -> re.Pattern[str]:
    """Return the pattern of a word in any script, compiled for the first text that needs it."""
    marks = f"[{_ranges(('Mn', 'Mc', 'Me', 'Cf'))}\uff9e\uff9f]*+"
    special = f"{_KATAKANA}{_SINGLE}{_RUNS}"
    letters = f"(?![{special}])[A-Za-z{_ranges(('Lu', 'Ll', 'Lt', 'Lm', 'Lo', 'Nl'))}\u24b6-\u24e9]"
    digits = f"[0-9{_ranges(('Nd',))}]"
    joiners = f"[{_ranges(('Pc',))}_\u202f]"
    word = _word(letters + marks, digits + marks, joiners + marks)
    scripts = f"(?:[{_KATAKANA}]{marks})++|[{_SINGLE}]{marks}|(?:[{_RUNS}]{marks})++"
    emoji = f"[{character_class()}][\U0001f3fb-\U0001f3ff]?\ufe0f?"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    return re.compile(f"{word}|{scripts}|{emoji}(?:\u200d{emoji})*+|{flag}")


def _word(letter: str, digit: str, joiner: str) -> str:
    """Return the pattern of a word: rules WB5 to WB13b of UAX #29.

    The quantifiers are possessive (``++``, ``*+``), so that a long text takes linear time.
    """
    letters = f"(?:{letter})++(?:[{_MID_LETTER}](?:{letter})++)*+"
    digits = f"(?:{digit})++(?:[{_MID_NUMBER}](?:{digit})++)*+"
    return f"(?:{joiner})*+(?:{letters}|{digits})(?:{letters}|{digits}|(?:{joiner})++)*+"


def _ranges(categories: tuple[str, ...]) -> str:
    """Return the code points of *categories* as the ranges of a character class."""
    spans: list[list[int]] = []
    for code in _SCANNED:
        if unicodedata.category(chr(code)) not in categories or code == _ZERO_WIDTH_SPACE:
            continue
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in spans)


__all__ = ["MAX_TOKEN_CHARS", "STOP_WORDS", "english_terms", "stem", "tokens"]

"""The templates of commands, ``go to {place}``: texts whose slots are filled, and read back."""

from __future__ import annotations

import re
from functools import lru_cache

WORD_CHARS = 64
"""How many characters of a first word are a key of the cache: long words cannot fill the memory."""


@lru_cache(maxsize=4096)
def literals(template: str) -> tuple[str, ...]:
    """Return the parts of *template* around its slots: one more than there are slots."""
    return tuple(re.split(r"\{\w+\}", template))


@lru_cache(maxsize=4096)
def candidates(
    templates: tuple[tuple[str, str], ...], word: str | None
) -> tuple[tuple[str, str], ...]:
    """Return those of *templates* that a text with the first word *word* may match; all for None.

    Those with the most literal characters come first. A word with letters beyond ASCII is left to
    the patterns, which know that a dotless i matches an i.
    """
    fitting = [pair for pair in templates if word is None or _may_begin(pair[1], word.lower())]
    return tuple(sorted(fitting, key=lambda pair: -sum(map(len, literals(pair[1])))))


def _may_begin(template: str, word: str) -> bool:
    parts = literals(template)
    first, blank, _ = parts[0].lower().partition(" ")
    is_whole = bool(blank) or len(parts) == 1
    return (first[:WORD_CHARS] == word) if is_whole else word.startswith(first[:WORD_CHARS])


def fillings(template: str, text: str) -> tuple[str, ...] | None:
    """Return the text of each slot of *template* in *text*, or None if it does not match.

    Each slot takes as little as it can. One pattern for the whole template would backtrack from
    every occurrence of a literal, which takes minutes for a text of nothing but literals.
    """
    finders = _finders(template)
    match = finders[0].match(text)
    if match is None:
        return None
    if len(finders) == 1:
        return () if match.end() == len(text) else None
    args: list[str] = []
    for finder in finders[1:-1]:
        start = match.end()
        match = finder.search(text, start + 1)
        if match is None:
            return None
        args.append(text[start : match.start()])
    last = len(text) - len(literals(template)[-1])
    if last <= match.end() or not finders[-1].fullmatch(text, last):
        return None
    return (*args, text[match.end() : last])


@lru_cache(maxsize=4096)
def _finders(template: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(re.escape(part), re.IGNORECASE) for part in literals(template))

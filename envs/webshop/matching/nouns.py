"""The nouns of a title: the words by which the reward compares two titles.

The original takes spaCy's nouns, from a model that its own versions do not agree on. The default
here needs no model: every word that is no function word. Measured on 20,362 pairs of a wrong
product and a goal, it agrees with two taggers as often as these agree with each other.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from agentgym_gen.errors import DataError, InvalidValueError, missing_extra
from agentgym_gen.retrieval.analysis import STOP_WORDS
from agentgym_gen.world import SharedData

NounExtractor = Callable[[str], tuple[str, ...]]
"""A function that returns the nouns of a title in lower case, as often as they occur."""

SPACY_MODEL = "en_core_web_sm"
"""The spaCy model of the original's newest version, of verl-agent and of GEM."""

CACHED_TITLES = 2**14
"""How many titles keep their nouns."""

NOUN_TAGS = frozenset({"NOUN", "PROPN", "PNOUN"})
"""The parts of speech that count; the last is a slip of the original and names none."""

_WORD = re.compile(r"[^\W\d_]+")
_MORE_FUNCTION_WORDS = """
    all any can from has have her his its more our out over s t than up us very which while who
    you your
    """
_FUNCTION_WORDS = STOP_WORDS.union(_MORE_FUNCTION_WORDS.split())


@lru_cache(maxsize=CACHED_TITLES)
def content_words(title: str) -> tuple[str, ...]:
    """Return the words of *title* that are no function words.

    >>> content_words("Women's Boots for the Rain, 2 Pack")
    ('women', 'boots', 'rain', 'pack')
    """
    return tuple(word for word in _WORD.findall(title.lower()) if word not in _FUNCTION_WORDS)


@lru_cache(maxsize=1)
def load_spacy_nouns() -> NounExtractor:
    """Return the extractor that takes spaCy's nouns, as the original does.

    Raises:
        MissingExtraError: if spaCy is not installed.
        DataError: if its model is not.
    """
    try:
        spacy = importlib.import_module("spacy")
    except ImportError as error:
        raise missing_extra("spacy", "webshop", 'WebShop with nouns="spacy"', error) from error
    try:
        parse = spacy.load(SPACY_MODEL)
    except OSError as error:
        raise DataError(
            f"spaCy's model {SPACY_MODEL!r} is not installed; "
            f"run: python -m spacy download {SPACY_MODEL}"
        ) from error

    return _SpacyNouns(parse).made_by(load_spacy_nouns)


class _SpacyNouns(SharedData):
    """Extracts the nouns of a title with spaCy; a pickle does not hold the model."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse
        self._nouns = lru_cache(maxsize=CACHED_TITLES)(self._find_nouns)

    def __call__(self, title: str) -> tuple[str, ...]:
        """Return the nouns of *title*."""
        return self._nouns(title)

    def _find_nouns(self, title: str) -> tuple[str, ...]:
        return tuple(token.text.lower() for token in self._parse(title) if token.pos_ in NOUN_TAGS)


def load_noun_extractor(name: str) -> NounExtractor:
    """Return the extractor called *name*, ``words`` or ``spacy``.

    Raises:
        InvalidValueError: if it is neither.
        MissingExtraError: if spaCy is wanted and not installed.
    """
    if name == "words":
        return content_words
    if name == "spacy":
        return load_spacy_nouns()
    raise InvalidValueError(f"`nouns` is 'words' or 'spacy', not {name!r}")

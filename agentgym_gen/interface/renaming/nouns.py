"""Finds the nouns of a task in a text: whole words, the longest noun first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from agentgym_gen.interface.renaming.plurals import plurals

WORD = re.compile(r"[^\W_]+")
_AROUND_WORDS = re.compile(f"({WORD.pattern})")


class NounMatch(NamedTuple):
    """A noun in a text."""

    start: int
    """Where it starts."""
    end: int
    """Where it ends."""
    noun: str
    """The noun itself."""
    plural: bool
    """Whether the text has its plural."""
    capital: bool
    """Whether the text has it with a capital that the noun does not have."""


class _Names(NamedTuple):
    """The nouns and plurals that start with one word."""

    lengths: tuple[int, ...]
    """How long what follows the word can be, the longest first."""
    rests: dict[str, str]
    """What follows the word -> the noun or plural."""


class Nouns:
    """An index that finds nouns in texts.

    A noun of several words is also found with underscores: ``oak_log`` is ``oak log``, and both
    stand in ``minecraft:dark_oak_log``, too. One that starts with neither a letter nor a digit is
    left out.

    Args:
        nouns: The nouns, in any order.
    """

    def __init__(self, nouns: tuple[str, ...]) -> None:
        self.ordered = tuple(sorted(noun for noun in set(nouns) if WORD.match(noun)))
        """Each noun once, sorted."""
        self.by_form = {plural: noun for noun in self.ordered for plural in plurals(noun)}
        """Every noun and every plural that is no noun itself -> the noun."""
        self.by_form |= {noun: noun for noun in self.ordered}
        self._names = _by_first_word(self.by_form)
        several = [word for word, names in self._names.items() if names.lengths != (0,)]
        self._first_words = frozenset((*self._names, *map(capitalized, self._names)))
        # The first words that are not a whole noun wherever they stand: `oak` of `oak log`.
        self._in_several = frozenset((*several, *map(capitalized, several)))

    def split(self, text: str) -> tuple[list[str], frozenset[str]]:
        """Return *text* in parts, and the words among them that may start a noun.

        The parts alternate: the text before a word, the word, the text before the next word.
        """
        parts = _AROUND_WORDS.split(text)
        return parts, self._first_words.intersection(parts)

    def are_whole(self, words: frozenset[str]) -> bool:
        """Return whether each of *words*, which may start nouns, is always a whole noun."""
        return words.isdisjoint(self._in_several)

    def find(self, text: str) -> Iterator[NounMatch]:
        """Yield the nouns in *text*, in order."""
        return self.find_in(text, *self.split(text))

    def find_in(self, text: str, parts: list[str], words: frozenset[str]) -> Iterator[NounMatch]:
        """Yield the nouns in *text* that start with *words*; *parts* are those of `split`."""
        flat = text.replace("_", " ")
        place = end = 0
        for number in range(1, len(parts), 2) if words else ():
            word = parts[number]
            place += len(parts[number - 1])
            match = self.find_at(flat, place, word) if word in words and place >= end else None
            if match is not None:
                end = match.end
                yield match
            place += len(word)

    def find_at(self, flat: str, start: int, word: str) -> NounMatch | None:
        """Return the longest noun that starts with *word* at *start*, if there is one.

        Args:
            flat: The text, with spaces for underscores.
            start: Where *word* stands in it.
            word: A whole word.
        """
        for spelling in (word, uncapitalized(word)) if word[0].isupper() else (word,):
            names = self._names.get(spelling)
            name = None if names is None else _longest(names, flat, start + len(word))
            if name is not None:
                end = start + len(word) + len(name) - len(spelling)
                noun = self.by_form[name]
                return NounMatch(start, end, noun, name != noun, spelling != word)
        return None


@lru_cache(maxsize=64)
def nouns_of(nouns: tuple[str, ...]) -> Nouns:
    """Return the index of *nouns*, made once for all tasks with the same nouns."""
    return Nouns(nouns)


def uncapitalized(word: str) -> str:
    """Return *word* with a lower-case first letter."""
    return word[0].lower() + word[1:]


def capitalized(word: str) -> str:
    """Return *word* with a capital first letter."""
    return word[0].upper() + word[1:]


def _by_first_word(forms: dict[str, str]) -> dict[str, _Names]:
    rests: dict[str, dict[str, str]] = {}
    for name in forms:
        first = WORD.match(name)
        word = first[0] if first else name
        rests.setdefault(word, {})[name[len(word) :]] = name
    return {word: _Names(_lengths(names), names) for word, names in rests.items()}


def _lengths(rests: dict[str, str]) -> tuple[int, ...]:
    return tuple(sorted(set(map(len, rests)), reverse=True))


def _longest(names: _Names, flat: str, place: int) -> str | None:
    """Return the longest of *names* whose rest stands at *place* in *flat* and ends a word."""
    for length in names.lengths:
        end = place + length
        name = names.rests.get(flat[place:end])
        if name is not None and not flat[end : end + 1].isalnum():
            return name
    return None

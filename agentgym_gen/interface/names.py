"""The names of things: a bijection from the world's nouns to pseudo-words, and from its marks.

The old names are refused. Renaming never changes what is admissible: it is undone before the
world sees a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from agentgym_gen.interface.plurals import plurals
from agentgym_gen.interface.pseudowords import pseudo_words
from agentgym_gen.interface.wording import words_stream
from agentgym_gen.task import TaskId
from agentgym_gen.world import World

_WORD = re.compile(r"[^\W_]+")
_AROUND_WORDS = re.compile(f"({_WORD.pattern})")

NEW_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghjkmnqrtuy%&*+=?$@~^"
"""The characters that marks of a drawing are replaced by; none that a world draws with itself."""


class _Found(NamedTuple):
    """A noun in a text."""

    start: int
    end: int
    noun: str
    plural: bool
    capital: bool


class _Index(NamedTuple):
    """The nouns of a task, ready to be found."""

    ordered: tuple[str, ...]
    """Each noun once, sorted."""
    nouns: dict[str, str]
    """Every noun and every plural that is no noun itself -> the noun."""
    starts: dict[str, tuple[str, ...]]
    """A first word -> the nouns and plurals that start with it, the longest first."""
    first_words: frozenset[str]
    """The same first words, and those with a capital."""
    in_several: frozenset[str]
    """Those of them that are not a whole name wherever they stand: ``oak`` of ``oak log``."""


class Renaming:
    """A bijection between nouns and pseudo-words, applied to whole words, longest noun first.

    A noun of several words is also known with underscores: ``oak_log`` is ``oak log``, and both
    are found inside ``minecraft:dark_oak_log``, too. Plurals and capitals are kept: ``Apples`` is
    ``Tunobus`` where ``apple`` is ``tunobu``.

    Args:
        nouns: The names to replace; a noun may have several words, and one that starts with
            neither a letter nor a digit keeps its name.
        rng: The stream that draws the words.
        phrases: What the verbs are called, so that nothing is called like a verb.
        marks: From a character of the world's drawings to a new one.
        words: The new names of the sorted nouns; None draws them.
    """

    def __init__(
        self,
        nouns: tuple[str, ...],
        rng: np.random.Generator,
        phrases: tuple[str, ...] = (),
        marks: dict[str, str] | None = None,
        words: Sequence[str] | None = None,
    ) -> None:
        self._index = _indexed(nouns)
        ordered = self._index.ordered
        if words is None:
            words = pseudo_words(rng, len(ordered), _taken(ordered, phrases))
        self._there = dict(zip(ordered, words, strict=True))
        self._back = dict(zip(words, ordered, strict=True))
        self._marks = str.maketrans(marks or {})
        self._said: dict[str, str] = {}
        self._single: dict[str, str] = {}

    def there(self, text: str) -> str:
        """Return *text*, an argument say, with every noun replaced by its pseudo-word."""
        said = self._said.get(text)
        if said is None:
            said = self._said[text] = self._replaced(text, articles=False)
        return said

    def prose(self, text: str) -> str:
        """Return *text* with every noun replaced and its article right: ``an apple``, ``a mug``."""
        return self._replaced(text, articles=True)

    def drawing(self, text: str) -> str:
        """Return the drawing *text* in the new marks."""
        return text.translate(self._marks)

    def back(self, text: str) -> str:
        """Return *text* with every pseudo-word replaced by its noun."""
        return _WORD.sub(lambda found: self._old(found[0]), text)

    def old_name(self, text: str) -> str | None:
        """Return a noun that *text* calls by its old name, or None."""
        found = next(self._found(text), None)
        return None if found is None else text[found.start : found.end]

    def _replaced(self, text: str, articles: bool) -> str:
        # What stands between words and the words themselves, in turns.
        parts = _AROUND_WORDS.split(text)
        hits = self._index.first_words.intersection(parts)
        if not hits:
            return text
        if hits.isdisjoint(self._index.in_several):
            return self._words_replaced(parts, hits, articles)
        return self._names_replaced(text, articles)

    def _words_replaced(self, parts: list[str], hits: frozenset[str], articles: bool) -> str:
        """Return the text of *parts* with its *hits* replaced, each of which is a whole noun."""
        for place in range(1, len(parts), 2):
            word = parts[place]
            if word in hits:
                parts[place] = self._single.get(word) or self._single_word(word)
                if articles and parts[place - 1] == " " and parts[place - 2] in ("an", "An"):
                    parts[place - 2] = parts[place - 2][0]
        return "".join(parts)

    def _single_word(self, word: str) -> str:
        found = self._at(word, 0, word)
        new = self._single[word] = self._new(found) if found else word
        return new

    def _names_replaced(self, text: str, articles: bool) -> str:
        parts: list[str] = []
        end = 0
        for found in self._found(text):
            between = text[end : found.start]
            parts += (_with_a(between) if articles else between, self._new(found))
            end = found.end
        return "".join((*parts, text[end:])) if parts else text

    def _found(self, text: str) -> Iterator[_Found]:
        flat, end = text.replace("_", " "), 0
        for start, word in self._first_words(flat):
            found = self._at(flat, start, word) if start >= end else None
            if found is not None:
                end = found.end
                yield found

    def _first_words(self, flat: str) -> list[tuple[int, str]]:
        """Return where a word stands in *flat* that a noun may start with, in order."""
        words = self._index.first_words.intersection(_WORD.findall(flat))
        if not words:
            return []
        return sorted((start, word) for word in words for start in _places(flat, word))

    def _at(self, flat: str, start: int, word: str) -> _Found | None:
        """Return the longest noun that starts with *word* at *start*, if there is one."""
        for spelling in (word, _small(word)) if word[0].isupper() else (word,):
            capital = spelling != word
            for name in self._index.starts.get(spelling, ()):
                end = start + len(name)
                fits = flat.startswith(name[capital:], start + capital)
                if fits and not flat[end : end + 1].isalnum():
                    noun = self._index.nouns[name]
                    return _Found(start, end, noun, name != noun, capital)
        return None

    def _new(self, found: _Found) -> str:
        word = self._there[found.noun] + ("s" if found.plural else "")
        return word.capitalize() if found.capital else word

    def _old(self, word: str) -> str:
        small = _small(word)
        name = self._back.get(small) or self._old_plural(small)
        if name is None:
            return word
        return name if small == word else _large(name)

    def _old_plural(self, word: str) -> str | None:
        single = self._back.get(word.removesuffix("s"))
        if single is None:
            return None
        known = self._index.nouns
        return next((many for many in plurals(single) if known[many] == single), None)


def renaming(
    world: World[object], task_id: TaskId, vocabulary: int, phrases: tuple[str, ...]
) -> Renaming:
    """Return the new names and marks of *world*, drawn for the task or of a fixed *vocabulary*."""
    nouns, marks = world.nouns(), world.marks
    pool = [mark for mark in NEW_MARKS if mark not in marks]
    order = words_stream(task_id, "marks", vocabulary).permutation(len(pool)) if marks else ()
    drawn = dict(zip(marks, (pool[int(place)] for place in order), strict=False))
    rng = task_id.stream("names")
    words = _fixed(task_id.env, vocabulary, nouns, phrases) if vocabulary else None
    return Renaming(nouns, rng, phrases, drawn, words)


def _fixed(
    env: str, vocabulary: int, nouns: tuple[str, ...], phrases: tuple[str, ...]
) -> list[str]:
    """Return the words of *vocabulary* for the sorted *nouns*.

    Each noun has a stream of its own, so that it has the same word whatever else a task has; when
    two have drawn the same word, the second takes its next one.
    """
    ordered = _indexed(nouns).ordered
    taken = _taken(ordered, phrases)
    words: list[str] = []
    for noun in ordered:
        word = next(one for one in _choices(env, vocabulary, noun) if one not in taken)
        taken.add(word)
        words.append(word)
    return words


@lru_cache(maxsize=1 << 16)
def _choices(env: str, vocabulary: int, noun: str) -> tuple[str, ...]:
    """Return the words that *noun* may have in *vocabulary*, the first that is free counts."""
    rng = words_stream(TaskId(env, "", "", ""), f"names {noun}", vocabulary)
    return tuple(pseudo_words(rng, 32, set()))


def _taken(nouns: tuple[str, ...], phrases: tuple[str, ...]) -> set[str]:
    return {word for name in (*nouns, *phrases) for word in name.split()}


@lru_cache(maxsize=64)
def _indexed(nouns: tuple[str, ...]) -> _Index:
    """Return *nouns* ready to be found, made once for all tasks that have the same.

    One that starts with neither a letter nor a digit keeps its name.
    """
    ordered = tuple(sorted(noun for noun in set(nouns) if _WORD.match(noun)))
    known = {plural: noun for noun in ordered for plural in plurals(noun)}
    known |= {noun: noun for noun in ordered}
    starts: dict[str, list[str]] = {}
    for name in sorted(known, key=lambda name: (-len(name), name)):
        first = _WORD.match(name)
        starts.setdefault(first[0] if first else name, []).append(name)
    first_words = frozenset((*starts, *map(_large, starts)))
    longest_first = {word: tuple(names) for word, names in starts.items()}
    several = {word for word, names in starts.items() if names != [word]}
    in_several = frozenset((*several, *map(_large, several)))
    return _Index(ordered, known, longest_first, first_words, in_several)


def _places(text: str, word: str) -> Iterator[int]:
    """Yield where *word* stands in *text* as a whole word."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            yield start
        start = text.find(word, end)


def _small(word: str) -> str:
    return word[0].lower() + word[1:]


def _large(word: str) -> str:
    return word[0].upper() + word[1:]


def _with_a(text: str) -> str:
    """Return *text*, after which a pseudo-word comes, with ``a`` for ``an`` at its end."""
    cut = text[-3:] in ("an ", "An ") and not text[-4:-3].isalnum()
    return f"{text[:-2]} " if cut else text

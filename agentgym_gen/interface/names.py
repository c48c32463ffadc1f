"""The names of things: a bijection from the world's nouns to pseudo-words, and from its marks.

The old names are refused. Renaming never changes what is admissible: it is undone before the
world sees a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from agentgym_gen.interface.nouns import WORD, Found, large, nouns_of, small
from agentgym_gen.interface.plurals import plurals
from agentgym_gen.interface.pseudowords import pseudo_words
from agentgym_gen.interface.wording import words_stream
from agentgym_gen.world import World
from agentgym_gen.world.task import TaskId

NEW_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghjkmnqrtuy%&*+=?$@~^"
"""The characters that marks of a drawing are replaced by; none that a world draws with itself."""


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
        self._nouns = nouns_of(nouns)
        ordered = self._nouns.ordered
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
        return WORD.sub(lambda found: self._old(found[0]), text)

    def old_name(self, text: str) -> str | None:
        """Return a noun that *text* calls by its old name, or None."""
        found = next(self._nouns.found(text), None)
        return None if found is None else text[found.start : found.end]

    def _replaced(self, text: str, articles: bool) -> str:
        parts, words = self._nouns.parted(text)
        if not words:
            return text
        if self._nouns.are_whole(words):
            return self._words_replaced(parts, words, articles)
        end = 0
        told: list[str] = []
        for found in self._nouns.among(text, parts, words):
            between = text[end : found.start]
            told += (_with_a(between) if articles else between, self._new(found))
            end = found.end
        return "".join((*told, text[end:]))

    def _words_replaced(self, parts: list[str], words: frozenset[str], articles: bool) -> str:
        """Return the text of *parts* with *words* replaced, each of which is a whole noun."""
        for place in range(1, len(parts), 2):
            word = parts[place]
            if word in words:
                parts[place] = self._single.get(word) or self._single_word(word)
                if articles and parts[place - 1] == " " and parts[place - 2] in ("an", "An"):
                    parts[place - 2] = parts[place - 2][0]
        return "".join(parts)

    def _single_word(self, word: str) -> str:
        found = self._nouns.at(word, 0, word)
        new = self._single[word] = self._new(found) if found else word
        return new

    def _new(self, found: Found) -> str:
        word = self._there[found.noun] + ("s" if found.plural else "")
        return word.capitalize() if found.capital else word

    def _old(self, word: str) -> str:
        plain = small(word)
        name = self._back.get(plain) or self._old_plural(plain)
        if name is None:
            return word
        return name if plain == word else large(name)

    def _old_plural(self, word: str) -> str | None:
        single = self._back.get(word.removesuffix("s"))
        if single is None:
            return None
        known = self._nouns.known
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
    ordered = nouns_of(nouns).ordered
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


def _with_a(text: str) -> str:
    """Return *text*, after which a pseudo-word comes, with ``a`` for ``an`` at its end."""
    cut = text[-3:] in ("an ", "An ") and not text[-4:-3].isalnum()
    return f"{text[:-2]} " if cut else text

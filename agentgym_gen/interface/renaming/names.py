"""The names of things: bijections from the world's nouns to pseudo-words and between glyphs.

The old names are refused. Renaming never changes what is admissible: it is undone before the
world sees a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from agentgym_gen.interface.renaming.nouns import (
    WORD,
    NounMatch,
    capitalized,
    nouns_of,
    uncapitalized,
)
from agentgym_gen.interface.renaming.plurals import plurals
from agentgym_gen.interface.renaming.pseudowords import pseudo_words
from agentgym_gen.interface.wording import words_stream
from agentgym_gen.world import Surface, TaskId

NEW_GLYPHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghjkmnqrtuy%&*+=?$@~^"
"""The characters that replace glyphs; those that the world uses itself are left out."""


class Renaming:
    """A bijection between nouns and pseudo-words, applied to whole words, longest noun first.

    A noun of several words is also known with underscores: ``oak_log`` is ``oak log``, and both
    are found inside ``minecraft:dark_oak_log``, too. Plurals and capitals are kept: ``Apples`` is
    ``Tunobus`` where ``apple`` is ``tunobu``.

    Args:
        nouns: The names to replace; a noun may have several words, and one that starts with
            neither a letter nor a digit keeps its name.
        rng: The stream that samples the words.
        phrases: The phrases of the verbs, which become no thing's name.
        glyphs: From a glyph of the world's grids to a new one.
        words: The new names of the sorted nouns; None samples them.
    """

    def __init__(
        self,
        nouns: tuple[str, ...],
        rng: np.random.Generator,
        phrases: tuple[str, ...] = (),
        glyphs: dict[str, str] | None = None,
        words: Sequence[str] | None = None,
    ) -> None:
        self._nouns = nouns_of(nouns)
        ordered = self._nouns.ordered
        if words is None:
            words = pseudo_words(rng, len(ordered), _taken(ordered, phrases))
        self._words = dict(zip(ordered, words, strict=True))
        self._originals = dict(zip(words, ordered, strict=True))
        self._glyphs = str.maketrans(glyphs or {})
        self._renamed: dict[str, str] = {}
        self._single: dict[str, str] = {}

    def rename(self, text: str) -> str:
        """Return *text*, such as an argument, with every noun replaced by its pseudo-word."""
        renamed = self._renamed.get(text)
        if renamed is None:
            renamed = self._renamed[text] = self._replaced(text, articles=False)
        return renamed

    def rename_prose(self, text: str) -> str:
        """Return *text* with every noun replaced and its article fixed: ``an apple``, ``a mug``."""
        return self._replaced(text, articles=True)

    def rename_grid(self, text: str) -> str:
        """Return the grid *text* with the new glyphs."""
        return text.translate(self._glyphs)

    def restore(self, text: str) -> str:
        """Return *text* with every pseudo-word replaced by its noun."""
        return WORD.sub(lambda match: self._original(match[0]), text)

    def old_name(self, text: str) -> str | None:
        """Return the first native noun in *text* that has a new name, or None."""
        noun = next(self._nouns.find(text), None)
        return None if noun is None else text[noun.start : noun.end]

    def _replaced(self, text: str, articles: bool) -> str:
        parts, words = self._nouns.split(text)
        if not words:
            return text
        if self._nouns.are_whole(words):
            return self._words_replaced(parts, words, articles)
        end = 0
        pieces: list[str] = []
        for noun in self._nouns.find_in(text, parts, words):
            between = text[end : noun.start]
            pieces += (_with_a(between) if articles else between, self._new(noun))
            end = noun.end
        return "".join((*pieces, text[end:]))

    def _words_replaced(self, parts: list[str], words: frozenset[str], articles: bool) -> str:
        """Return the text of *parts* with *words* replaced, each of which is a whole noun.

        Words have odd places and what stands between them even ones, so that the word before an
        article's space is two places back.
        """
        for place in range(1, len(parts), 2):
            word = parts[place]
            if word in words:
                parts[place] = self._single.get(word) or self._single_word(word)
                if articles and parts[place - 1] == " " and parts[place - 2] in ("an", "An"):
                    parts[place - 2] = parts[place - 2][0]
        return "".join(parts)

    def _single_word(self, word: str) -> str:
        noun = self._nouns.find_at(word, 0, word)
        new = self._single[word] = self._new(noun) if noun else word
        return new

    def _new(self, match: NounMatch) -> str:
        word = self._words[match.noun] + ("s" if match.plural else "")
        return word.capitalize() if match.capital else word

    def _original(self, word: str) -> str:
        plain = uncapitalized(word)
        name = self._originals.get(plain) or self._original_plural(plain)
        if name is None:
            return word
        return name if plain == word else capitalized(name)

    def _original_plural(self, word: str) -> str | None:
        single = self._originals.get(word.removesuffix("s"))
        if single is None:
            return None
        nouns = self._nouns.by_form
        return next((plural for plural in plurals(single) if nouns[plural] == single), None)


def sample_renaming(
    surface: Surface, task_id: TaskId, vocabulary: int, phrases: tuple[str, ...]
) -> Renaming:
    """Return new names and glyphs for *surface*, for the task or of a fixed *vocabulary*.

    Args:
        surface: The surface of the world, in the state of the task.
        task_id: The task, whose streams sample the words.
        vocabulary: 0, or the number of a fixed vocabulary.
        phrases: The phrases of the verbs, which become no thing's name.
    """
    nouns, glyphs = surface.nouns(), surface.glyphs
    pool = [glyph for glyph in NEW_GLYPHS if glyph not in glyphs]
    # The name of the stream is from an earlier version; another one would change every grid.
    order = words_stream(task_id, "marks", vocabulary).permutation(len(pool)) if glyphs else ()
    new_glyphs = dict(zip(glyphs, (pool[int(place)] for place in order), strict=False))
    rng = task_id.stream("names")
    words = _fixed_words(task_id.env, vocabulary, nouns, phrases) if vocabulary else None
    return Renaming(nouns, rng, phrases, new_glyphs, words)


def _fixed_words(
    env: str, vocabulary: int, nouns: tuple[str, ...], phrases: tuple[str, ...]
) -> list[str]:
    """Return the words of *vocabulary* for the sorted *nouns*.

    Each noun has a stream of its own, so that its word does not depend on the other nouns. If two
    nouns get the same word, the second takes the next one of its stream.
    """
    ordered = nouns_of(nouns).ordered
    taken = _taken(ordered, phrases)
    words: list[str] = []
    for noun in ordered:
        word = next(word for word in _choices(env, vocabulary, noun) if word not in taken)
        taken.add(word)
        words.append(word)
    return words


@lru_cache(maxsize=1 << 16)
def _choices(env: str, vocabulary: int, noun: str) -> tuple[str, ...]:
    """Return the candidates for *noun* in *vocabulary*; the first free one is used."""
    rng = words_stream(TaskId(env, "", "", ""), f"names {noun}", vocabulary)
    return tuple(pseudo_words(rng, 32, set()))


def _taken(nouns: tuple[str, ...], phrases: tuple[str, ...]) -> set[str]:
    return {word for name in (*nouns, *phrases) for word in name.split()}


def _with_a(text: str) -> str:
    """Return *text* with ``a`` for ``an`` at its end, as no pseudo-word starts with a vowel."""
    cut = text[-3:] in ("an ", "An ") and not text[-4:-3].isalnum()
    return f"{text[:-2]} " if cut else text

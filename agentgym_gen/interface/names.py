"""The names of things: a bijection per task from the world's nouns to pseudo-words.

The old names are refused. Renaming never changes what is admissible: it is undone before the
world sees a command.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from agentgym_gen.interface.wording import pseudo_words

_WORD = re.compile(r"[^\W_]+")


class Renaming:
    """A bijection between nouns and pseudo-words, applied to whole words, longest noun first.

    A noun of several words is also known with underscores: ``oak_log`` is ``oak log``, and both
    are found inside ``minecraft:dark_oak_log``, too.

    Args:
        nouns: The names to replace; a noun may have several words.
        rng: The task's own stream.
        phrases: What the verbs are called, so that nothing is called like a verb.
    """

    def __init__(
        self, nouns: tuple[str, ...], rng: np.random.Generator, phrases: tuple[str, ...] = ()
    ) -> None:
        ordered, self._nouns = _sorted_with_pattern(nouns)
        taken = {word for name in (*ordered, *phrases) for word in name.split()}
        words = pseudo_words(rng, len(ordered), taken)
        self._there = dict(zip(ordered, words, strict=True))
        self._back = dict(zip(words, ordered, strict=True))

    def there(self, text: str) -> str:
        """Return *text* with every noun replaced by its pseudo-word."""
        if not self._there:
            return text
        return self._nouns.sub(lambda found: self._there[found[0].replace("_", " ")], text)

    def back(self, text: str) -> str:
        """Return *text* with every pseudo-word replaced by its noun."""
        return _WORD.sub(lambda found: self._back.get(found[0], found[0]), text)

    def old_name(self, text: str) -> str | None:
        """Return a noun that *text* calls by its old name, or None."""
        found = self._nouns.search(text) if self._there else None
        return found[0] if found else None


@lru_cache(maxsize=64)
def _sorted_with_pattern(nouns: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return *nouns* in their order and the pattern that finds them, made once for many tasks."""
    longest_first = sorted(set(nouns), key=lambda word: (-len(word), word))
    either = "|".join(re.escape(word).replace(r"\ ", "[ _]") for word in longest_first)
    pattern = re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])")
    return tuple(sorted(set(nouns))), pattern

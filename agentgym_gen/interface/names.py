"""The names of things: a bijection per task from the world's nouns to pseudo-words.

The old names are refused. Renaming never changes what is admissible: it is undone before the
world sees a command.
"""

from __future__ import annotations

import re

import numpy as np

from agentgym_gen.interface.wording import pseudo_word


class Renaming:
    """A bijection between nouns and pseudo-words, applied to whole words, longest noun first.

    A noun of several words is also known with underscores: ``oak_log`` is ``oak log``.

    Args:
        nouns: The names to replace; a noun may have several words.
        rng: The task's own stream.
    """

    def __init__(self, nouns: tuple[str, ...], rng: np.random.Generator) -> None:
        words = {word for noun in nouns for word in noun.split()}
        taken = set(words)
        self._there = {noun: pseudo_word(rng, taken, syllables=3) for noun in sorted(nouns)}
        self._back = {word: noun for noun, word in self._there.items()}
        self._nouns = _alternatives(self._there)
        self._words = _alternatives(self._back)

    def there(self, text: str) -> str:
        """Return *text* with every noun replaced by its pseudo-word."""
        if not self._there:
            return text
        return self._nouns.sub(lambda found: self._there[found[0].replace("_", " ")], text)

    def back(self, text: str) -> str:
        """Return *text* with every pseudo-word replaced by its noun."""
        return self._words.sub(lambda found: self._back[found[0]], text) if self._back else text

    def old_name(self, text: str) -> str | None:
        """Return a noun that *text* calls by its old name, or None."""
        found = self._nouns.search(text) if self._there else None
        return found[0] if found else None


def _alternatives(words: dict[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(re.escape(word).replace(r"\ ", "[ _]") for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")

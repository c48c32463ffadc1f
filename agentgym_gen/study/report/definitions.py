"""What the statistical words of a report mean: a reader who points at one sees its definition."""

from __future__ import annotations

import re
from collections.abc import Iterator

DEFINITIONS = {
    "95 % interval": "a range that holds the true value in 95 of 100 repetitions of the study",
    "bootstrap": "how far a number moves when tasks count more or less at random, many times",
    "Bonferroni": "an interval made wider so that it holds for the worst of many pairs, too",
    "held in": "tested on an environment, tier and interface that the arm was trained on",
    "held out": "tested on an environment, tier or interface that the arm was not trained on",
    "Holm's adjustment": "p-values made larger, so that the chance of even one false finding among "
    "all cells of the study is at most 5 % (Holm 1979)",
    "training seed": "the root of a training's random numbers: another seed is another training",
    "Wilson's": "an interval of a share that is right also where all or none succeed (Wilson 1927)",
}
"""The definition of each word."""

_WORDS = re.compile(
    "|".join(re.escape(word).replace(r"held\ ", "[Hh]eld[- ]") + r"s?" for word in DEFINITIONS)
)


def with_definitions(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of *text*, each with its definition, or with an empty one.

    >>> list(with_definitions("Held-in gains"))[0]
    ('Held-in', 'tested on an environment, tier and interface that the arm was trained on')
    """
    end = 0
    for match in _WORDS.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], ""
        yield match[0], DEFINITIONS[_word(match[0])]
        end = match.end()
    if end < len(text):
        yield text[end:], ""


def _word(form: str) -> str:
    """Return the word of `DEFINITIONS` that *form* is a form of."""
    word = form.replace("Held", "held").replace("held-", "held ")
    return word if word in DEFINITIONS else word.removesuffix("s")

"""The game's prose: what of it is shown, and where it speaks of verbs.

Of all worlds, this one alone has prose that it did not write: the sentences come from the game
file. So its verbs have to be found: a verb's whole phrase, in any case, anywhere but in the name
of a thing, is the mention of the verb. "The fridge is open" is one, "opened" is none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from agentgym_gen.world import Message, Piece, Verb, VerbName, phrase_of

_BANNER = re.compile(r"\A(?:[ \t_|\\/$>]*\n)+")
_STATUS = re.compile(r">[ \t]*(?:-= .* =-)?[ \t]*-?\d+/\d+[ \t]*")
_PROMPT = re.compile(r">[ \t]*")
_ENDING = re.compile(r"\s*Would you like to RESTART, RESTORE a saved game, QUIT[^\n]*\?\s*\Z")
_GAP = re.compile(r"\n(?:[ \t]*\n){2,}")
_INDENT = re.compile(r"^[ \t]{8,}", re.MULTILINE)


def shown(feedback: str) -> str:
    r"""Return *feedback* of textworld as it is shown.

    The banner, the prompt with its status line, the question that follows the end and blank lines
    beyond one are left out, and what is centred is not.

    >>> shown("\nYou eat the meal. Not bad.\n\n\n\n>      -= Kitchen =-2/5")
    'You eat the meal. Not bad.'
    """
    text = _without(_PROMPT, _without(_STATUS, feedback.rstrip()))
    if "RESTART" in text:  # for the pattern looks for its beginning at every blank
        text = _ENDING.sub("", text)
    text = _BANNER.sub("", text)
    return _INDENT.sub("", _GAP.sub("\n\n", text)).strip()


def _without(tail: re.Pattern[str], text: str) -> str:
    """Return *text* without *tail* at its end, and without the line break before it."""
    start = text.rfind(">")
    return text[:start].removesuffix("\n") if start >= 0 and tail.fullmatch(text, start) else text


class Found(NamedTuple):
    """A place in a text, so that of two at one place the name is first, and the longer one."""

    start: int
    """Where it begins."""
    is_verb: bool
    """Whether it is the phrase of a verb, and not the name of a thing."""
    shorter: int
    """Its length, negative."""
    phrase: str
    """The phrase in lower case, or the name."""


class Prose:
    """The sentences of one game.

    A search for all names and phrases at once by one pattern takes ten times as long as a search
    for each that is there at all.

    Args:
        verbs: The verbs of the game.
        names: What its things are called.
    """

    def __init__(self, verbs: tuple[Verb, ...], names: tuple[str, ...]) -> None:
        self._verbs = {phrase_of(verb.template).lower(): verb.name for verb in verbs}
        words = {word for phrase in self._verbs for word in phrase.split()}
        self._phrases = [(phrase, _whole(phrase)) for phrase in self._verbs]
        # The other names overlap with no phrase.
        shielding = (name for name in names if words & set(re.findall(r"\w+", name.lower())))
        self._names = [(name, _whole(name)) for name in shielding]

    def pieces(self, text: str) -> Message:
        """Return *text* with its mentions of verbs as values, but for those inside names."""
        told: list[Piece] = []
        end = done = 0
        for found in sorted(self._found(text)):
            if found.start < end:
                continue
            end = found.start - found.shorter
            if found.is_verb:
                said = text[found.start : end]
                told += (text[done : found.start], self._mention(said, found.phrase))
                done = end
        return tuple([piece for piece in (*told, text[done:]) if piece])

    def _found(self, text: str) -> Iterator[Found]:
        """Yield the phrases and names in *text* that begin and end where words do."""
        lower = text.lower()
        if len(lower) != len(text):  # for there are letters that are two in lower case
            lower = "".join(letter.lower()[0] for letter in text)
        for phrase, whole in self._phrases:
            if phrase in lower:
                for place in whole.finditer(lower):
                    yield Found(place.start(), True, -len(phrase), phrase)
        for name, whole in self._names:
            if name in text:
                for place in whole.finditer(text):
                    yield Found(place.start(), False, -len(name), name)

    def _mention(self, said: str, phrase: str) -> VerbName:
        verb = self._verbs[phrase]
        if said == phrase:
            return VerbName(verb)
        capital = said == phrase[:1].upper() + phrase[1:]
        return VerbName(verb, capital=capital, native="" if capital else said)


@functools.lru_cache(maxsize=4096)
def _whole(words: str) -> re.Pattern[str]:
    """Return the pattern of *words* where no letter stands before or after them.

    What comes before them is looked at last: a pattern that begins with letters is found fast.
    """
    escaped = re.escape(words)
    return re.compile(rf"{escaped}(?!\w)(?<!\w{escaped})")

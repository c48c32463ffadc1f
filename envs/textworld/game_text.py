"""The text of a game: which of it is shown, and where it mentions verbs.

TextWorld is the only world whose sentences are not written by this library: they come from the
game file. So its mentions of verbs have to be found by search. A verb's whole phrase, in any case,
anywhere but inside the name of a thing, is a mention of the verb: "The fridge is open" has one,
"opened" is none.
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


def clean_feedback(feedback: str) -> str:
    r"""Return *feedback* of textworld as it is shown.

    The banner, the prompt with its status line, the question that follows the end and blank lines
    beyond one are removed, and centred lines begin at the left.

    >>> clean_feedback("\nYou eat the meal. Not bad.\n\n\n\n>      -= Kitchen =-2/5")
    'You eat the meal. Not bad.'
    """
    text = _remove_last_line(_PROMPT, _remove_last_line(_STATUS, feedback.rstrip()))
    if "RESTART" in text:  # the pattern is slow: it begins its search at every blank
        text = _ENDING.sub("", text)
    text = _BANNER.sub("", text)
    return _INDENT.sub("", _GAP.sub("\n\n", text)).strip()


def _remove_last_line(pattern: re.Pattern[str], text: str) -> str:
    """Return *text* without the prompt at its end and the line break before it, if it matches."""
    start = text.rfind(">")
    matches = start >= 0 and pattern.fullmatch(text, start)
    return text[:start].removesuffix("\n") if matches else text


class _Span(NamedTuple):
    """A phrase or a name in a text.

    Spans sort by place; of two at one place the name comes first, and then the longer one.
    """

    start: int
    """Where it begins."""
    is_verb: bool
    """Whether it is the phrase of a verb, and not the name of a thing."""
    negative_length: int
    """Its length, negative so that the longer one sorts first."""
    phrase: str
    """The phrase in lower case, or the name."""


class VerbTagger:
    """Finds the verbs that the sentences of one game mention.

    One pattern of all names and phrases takes ten times as long as this: a plain substring search
    for each, and a pattern for those that occur.

    Args:
        verbs: The verbs of the game.
        names: The names of its things.
    """

    def __init__(self, verbs: tuple[Verb, ...], names: tuple[str, ...]) -> None:
        self._verbs = {phrase_of(verb.template).lower(): verb.name for verb in verbs}
        verb_words = {word for phrase in self._verbs for word in phrase.split()}
        self._phrases = [(phrase, _whole(phrase)) for phrase in self._verbs]
        # Names that share no word with any phrase cannot hide a mention.
        relevant = (name for name in names if verb_words & set(re.findall(r"\w+", name.lower())))
        self._names = [(name, _whole(name)) for name in relevant]

    def tag(self, text: str) -> Message:
        """Return *text* with each mention of a verb as a `VerbName`, except inside names."""
        pieces: list[Piece] = []
        end = rest = 0  # where the last span ends, and where the text not yet copied begins
        for span in sorted(self._spans(text)):
            if span.start < end:  # it overlaps with the span before it
                continue
            end = span.start - span.negative_length
            if span.is_verb:
                mention = self._mention(text[span.start : end], span.phrase)
                pieces += (text[rest : span.start], mention)
                rest = end
        return tuple([piece for piece in (*pieces, text[rest:]) if piece])

    def _spans(self, text: str) -> Iterator[_Span]:
        """Yield the phrases and names in *text* that begin and end where words do."""
        lower = text.lower()
        if len(lower) != len(text):  # some letters are two in lower case: keep the places equal
            lower = "".join(letter.lower()[0] for letter in text)
        for phrase, pattern in self._phrases:
            if phrase in lower:
                for match in pattern.finditer(lower):
                    yield _Span(match.start(), True, -len(phrase), phrase)
        for name, pattern in self._names:
            if name in text:
                for match in pattern.finditer(text):
                    yield _Span(match.start(), False, -len(name), name)

    def _mention(self, text: str, phrase: str) -> VerbName:
        verb = self._verbs[phrase]
        if text == phrase:
            return VerbName(verb)
        capital = text == phrase[:1].upper() + phrase[1:]
        return VerbName(verb, capital=capital, native="" if capital else text)


@functools.lru_cache(maxsize=4096)
def _whole(words: str) -> re.Pattern[str]:
    """Return the pattern of *words* where no letter stands before or after them.

    The look-behind comes last: a pattern that begins with letters is found fast.
    """
    escaped = re.escape(words)
    return re.compile(rf"{escaped}(?!\w)(?<!\w{escaped})")

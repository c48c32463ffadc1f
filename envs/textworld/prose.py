"""The game's prose: what of it is shown, and where it speaks of verbs.

Of all worlds, this one alone has prose that it did not write: the sentences come from the game
file. So its verbs have to be found: a verb's whole phrase, in any case, anywhere but in the name
of a thing, is the mention of the verb. "The fridge is open" is one, "opened" is none.
"""

from __future__ import annotations

import functools
import re

from agentgym_gen.world import Message, Piece, Verb, VerbName, phrase_of

_BANNER = re.compile(r"\A(?:[ \t_|\\/$>]*\n)+")
_STATUS = re.compile(r"\n?>[ \t]*(?:-= .* =-)?[ \t]*-?\d+/\d+[ \t]*\Z")
_PROMPT = re.compile(r"\n?>[ \t]*\Z")
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
    text = _PROMPT.sub("", _STATUS.sub("", feedback.rstrip()))
    text = _BANNER.sub("", _ENDING.sub("", text))
    return _INDENT.sub("", _GAP.sub("\n\n", text)).strip()


def pieces(text: str, verbs: tuple[Verb, ...], names: tuple[str, ...]) -> Message:
    """Return *text* with its mentions of *verbs* as values, but for those inside *names*."""
    pattern, by_phrase = _pattern(verbs, names)
    told: list[Piece] = []
    end = 0
    for found in pattern.finditer(text):
        if found["verb"] is not None:
            told += (text[end : found.start()], _mention(found["verb"], by_phrase))
            end = found.end()
    return tuple(piece for piece in (*told, text[end:]) if piece)


def _mention(said: str, by_phrase: dict[str, str]) -> VerbName:
    phrase = said.lower()
    if said == phrase:
        return VerbName(by_phrase[phrase])
    capital = said == phrase[:1].upper() + phrase[1:]
    return VerbName(by_phrase[phrase], capital=capital, native="" if capital else said)


@functools.lru_cache(maxsize=64)
def _pattern(
    verbs: tuple[Verb, ...], names: tuple[str, ...]
) -> tuple[re.Pattern[str], dict[str, str]]:
    by_phrase = {phrase_of(verb.template).lower(): verb.name for verb in verbs}
    phrases = "|".join(map(re.escape, sorted(by_phrase, key=len, reverse=True)))
    called = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    either = f"(?:{called})|" if called else ""
    return re.compile(rf"(?<!\w)(?:{either}(?P<verb>(?i:{phrases})))(?!\w)"), by_phrase

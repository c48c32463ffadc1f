"""Messages: what a world says, as a tuple of pieces that an interface puts into words.

Every mention of a command or of a verb is a value, not text. So an interface can say it in other
words, or draw a grid with other glyphs, without searching the text for words to replace:

    ("You can ", VerbName("craft"), ": ", Command("craft", ("1 stick", "2 planks")))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """One action as a value: a verb and its arguments, in the order of the verb's slots."""

    verb: str
    args: tuple[str, ...] = ()


class VerbName(NamedTuple):
    """The mention of a verb in prose; native prose shows the verb's phrase."""

    verb: str
    capital: bool = False
    """Whether it stands at the start of a sentence: ``Inventory`` for ``inventory``."""
    native: str = ""
    """How native prose spells it, where that is not its phrase: ``pick up`` for ``pickup``."""


class AsciiGrid(str):
    """A text that is a picture, such as a map, whose glyphs an interface may replace."""

    __slots__ = ()


Piece = str | Command | VerbName
"""A part of a message: plain text, or a value that the interface puts into words."""

Message = tuple[Piece, ...]
"""What a world says."""


class MessageFact(NamedTuple):
    """A fact of a scene that is a message, such as a goal that names verbs."""

    message: Message


LIST_HEADER = "Available actions:"
"""What stands above a list of admissible actions."""


def bulleted(actions: Sequence[str]) -> str:
    """Return the list of *actions* that every interface understands.

    >>> print(bulleted(["Up", "Left"]))
    Available actions:
    - Up
    - Left
    """
    return "\n".join((LIST_HEADER, *(f"- {action}" for action in actions)))

"""Messages: the texts of a world, as tuples of pieces that an interface renders.

A command or a verb in a message is a value, not text. So an interface can render it in other
words, or a grid with other glyphs, without searching the text for words to replace:

    ("You can ", VerbName("craft"), ": ", Command("craft", ("1 stick", "2 planks")))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

__all__ = [
    "LIST_HEADER",
    "AsciiGrid",
    "Command",
    "Message",
    "MessageFact",
    "Piece",
    "VerbName",
    "bulleted",
]


class Command(NamedTuple):
    """One action as a value: a verb and its arguments, in the order of the verb's slots."""

    verb: str
    args: tuple[str, ...] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this command: it has nothing that could change, and worlds hold hundreds."""
        return self


class VerbName(NamedTuple):
    """A verb in a message; the native text shows the verb's phrase."""

    verb: str
    capital: bool = False
    """Whether it stands at the start of a sentence: ``Inventory`` for ``inventory``."""
    native: str = ""
    """The native spelling, where it is not the verb's phrase: ``pick up`` for ``pickup``."""


class AsciiGrid(str):
    """A text map, whose glyphs an interface may replace."""

    __slots__ = ()


Piece = str | Command | VerbName
"""A part of a message: plain text, or a value that the interface renders."""

Message = tuple[Piece, ...]
"""A text of a world, in pieces."""


class MessageFact(NamedTuple):
    """A fact of a scene that is a message, such as a goal that names verbs."""

    message: Message


LIST_HEADER = "Available actions:"
"""The line above a list of admissible actions."""


def bulleted(actions: Sequence[str]) -> str:
    """Return *actions* as a list with one line each.

    >>> print(bulleted(["Up", "Left"]))
    Available actions:
    - Up
    - Left
    """
    return "\n".join((LIST_HEADER, *(f"- {action}" for action in actions)))

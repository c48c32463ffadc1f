"""Syntaxes: how an action is written, one module for each value of the ``syntax`` axis.

What lives here: writing a `Command` as text, and parsing it again or returning why it cannot be.
What does not: the words themselves (`agentgym_gen.interface.wording` and
`agentgym_gen.interface.renaming`), and whether a command can be carried out (the world decides).
"""

from agentgym_gen.interface.syntax.base import Syntax
from agentgym_gen.interface.syntax.call import CallSyntax
from agentgym_gen.interface.syntax.json import JsonSyntax
from agentgym_gen.interface.syntax.lenient import LenientJsonSyntax
from agentgym_gen.interface.syntax.menu import MenuSyntax
from agentgym_gen.interface.syntax.sentence import SentenceSyntax

SYNTAXES: dict[str, type[Syntax]] = {
    "native": SentenceSyntax,
    "json": JsonSyntax,
    "lenientjson": LenientJsonSyntax,
    "call": CallSyntax,
    "menu": MenuSyntax,
}
"""The syntaxes by the value of the axis."""

__all__ = [
    "SYNTAXES",
    "CallSyntax",
    "JsonSyntax",
    "LenientJsonSyntax",
    "MenuSyntax",
    "SentenceSyntax",
    "Syntax",
]

"""Which commands may reach a game: its own verbs, with the words of its own things.

Inform's parser also accepts "take all", "it", "again", "open fridge then go north", `save`,
`restart` and commands for debugging. None of that reaches the game: only one command at a time, a
verb of the game's rules, and arguments made of words from the names of its things.
"""

from __future__ import annotations

import re

from agentgym_gen.envs.textworld.wording import DIRECTIONS, NO_SUCH_THING, NO_SUCH_WAY
from agentgym_gen.world import Command, in_lower_case

MAX_LENGTH = 100
"""The length of the longest command; the parser cuts what is longer than its buffer."""

ARTICLES = frozenset(("a", "an", "some", "the"))

_PARSER_WORDS = """
    again all and another both but each every everything except g him her it me my oops other
    others self that them then those undo
    """
PARSER_WORDS = frozenset(_PARSER_WORDS.split())
"""Words with a meaning of their own to the parser, even where the name of a thing has them."""

_CHARACTERS = re.compile(r"[\w' -]+")


class CommandFilter:
    """The filter of one game.

    Args:
        names: The names of its things.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = {name.lower(): name for name in names}
        words = {word for name in self._names for word in name.split()}
        self._words = (words - PARSER_WORDS) | ARTICLES

    def whole_names(self, argument: str) -> str:
        """Return *argument* with the whole names of the things in it, in their own case.

        The parser takes a part of a name for the name, and any case. Of several names that a part
        may stand for it is the first.
        """
        parts = in_lower_case(argument).split(" from ")
        return " from ".join(map(self._whole_name, parts))

    def _whole_name(self, text: str) -> str:
        first, _, rest = text.partition(" ")
        part = rest if first in ARTICLES else text
        if part in self._names:
            return self._names[part]
        words = set(part.split()) - ARTICLES
        fitting = (self._names[name] for name in sorted(self._names) if words <= set(name.split()))
        return next(fitting, text) if words else text

    def refusal(self, command: Command, text: str) -> str | None:
        """Return the parser's answer to a *command* that must not reach it, or None if it may.

        Args:
            command: The command.
            text: The same in the game's own words.
        """
        if command.verb == "go":
            return None if command.args[0].lower() in DIRECTIONS else NO_SUCH_WAY
        valid = all(self._is_valid_argument(arg, command.verb) for arg in command.args)
        return None if valid and len(text) <= MAX_LENGTH else NO_SUCH_THING

    def _is_valid_argument(self, argument: str, verb: str) -> bool:
        normal = in_lower_case(argument)
        if not _CHARACTERS.fullmatch(normal):
            return False
        parts = normal.split(" from ", 1) if verb == "take" else [normal]
        return all(map(self._names_thing, parts))

    def _names_thing(self, text: str) -> bool:
        """Return whether *text* is a name, with or without an article, or made of name words.

        An apostrophe is allowed in whole names only, ``Henderson's passkey``: to the parser others
        may be quotation marks.
        """
        first, _, rest = text.partition(" ")
        name = rest if first in ARTICLES else text
        return name in self._names or ("'" not in text and self._words >= set(text.split()))

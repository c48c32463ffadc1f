"""What may be said to a game: its own verbs, and the words of its own things.

Inform's parser also knows "take all", "it", "again", "open fridge then go north", `save`, `restart`
and commands for debugging. None of that reaches the game: one command at a time, a verb of the
game's rules, and arguments of words that its things are called by.
"""

from __future__ import annotations

import re

from agentgym_gen.envs.textworld.wording import DIRECTIONS, NO_SUCH_THING, NO_SUCH_WAY
from agentgym_gen.world import Command

LONGEST = 100
"""The longest command; the parser cuts what is longer than its buffer."""

ARTICLES = frozenset(("a", "an", "some", "the"))

_OWN = """
    again all and another both but each every everything except g him her it me my oops other
    others self that them then those undo
    """
PARSERS_OWN = frozenset(_OWN.split())
"""Words with a meaning of their own to the parser, also where a thing is called so."""

_WORDS = re.compile(r"[\w' -]+")


class Speech:
    """The words of one game.

    Args:
        names: What its things are called.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(name.lower() for name in names)
        words = {word for name in self._names for word in name.split()}
        self._words = (words - PARSERS_OWN) | ARTICLES

    def refusal(self, command: Command, text: str) -> str | None:
        """Return the parser's answer to a *command* that must not reach it, or None if it may.

        Args:
            command: What is to be done.
            text: The same in the game's own words.
        """
        if command.verb == "go":
            return None if command.args[0].lower() in DIRECTIONS else NO_SUCH_WAY
        known = all(self._is_known(arg, command.verb) for arg in command.args)
        return None if known and len(text) <= LONGEST else NO_SUCH_THING

    def _is_known(self, argument: str, verb: str) -> bool:
        said = " ".join(argument.lower().split())
        if not _WORDS.fullmatch(said):
            return False
        parts = said.split(" from ", 1) if verb == "take" else [said]
        return all(map(self._calls_something, parts))

    def _calls_something(self, said: str) -> bool:
        """Say whether *said* is a name, with an article or without, or consists of words of names.

        An apostrophe stands in whole names only, ``Henderson's passkey``: to the parser others may
        be quotation marks.
        """
        first, _, rest = said.partition(" ")
        name = rest if first in ARTICLES else said
        return name in self._names or ("'" not in said and self._words >= set(said.split()))

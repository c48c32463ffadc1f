"""Verbs: the kinds of actions of a world, their templates, and how a template is read and written.

A template is the native wording of a verb with a slot for each argument:
``put {object} in/on {receptacle}``.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world.messages import Command, Message, Piece, VerbName
from agentgym_gen.world.template import WORD_CHARS, candidates, fillings, literals

__all__ = [
    "Malformed",
    "Verb",
    "list_entry",
    "native_text",
    "phrase_of",
    "read_templates",
    "slots_of",
    "write_template",
]

_MARKUP = " <>[]()"


class Malformed(NamedTuple):
    """A text that is not a command."""

    text: str
    """The text, as the model wrote it."""
    reason: str
    """Why it is not a command, in one sentence without a full stop."""


@dataclass(frozen=True)
class Verb:
    """One kind of action: its name, its slots and its native wording.

    Raises:
        InvalidValueError: if a template does not start with a word or its slots differ from the
            native ones.
    """

    name: str
    """An identifier: ``go_to``."""
    template: str
    """The native wording with a slot per argument: ``put {object} in/on {receptacle}``."""
    hints: tuple[str, ...] = ()
    """What to put into each slot, for the instruction: ``target object``."""
    synonyms: tuple[str, ...] = ()
    """Other templates with the same slots, written by a person."""
    open: bool = False
    """Whether its one argument is any text, such as a search query, which no list can name."""

    def __post_init__(self) -> None:
        """Check the templates."""
        for template in (self.template, *self.synonyms):
            if slots_of(template) != self.slots or not phrase_of(template):
                raise InvalidValueError(
                    f"Template {template!r} of verb {self.name!r} must start with a word and "
                    f"have the slots {self.slots}, in this order"
                )
        if self.hints and len(self.hints) != len(self.slots):
            raise InvalidValueError(
                f"Verb {self.name!r} has {len(self.slots)} slots but {len(self.hints)} hints"
            )
        if self.open and len(self.slots) != 1:
            raise InvalidValueError(
                f"An open verb has one slot, but {self.name!r} has {len(self.slots)}"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this verb, in which nothing changes."""
        return self

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return slots_of(self.template)

    @cached_property
    def usage(self) -> Command:
        """The command that shows how the verb is used: ``craft [target object] using [...]``.

        A template with square brackets of its own has its hints in angle ones:
        ``search[<keywords>]``.
        """
        left, right = "<>" if "[" in self.template else "[]"
        hints = self.hints or self.slots
        return Command(self.name, tuple(f"{left}{hint}{right}" for hint in hints))


def list_entry(command: Command, verbs: Iterable[Verb]) -> Command:
    """Return *command* as a list has it: a command of an open verb as its usage."""
    usages = (verb.usage for verb in verbs if verb.open and verb.name == command.verb)
    return next(usages, command)


def slots_of(template: str) -> tuple[str, ...]:
    """Return the slot names of *template* in order.

    >>> slots_of("put {object} in {place}")
    ('object', 'place')
    """
    return tuple(name for _, name, _, _ in string.Formatter().parse(template) if name)


def phrase_of(template: str) -> str:
    """Return the words of *template* before its first slot, without markup around them.

    >>> phrase_of("go to {place}"), phrase_of("<search>{query}</search>")
    ('go to', 'search')
    """
    return template.split("{", 1)[0].strip(_MARKUP)


def native_text(message: Message, verbs: Iterable[Verb]) -> str:
    """Return *message* in the native words.

    >>> go = Verb("go_to", "go to {place}")
    >>> native_text((VerbName("go_to", capital=True), ": ", Command("go_to", ("bed",))), [go])
    'Go to: go to bed'
    """
    templates = {verb.name: verb.template for verb in verbs}
    return "".join(_native_piece(piece, templates) for piece in message)


def _native_piece(piece: Piece, templates: Mapping[str, str]) -> str:
    if isinstance(piece, Command):
        return write_template(templates[piece.verb], piece.args)
    if isinstance(piece, VerbName):
        phrase = piece.native or phrase_of(templates[piece.verb])
        return phrase[:1].upper() + phrase[1:] if piece.capital else phrase
    return piece


def write_template(template: str, args: tuple[str, ...]) -> str:
    """Return *template* with its slots filled by *args*.

    >>> write_template("put {object} in {place}", ("mug 1", "drawer 2"))
    'put mug 1 in drawer 2'
    """
    if not args:
        return template
    parts = literals(template)
    filled = "".join(map(str.__add__, parts, args))
    return filled + parts[-1]


def read_templates(text: str, templates: Mapping[str, str]) -> Command | Malformed:
    """Return the command that *text* spells in one of *templates* (verb name -> template).

    Case and runs of white space do not matter. When several templates fit, the one with the most
    literal characters is meant: ``look at {x}`` before ``look {x}``.
    """
    action = " ".join(text.split())
    word = action[:WORD_CHARS].partition(" ")[0]
    for verb, template in candidates(tuple(templates.items()), word if word.isascii() else None):
        args = fillings(template, action)
        if args is not None:
            return Command(verb, args)
    return Malformed(text, "it is none of the known actions")

"""How an action is written: as a sentence, as JSON, as a call, or as a number of a menu.

Each syntax is a pair: `write` puts a command into text and `read` takes it out again, or says
why it cannot. Reading is strict and never raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Protocol

from agentgym_gen.interface.lenient import objects_in
from agentgym_gen.interface.quotes import unquoted
from agentgym_gen.world import (
    Command,
    Malformed,
    Verb,
    entry_of,
    phrase_of,
    read_templates,
    write_template,
)

Rename = Callable[[str], str]
"""Gives what a slot is called; a new name where slots are called like things that have new ones."""


class Syntax(Protocol):
    """A way to write commands."""

    def mention(self, command: Command) -> str:
        """Return *command* as prose mentions it, in a recipe say."""

    def write(self, command: Command, menu: Sequence[Command]) -> str:
        """Return *command* as an action; *menu* holds the commands that are admissible now.

        Raises:
            ValueError: if this syntax can say admissible commands only and *command* is not.
        """

    def read(self, text: str, menu: Sequence[Command]) -> Command | Malformed:
        """Return the command that *text* means, or why it means none."""

    def rule(self) -> str:
        """Return how actions are to be written, as the instruction says it; may be empty."""


class Sentence:
    """The syntax of the verbs' templates: ``put mug 1 in drawer 2``."""

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], called: Rename = str
    ) -> None:
        self._templates = templates

    def mention(self, command: Command) -> str:
        """Return *command* in the words of its template."""
        return write_template(self._templates[command.verb], command.args)

    def write(self, command: Command, menu: Sequence[Command] = ()) -> str:
        """Return *command* in the words of its template."""
        return self.mention(command)

    def read(self, text: str, menu: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command whose template *text* fits."""
        return read_templates(text, self._templates)

    def rule(self) -> str:
        """Return nothing: the original's instruction shows its sentences."""
        return ""


class Json:
    """One JSON object an action: ``{"action": "go to", "arguments": {"place": "desk 1"}}``."""

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], called: Rename = str
    ) -> None:
        self._slots = {verb.name: tuple(map(called, verb.slots)) for verb in verbs}
        self._phrases = {verb: phrase_of(template) for verb, template in templates.items()}
        self._verbs = {phrase: verb for verb, phrase in self._phrases.items()}

    def write(self, command: Command, menu: Sequence[Command] = ()) -> str:
        """Return *command* as one line of JSON."""
        return self.mention(command)

    def mention(self, command: Command) -> str:
        """Return *command* as one line of JSON."""
        arguments = dict(zip(self._slots[command.verb], command.args, strict=True))
        action = {"action": self._phrases[command.verb], "arguments": arguments}
        return json.dumps(action, ensure_ascii=False)

    def read(self, text: str, menu: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the JSON object *text* names."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return Malformed(text, "it is not one JSON object")
        return self._command(text, said)

    def _command(self, text: str, said: object) -> Command | Malformed:
        if not isinstance(said, dict) or set(said) != {"action", "arguments"}:
            return Malformed(text, 'it needs exactly the fields "action" and "arguments"')
        verb = self._verbs.get(said["action"]) if isinstance(said["action"], str) else None
        if verb is None:
            return Malformed(text, 'its "action" is none of the known actions')
        return self._arguments(text, verb, said["arguments"])

    def _arguments(self, text: str, verb: str, given: object) -> Command | Malformed:
        slots = self._slots[verb]
        if not isinstance(given, dict) or set(given) != set(slots):
            return Malformed(text, f'its "arguments" must have exactly the fields {list(slots)}')
        values = tuple(given[slot] for slot in slots)
        if not all(isinstance(value, str) and value for value in values):
            return Malformed(text, "every argument is a text of at least one character")
        return Command(verb, values)

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return (
            'Write one JSON object an action, with the fields "action" and "arguments" '
            "and nothing else."
        )


class LenientJson(Json):
    """The same JSON, read out of a code fence, of single quotes and of text around it."""

    def read(self, text: str, menu: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the only JSON object in *text* names."""
        said = objects_in(text)
        if len(said) != 1:
            return Malformed(text, f"it has {len(said) or 'no'} JSON objects instead of one")
        return self._command(text, said[0])

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return 'Write one JSON object an action, with the fields "action" and "arguments".'


class Call:
    """A function call: ``go_to("desk 1")``."""

    _CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)
    _ARGUMENT = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')\s*(,|$)', re.DOTALL)

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], called: Rename = str
    ) -> None:
        self._slots = {verb.name: tuple(map(called, verb.slots)) for verb in verbs}
        phrases = {verb: phrase_of(template) for verb, template in templates.items()}
        self._functions = {verb: re.sub(r"\W+", "_", p) for verb, p in phrases.items()}
        self._verbs = {function: verb for verb, function in self._functions.items()}

    def write(self, command: Command, menu: Sequence[Command] = ()) -> str:
        """Return *command* as a call with texts as arguments."""
        return self.mention(command)

    def mention(self, command: Command) -> str:
        """Return *command* as a call with texts as arguments."""
        arguments = ", ".join(json.dumps(arg, ensure_ascii=False) for arg in command.args)
        return f"{self._functions[command.verb]}({arguments})"

    def read(self, text: str, menu: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the call *text* names."""
        found = self._CALL.fullmatch(text)
        if found is None:
            return Malformed(text, "it is not one function call")
        verb = self._verbs.get(found[1])
        if verb is None:
            return Malformed(text, f"there is no function {found[1][:40]!r}")
        args = self._arguments(found[2])
        slots = self._slots[verb]
        if args is None or len(args) != len(slots):
            return Malformed(text, f"{found[1]} takes {len(slots)} quoted texts: {list(slots)}")
        return Command(verb, args)

    def _arguments(self, text: str) -> tuple[str, ...] | None:
        args: list[str] = []
        position, separator = 0, ","
        while position < len(text.rstrip()) or (separator == "," and args):
            found = self._ARGUMENT.match(text, position)
            if found is None:
                return None
            said = unquoted(found[1])
            if said is None:
                return None
            args.append(said)
            position, separator = found.end(), found[2]
        return tuple(args) if all(args) else None

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return "Write one function call an action, its arguments in double quotes."


class Menu:
    """The number of an action in the list that every observation ends with.

    The argument of an open verb follows its number: ``2 red shoes``.
    """

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], called: Rename = str
    ) -> None:
        self._sentence = Sentence(verbs, templates)
        self._open = tuple(verb for verb in verbs if verb.open)

    def write(self, command: Command, menu: Sequence[Command] = ()) -> str:
        """Return the number of *command* in *menu*, with the argument of an open verb."""
        return self.choice(self.number(command, menu), command)

    def number(self, command: Command, menu: Sequence[Command]) -> int:
        """Return the number of *command* in *menu*."""
        return tuple(menu).index(entry_of(command, self._open)) + 1

    def choices(self, menu: Sequence[Command]) -> list[str]:
        """Return what chooses each command of *menu*."""
        numbers = range(1, len(menu) + 1)
        return list(map(self.choice, numbers, menu) if self._open else map(str, numbers))

    def choice(self, number: int, command: Command) -> str:
        """Return what chooses *command*, which has *number*."""
        return f"{number} {command.args[0]}" if self._is_open(command) else str(number)

    def mention(self, command: Command) -> str:
        """Return *command* in the words of its template."""
        return self._sentence.mention(command)

    def read(self, text: str, menu: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command with the number that *text* starts with."""
        said, _, argument = text.strip().partition(" ")
        if not (said.isascii() and said.isdigit() and len(said) < 10):
            return Malformed(text, "it is not the number of an action")
        if not 1 <= int(said) <= len(menu):
            return Malformed(text, f"the list has the numbers 1 to {len(menu)}")
        return self._chosen(text, menu[int(said) - 1], argument.strip())

    def _chosen(self, text: str, entry: Command, argument: str) -> Command | Malformed:
        if not self._is_open(entry):
            return Malformed(text, "a number stands alone") if argument else entry
        if not argument:
            return Malformed(text, "this action needs a text after its number")
        return Command(entry.verb, (argument,))

    def _is_open(self, command: Command) -> bool:
        return any(verb.name == command.verb for verb in self._open)

    def rule(self) -> str:
        """Return the rule of this syntax."""
        rule = "Write the number of one action of the list."
        if not self._open:
            return rule
        uses = ", ".join(f"{self.mention(verb.usage)}" for verb in self._open)
        return f"{rule} After the number of {uses} write the text that it is for."


SYNTAXES: dict[str, type[Sentence] | type[Json] | type[Call] | type[Menu]] = {
    "native": Sentence,
    "json": Json,
    "lenientjson": LenientJson,
    "call": Call,
    "menu": Menu,
}
"""The syntaxes by the value of the axis."""

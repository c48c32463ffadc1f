"""One function call per action: ``go_to("desk 1")``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from agentgym_gen.interface.syntax.base import RenameSlot, Syntax
from agentgym_gen.interface.syntax.quotes import unquoted
from agentgym_gen.world import Command, Malformed, Verb, phrase_of


class CallSyntax(Syntax):
    """A function call whose arguments are quoted texts."""

    _CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)
    _ARGUMENT = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')\s*(,|$)', re.DOTALL)

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], rename_slot: RenameSlot = str
    ) -> None:
        self._slots = {verb.name: tuple(map(rename_slot, verb.slots)) for verb in verbs}
        phrases = {verb: phrase_of(template) for verb, template in templates.items()}
        self._functions = {verb: re.sub(r"\W+", "_", p) for verb, p in phrases.items()}
        self._verbs = {function: verb for verb, function in self._functions.items()}

    def mention(self, command: Command) -> str:
        """Return *command* as a call with texts as arguments."""
        arguments = ", ".join(json.dumps(arg, ensure_ascii=False) for arg in command.args)
        return f"{self._functions[command.verb]}({arguments})"

    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the call *text* names."""
        call = self._CALL.fullmatch(text)
        if call is None:
            return Malformed(text, "it is not one function call")
        verb = self._verbs.get(call[1])
        if verb is None:
            return Malformed(text, f"there is no function {call[1][:40]!r}")
        args = self._arguments(call[2])
        slots = self._slots[verb]
        if args is None or len(args) != len(slots):
            return Malformed(text, f"{call[1]} takes {len(slots)} quoted texts: {list(slots)}")
        return Command(verb, args)

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return "Write one function call an action, its arguments in double quotes."

    def _arguments(self, text: str) -> tuple[str, ...] | None:
        """Return the arguments that *text* lists, or None if it is no list of quoted texts."""
        args: list[str] = []
        position, separator = 0, ","
        # A comma at the end promises one more argument, which then must follow.
        while position < len(text.rstrip()) or (separator == "," and args):
            match = self._ARGUMENT.match(text, position)
            if match is None:
                return None
            argument = unquoted(match[1])
            if argument is None:
                return None
            args.append(argument)
            position, separator = match.end(), match[2]
        return tuple(args) if all(args) else None

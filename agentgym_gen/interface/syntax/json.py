"""One JSON object per action: ``{"action": "go to", "arguments": {"place": "desk 1"}}``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agentgym_gen.interface.syntax.base import RenameSlot, Syntax
from agentgym_gen.world import Command, Malformed, Verb, phrase_of


class JsonSyntax(Syntax):
    """One JSON object per action, with exactly the fields ``action`` and ``arguments``."""

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], rename_slot: RenameSlot = str
    ) -> None:
        self._slots = {verb.name: tuple(map(rename_slot, verb.slots)) for verb in verbs}
        self._phrases = {verb: phrase_of(template) for verb, template in templates.items()}
        self._verbs = {phrase: verb for verb, phrase in self._phrases.items()}

    def mention(self, command: Command) -> str:
        """Return *command* as one line of JSON."""
        arguments = dict(zip(self._slots[command.verb], command.args, strict=True))
        action = {"action": self._phrases[command.verb], "arguments": arguments}
        return json.dumps(action, ensure_ascii=False)

    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that the JSON object *text* names."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return Malformed(text, "it is not one JSON object")
        return self._command(text, value)

    def rule(self) -> str:
        """Return the rule of this syntax."""
        return (
            'Write one JSON object an action, with the fields "action" and "arguments" '
            "and nothing else."
        )

    def _command(self, text: str, value: object) -> Command | Malformed:
        """Return the command that the parsed *value* of *text* names."""
        if not isinstance(value, dict) or set(value) != {"action", "arguments"}:
            return Malformed(text, 'it needs exactly the fields "action" and "arguments"')
        phrase = value["action"]
        verb = self._verbs.get(phrase) if isinstance(phrase, str) else None
        if verb is None:
            return Malformed(text, 'its "action" is none of the known actions')
        return self._with_arguments(text, verb, value["arguments"])

    def _with_arguments(self, text: str, verb: str, arguments: object) -> Command | Malformed:
        slots = self._slots[verb]
        if not isinstance(arguments, dict) or set(arguments) != set(slots):
            return Malformed(text, f'its "arguments" must have exactly the fields {list(slots)}')
        values = tuple(arguments[slot] for slot in slots)
        if not all(isinstance(value, str) and value for value in values):
            return Malformed(text, "every argument is a text of at least one character")
        return Command(verb, values)

"""The native syntax: a sentence by the verb's template, ``put mug 1 in drawer 2``."""

from __future__ import annotations

from collections.abc import Sequence

from agentgym_gen.interface.syntax.base import RenameSlot, Syntax
from agentgym_gen.world import Command, Malformed, Verb, read_templates, write_template


class SentenceSyntax(Syntax):
    """The syntax of the verbs' templates: ``put mug 1 in drawer 2``."""

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], rename_slot: RenameSlot = str
    ) -> None:
        self._templates = templates

    def mention(self, command: Command) -> str:
        """Return *command* in the words of its template."""
        return write_template(self._templates[command.verb], command.args)

    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command whose template *text* fits."""
        return read_templates(text, self._templates)

    def rule(self) -> str:
        """Return an empty text: the original's instruction shows its sentences."""
        return ""

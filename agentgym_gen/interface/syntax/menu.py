"""An action is its number in the list at the end of every observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from agentgym_gen.interface.syntax.base import RenameSlot, Syntax
from agentgym_gen.interface.syntax.sentence import SentenceSyntax
from agentgym_gen.world import Command, Malformed, Verb, list_entry


class MenuSyntax(Syntax):
    """The number of a listed action; the argument of an open verb follows it: ``2 red shoes``."""

    numbered: ClassVar[bool] = True

    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], rename_slot: RenameSlot = str
    ) -> None:
        self._sentence = SentenceSyntax(verbs, templates)
        self._open = tuple(verb for verb in verbs if verb.open)

    def mention(self, command: Command) -> str:
        """Return *command* in the words of its template."""
        return self._sentence.mention(command)

    def write(
        self, command: Command, admissible: Sequence[Command] = (), shown: Command | None = None
    ) -> str:
        """Return the number of *command* in *admissible*, with the argument of an open verb.

        Raises:
            ValueError: if *command* is not admissible.
        """
        number = tuple(admissible).index(list_entry(command, self._open)) + 1
        return self._choice(number, shown or command)

    def write_all(self, admissible: Sequence[Command]) -> list[str]:
        """Return the action that chooses each command of *admissible*."""
        numbers = range(1, len(admissible) + 1)
        return list(map(self._choice, numbers, admissible) if self._open else map(str, numbers))

    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command with the number that *text* starts with."""
        number, argument = (*text.split(maxsplit=1), "", "")[:2]
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return Malformed(text, "it is not the number of an action")
        if not 1 <= int(number) <= len(admissible):
            return Malformed(text, f"the list has the numbers 1 to {len(admissible)}")
        return self._chosen(text, admissible[int(number) - 1], argument.strip())

    def rule(self) -> str:
        """Return the rule of this syntax."""
        rule = "Write the number of one action of the list."
        if not self._open:
            return rule
        uses = ", ".join(f"{self.mention(verb.usage)}" for verb in self._open)
        return f"{rule} After the number of {uses} write the text that it is for."

    def _choice(self, number: int, command: Command) -> str:
        return f"{number} {command.args[0]}" if self._is_open(command) else str(number)

    def _chosen(self, text: str, listed: Command, argument: str) -> Command | Malformed:
        if not self._is_open(listed):
            return Malformed(text, "a number stands alone") if argument else listed
        if not argument:
            return Malformed(text, "this action needs a text after its number")
        return Command(listed.verb, (argument,))

    def _is_open(self, command: Command) -> bool:
        return any(verb.name == command.verb for verb in self._open)

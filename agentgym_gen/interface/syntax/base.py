"""The base of all syntaxes: writes a command as text, and parses it again."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import ClassVar

from agentgym_gen.world import Command, Malformed, Verb

RenameSlot = Callable[[str], str]
"""Returns the name of a slot, which differs where slots are named like things that are renamed."""


class Syntax(abc.ABC):
    """Writes and parses actions; `read` is the inverse of `write`, is strict and never raises.

    Args:
        verbs: The action schema.
        templates: The template of each verb, by the verb's name.
        rename_slot: Returns the name of a slot.
    """

    numbered: ClassVar[bool] = False
    """Whether an action is the number of a listed command, not the command as text."""

    @abc.abstractmethod
    def __init__(
        self, verbs: tuple[Verb, ...], templates: dict[str, str], rename_slot: RenameSlot = str
    ) -> None:
        """Prepare what `mention` and `read` look up."""

    @abc.abstractmethod
    def mention(self, command: Command) -> str:
        """Return *command* as it stands in a message, such as a recipe."""

    @abc.abstractmethod
    def read(self, text: str, admissible: Sequence[Command] = ()) -> Command | Malformed:
        """Return the command that *text* spells, or why it spells none.

        Args:
            text: What the model wrote.
            admissible: The commands that can be carried out now.
        """

    @abc.abstractmethod
    def rule(self) -> str:
        """Return the sentence of the instruction on how actions are written; may be empty."""

    def write(
        self, command: Command, admissible: Sequence[Command] = (), shown: Command | None = None
    ) -> str:
        """Return *command* as an action.

        Args:
            command: The command in the world's own names.
            admissible: The commands that can be carried out now.
            shown: The same command in the names that are shown, where they differ.

        Raises:
            ValueError: if this syntax writes admissible commands only and *command* is not one.
        """
        return self.mention(shown or command)

    def write_all(self, admissible: Sequence[Command]) -> list[str]:
        """Return every command of *admissible* as an action."""
        return [self.write(command, admissible) for command in admissible]

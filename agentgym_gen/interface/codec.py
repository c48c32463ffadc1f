"""Writes and parses the actions of one episode: the axes wording, syntax and names.

`ActionCodec` renders a world's messages and commands and parses actions; `ArgumentCodec` translates
the arguments of commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from agentgym_gen.interface.axes import Interface
from agentgym_gen.interface.renaming.names import Renaming, sample_renaming
from agentgym_gen.interface.syntax import SYNTAXES
from agentgym_gen.interface.wording import templates
from agentgym_gen.world import (
    AsciiGrid,
    Command,
    Malformed,
    Message,
    Piece,
    Surface,
    TaskId,
    World,
    copy_sharing,
    phrase_of,
)

MAX_ACTION_CHARS = 8192
"""The longest action that is parsed; a longer one is refused."""


class ArgumentCodec:
    """Translates the world's arguments into those that are shown, and back.

    Args:
        labels: Arguments that name a verb, where it has another name: native label -> new one.
        names: The new names of things, if they have any.
    """

    def __init__(self, labels: Mapping[str, str], names: Renaming | None) -> None:
        self._labels = labels
        self._natives = {label: native for native, label in labels.items()}
        self._names = names
        self.native = not labels and names is None
        """Whether all arguments are the world's own."""

    def encode(self, argument: str) -> str:
        """Return what is shown for the world's *argument*."""
        label = self._labels.get(argument)
        if label is not None:
            return label
        return self._names.rename(argument) if self._names else argument

    def decode(self, argument: str) -> str:
        """Return the world's argument for the shown *argument*."""
        native = self._natives.get(argument)
        if native is not None:
            return native
        return self._names.restore(argument) if self._names else argument

    def old_name(self, argument: str) -> str | None:
        """Return a native name in *argument* that has been renamed, or None."""
        if argument in self._labels:
            return argument
        return self._names.old_name(argument) if self._names else None


class ActionCodec:
    """Writes the commands and messages of one episode as text, and parses actions.

    Args:
        interface: The axes.
        world: The world of the episode, already reset to the task.
        surface: The world's surface.
        task_id: The task, whose streams sample synonyms, symbols and names.
    """

    def __init__(
        self, interface: Interface, world: World[object], surface: Surface, task_id: TaskId
    ) -> None:
        self._world = world
        self._surface = surface
        self.templates = templates(world.verbs, interface.wording, task_id, interface.vocabulary)
        """The template of each verb, by the verb's name."""
        self._renamed_texts: dict[str, str] = {}
        self._wording = interface.wording
        self._writes_sentences = interface.syntax == "native"
        self._reads_natively = interface.wording == "native" and self._writes_sentences
        self._names: Renaming | None = None
        if interface.names == "renamed":
            phrases = tuple(map(phrase_of, self.templates.values()))
            self._names = sample_renaming(surface, task_id, interface.vocabulary, phrases)
        labels = {native: self.render(label) for native, label in surface.verb_labels.items()}
        changed = {native: label for native, label in labels.items() if native != label}
        self._arguments = ArgumentCodec(changed, self._names)
        self._syntax = SYNTAXES[interface.syntax](world.verbs, self.templates, self.rename_slot)
        self._mentions: dict[Command, str] = {}
        # A text that was written before is looked up, not parsed, unless an action is a number
        # (which means another command each turn) or the world itself reads it.
        natively = self._reads_natively and self._arguments.native
        self._keeps_mentions = not natively and not self._syntax.numbered
        self._commands: dict[str, Command] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares all words, but not the texts that were written so far."""
        duplicate = copy_sharing(self, memo, *vars(self).keys() - {"_world", "_surface"})
        for cache in ("_renamed_texts", "_mentions", "_commands"):
            setattr(duplicate, cache, dict(getattr(self, cache)))
        return duplicate

    @property
    def numbered(self) -> bool:
        """Whether an action is the number of a listed command."""
        return self._syntax.numbered

    def rename_slot(self, slot: str) -> str:
        """Return the name of *slot*, which differs where it is named like a renamed thing."""
        return self._names.rename(slot) if self._names else slot

    def render(self, message: Message | str) -> str:
        """Return *message* as text."""
        if isinstance(message, str):
            return self.render_piece(message)
        return "".join([self.render_piece(piece) for piece in message])

    def render_all(self, messages: Iterable[Message | str]) -> list[str]:
        """Return *messages* as texts."""
        if self._names is not None:
            return list(map(self.render, messages))
        return [text if isinstance(text, str) else self.render(text) for text in messages]

    def render_piece(self, piece: Piece) -> str:
        """Return one *piece* of a message as text."""
        if isinstance(piece, str):
            return piece if self._names is None else self._renamed(piece, self._names)
        if isinstance(piece, Command):
            return self.mention(piece)
        native = piece.native if self._wording == "native" else ""
        phrase = native or phrase_of(self.templates[piece.verb])
        return phrase[:1].upper() + phrase[1:] if piece.capital else phrase

    def invalid_reply(self, malformed: Malformed) -> str:
        """Return the world's answer to text that is not a command.

        Where it quotes the player, the quotation keeps its names: old names must not be translated
        into new ones.
        """
        answer = self._world.invalid_reply(malformed)
        if self._names is None or answer == self._world.invalid_reply(malformed._replace(text="")):
            return self.render(answer)
        quotations = (malformed.text, self._surface.canonical_argument(malformed.text))
        return "".join(self._render_around(piece, quotations) for piece in answer)

    def _render_around(self, piece: Piece, quotations: tuple[str, ...]) -> str:
        """Return *piece* as text; the first of *quotations* in it stays as it is."""
        if not isinstance(piece, str):
            return self.render_piece(piece)
        quotation = next((text for text in quotations if text in piece), "")
        if not quotation:
            return self.render_piece(piece)
        before, _, after = piece.partition(quotation)
        return f"{self.render_piece(before)}{quotation}{self.render_piece(after)}"

    def mention(self, command: Command) -> str:
        """Return *command* as messages and lists show it."""
        text = self._mentions.get(command)
        if text is None:
            text = self._mentions[command] = self._syntax.mention(self.encoded(command))
            if self._keeps_mentions:
                self._commands[text] = command
        return text

    def mention_all(self, commands: tuple[Command, ...]) -> list[str]:
        """Return *commands* as messages and lists show them."""
        texts = list(map(self._mentions.get, commands))
        return [text or self.mention(c) for text, c in zip(texts, commands, strict=True)]

    def write(self, command: Command, admissible: tuple[Command, ...]) -> str:
        """Return *command* as the text of an action."""
        if self._syntax.numbered:
            return self._syntax.write(command, admissible, self.encoded(command))
        return self.mention(command)

    def write_shown(self, command: Command) -> str:
        """Return *command*, which has the names that are shown, as the text of an action."""
        return self._syntax.mention(command)

    def write_all(self, admissible: tuple[Command, ...]) -> list[str]:
        """Return the commands of *admissible* as texts of actions."""
        if self._syntax.numbered:
            return self._syntax.write_all(admissible)
        return self.mention_all(admissible)

    def read(self, text: str, admissible: tuple[Command, ...]) -> Command | Malformed:
        """Return the command that *text* spells, or why it spells none."""
        if len(text) > MAX_ACTION_CHARS:
            return Malformed(text[:80] + " ...", f"it is longer than {MAX_ACTION_CHARS} characters")
        mentioned = self._commands.get(text)
        if mentioned is not None:
            return mentioned
        if self._reads_natively:
            command = self._world.read(text)
        elif self._writes_sentences:
            command = self._world.read_reworded(text, self.templates)
        else:
            command = self._syntax.read(text, admissible)
        if self._arguments.native or isinstance(command, Malformed):
            return command
        if self._syntax.numbered and command in admissible:
            return command  # a number stands for the world's own arguments
        return self._decoded(text, command)

    def instruction(self) -> str:
        """Return the rules of the world and of how actions are written."""
        text = self.world_instruction()
        if self._reads_natively:
            return text
        usages = [self.mention(verb.usage) for verb in self._world.verbs]
        lines = [text, self.rule(), "The actions are:", *(f"- {usage}" for usage in usages)]
        return "\n".join(line for line in lines if line)

    def world_instruction(self) -> str:
        """Return the rules of the world alone."""
        return self.render(self._world.instruction())

    def rule(self) -> str:
        """Return the sentence of the instruction on how actions are written; may be empty."""
        return self._syntax.rule()

    def encoded(self, command: Command) -> Command:
        """Return *command* with the names that are shown."""
        if self._arguments.native:
            return command
        return Command(command.verb, tuple(map(self._arguments.encode, command.args)))

    def _decoded(self, text: str, command: Command) -> Command | Malformed:
        """Return *command* with the world's own names, unless *text* has one of them."""
        arguments = tuple(map(self._surface.canonical_argument, command.args))
        for argument in arguments:
            old = self._arguments.old_name(argument)
            if old is not None:
                return Malformed(text, f"there is nothing called {old!r}")
        return Command(command.verb, tuple(map(self._arguments.decode, arguments)))

    def _renamed(self, text: str, names: Renaming) -> str:
        if isinstance(text, AsciiGrid):
            return names.rename_grid(text)
        renamed = self._renamed_texts.get(text)
        if renamed is None:
            renamed = self._renamed_texts[text] = names.rename_prose(text)
        return renamed

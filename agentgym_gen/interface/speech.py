"""What is said and how it is understood: the axes wording, syntax and names of one episode."""

from __future__ import annotations

from collections.abc import Iterable

from agentgym_gen.interface.arguments import Arguments
from agentgym_gen.interface.axes import Interface
from agentgym_gen.interface.names import Renaming, renaming
from agentgym_gen.interface.syntax import SYNTAXES, Menu
from agentgym_gen.interface.wording import templates
from agentgym_gen.world import (
    Command,
    Drawing,
    Malformed,
    Message,
    Piece,
    World,
    phrase_of,
)
from agentgym_gen.world.task import TaskId

MAX_ACTION_CHARS = 8192
"""The length of an action above which it is refused unread."""


class Speech:
    """The words of one episode, in both directions.

    Args:
        interface: The axes.
        world: The world of the episode, already reset to the task.
        task_id: The task, whose streams draw synonyms, symbols and names.
    """

    def __init__(self, interface: Interface, world: World[object], task_id: TaskId) -> None:
        self._world = world
        self._templates = templates(world.verbs, interface.wording, task_id, interface.vocabulary)
        self._told: dict[str, str] = {}
        self._wording = interface.wording
        self._reads_natively = interface.wording == "native" and interface.syntax == "native"
        self._names: Renaming | None = None
        if interface.names == "renamed":
            phrases = tuple(map(phrase_of, self._templates.values()))
            self._names = renaming(world, task_id, interface.vocabulary, phrases)
        labels = {native: self.tell(label) for native, label in world.labels.items()}
        changed = {native: label for native, label in labels.items() if native != label}
        self._arguments = Arguments(changed, self._names)
        called = self._names.there if self._names else str
        self._syntax = SYNTAXES[interface.syntax](world.verbs, self._templates, called)
        self._mentions: dict[Command, str] = {}
        # What was mentioned reads back as it is: there is nothing to parse.
        natively = self._reads_natively and self._arguments.native
        self._keeps = not natively and not isinstance(self._syntax, Menu)
        self._mentioned: dict[str, Command] = {}

    def tell(self, message: Message | str) -> str:
        """Return *message* in these words."""
        if isinstance(message, str):
            return self.say(message)
        return "".join([self.say(piece) for piece in message])

    def told(self, messages: Iterable[Message | str]) -> list[str]:
        """Return *messages* in these words."""
        if self._names is not None:
            return list(map(self.tell, messages))
        return [one if isinstance(one, str) else self.tell(one) for one in messages]

    def say(self, piece: Piece) -> str:
        """Return one *piece* of a message in these words."""
        if isinstance(piece, str):
            return piece if self._names is None else self._renamed(piece, self._names)
        if isinstance(piece, Command):
            return self.mention(piece)
        native = piece.native if self._wording == "native" else ""
        phrase = native or phrase_of(self._templates[piece.verb])
        return phrase[:1].upper() + phrase[1:] if piece.capital else phrase

    def refusal(self, malformed: Malformed) -> str:
        """Return the world's answer to a text that is no command; what was said stays as it is.

        An answer that repeats the player must not translate old names into new ones.
        """
        answer = self._world.refuse(malformed)
        if self._names is None or answer == self._world.refuse(malformed._replace(text="")):
            return self.tell(answer)
        said = (malformed.text, self._world.normal(malformed.text))
        return "".join(self._repeated(piece, said) for piece in answer)

    def _repeated(self, piece: Piece, said: tuple[str, ...]) -> str:
        found = next((text for text in said if isinstance(piece, str) and text in piece), "")
        if not found or not isinstance(piece, str):
            return self.say(piece)
        before, _, after = piece.partition(found)
        return f"{self.say(before)}{found}{self.say(after)}"

    def mention(self, command: Command) -> str:
        """Return *command* as prose and lists have it."""
        text = self._mentions.get(command)
        if text is None:
            text = self._mentions[command] = self._syntax.mention(self._spoken(command))
            if self._keeps:
                self._mentioned[text] = command
        return text

    def write(self, command: Command, menu: tuple[Command, ...]) -> str:
        """Return *command* as a model has to say it."""
        if isinstance(self._syntax, Menu):
            number = self._syntax.number(command, menu)
            return self._syntax.choice(number, self._spoken(command))
        return self.mention(command)

    def listed(self, menu: tuple[Command, ...]) -> list[str]:
        """Return the commands of *menu* as a model has to say them."""
        if isinstance(self._syntax, Menu):
            return self._syntax.choices(menu)
        return self.mentions(menu)

    def mentions(self, menu: tuple[Command, ...]) -> list[str]:
        """Return the commands of *menu* as prose and lists have them."""
        said = list(map(self._mentions.get, menu))
        return [text or self.mention(one) for text, one in zip(said, menu, strict=True)]

    def read(self, text: str, menu: tuple[Command, ...]) -> Command | Malformed:
        """Return the command that *text* means, or why it means none."""
        if len(text) > MAX_ACTION_CHARS:
            return Malformed(text[:80] + " ...", f"it is longer than {MAX_ACTION_CHARS} characters")
        known = self._mentioned.get(text)
        if known is not None:
            return known
        natively = self._reads_natively
        read = self._world.read(text) if natively else self._syntax.read(text, menu)
        if self._arguments.native or isinstance(read, Malformed):
            return read
        if isinstance(self._syntax, Menu) and read in menu:
            return read
        normal = Command(read.verb, tuple(map(self._world.normal, read.args)))
        return self._meant(text, normal)

    def instruction(self) -> str:
        """Return the rules of the world and of this way to speak."""
        text = self.tell(self._world.instruction())
        if self._reads_natively:
            return text
        usages = [self.mention(verb.usage) for verb in self._world.verbs]
        lines = [text, self.rule(), "The actions are:", *(f"- {use}" for use in usages)]
        return "\n".join(line for line in lines if line)

    def rule(self) -> str:
        """Return how actions are to be written, as the instruction says it; may be empty."""
        return self._syntax.rule()

    def _meant(self, text: str, command: Command) -> Command | Malformed:
        """Return *command* with the world's own names, unless one of them was said."""
        for argument in command.args:
            old = self._arguments.old_name(argument)
            if old is not None:
                return Malformed(text, f"there is nothing called {old!r}")
        return Command(command.verb, tuple(map(self._arguments.meant, command.args)))

    def _spoken(self, command: Command) -> Command:
        if self._arguments.native:
            return command
        return Command(command.verb, tuple(map(self._arguments.said, command.args)))

    def _renamed(self, text: str, names: Renaming) -> str:
        if isinstance(text, Drawing):
            return names.drawing(text)
        told = self._told.get(text)
        if told is None:
            told = self._told[text] = names.prose(text)
        return told

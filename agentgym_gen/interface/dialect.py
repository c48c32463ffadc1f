"""An interface bound to a world and a task: the only place where all axes meet."""

from __future__ import annotations

from collections.abc import Mapping

from agentgym_gen.interface.axes import Interface
from agentgym_gen.interface.distractors import aside_lines
from agentgym_gen.interface.form import write_facts
from agentgym_gen.interface.names import Renaming
from agentgym_gen.interface.syntax import SYNTAXES, Menu
from agentgym_gen.interface.wording import templates
from agentgym_gen.task import TaskId
from agentgym_gen.world import (
    LIST_HEADER,
    Command,
    Malformed,
    Message,
    Outcome,
    Scene,
    VerbName,
    World,
    bulleted,
    phrase_of,
)

MAX_ACTION_CHARS = 8192
"""The length of an action above which it is refused unread."""


class Dialect:
    """How one episode is shown and spoken to.

    Args:
        interface: The axes.
        world: The world of the episode, already reset to the task.
        task_id: The task, whose streams draw synonyms, symbols, names and distractors.
    """

    def __init__(self, interface: Interface, world: World[object], task_id: TaskId) -> None:
        self._interface = interface
        self._world = world
        self._task_id = task_id
        self._templates = templates(world.verbs, interface.wording, task_id)
        phrases = tuple(map(phrase_of, self._templates.values()))
        self._syntax = SYNTAXES[interface.syntax](world.verbs, self._templates)
        self._native = interface.wording == "native" and interface.syntax == "native"
        self._renaming = (
            Renaming(world.nouns(), task_id.stream("names"), phrases)
            if interface.names == "renamed"
            else None
        )
        self._labels = self._renamed_labels()
        self._mentions: dict[Command, str] = {}

    def show(self, scene: Scene, menu: tuple[Command, ...], turn: int) -> str:
        """Return what is seen at *turn* (0 is the reset), when *menu* is admissible."""
        return self._appended(self._shown(scene), menu, turn)

    def answer(self, outcome: Outcome, menu: tuple[Command, ...], turn: int) -> str:
        """Return what is seen after a command had *outcome*."""
        if outcome.valid or self._interface.feedback == "native":
            return self.show(outcome.scene, menu, turn)
        if self._interface.feedback == "silent":
            return self._appended("", menu, turn)
        note = f"Not done: {self._say(outcome.reason or 'it cannot be done now')}"
        return self._appended(self._shown(outcome.scene, note), menu, turn)

    def refuse(self, malformed: Malformed, menu: tuple[Command, ...], turn: int) -> str:
        """Return the answer to a text that is no command."""
        if self._interface.feedback == "silent":
            return self._appended("", menu, turn)
        # A sentence is refused in the original's own words; a new syntax says what was wrong.
        explains = self._interface.feedback == "explained" or self._interface.syntax != "native"
        note = f"Not understood: {malformed.reason}" if explains else ""
        text = self._refusal(malformed)
        if self._interface.form == "native":
            text = _noted(text, note)
        else:
            text = write_facts(_with_note({"result": text}, note), self._interface.form, str)
        return self._appended(text, menu, turn)

    def read(self, text: str, menu: tuple[Command, ...]) -> Command | Malformed:
        """Return the command that *text* means in this dialect, or why it means none."""
        if len(text) > MAX_ACTION_CHARS:
            return Malformed(text[:80] + " ...", f"it is longer than {MAX_ACTION_CHARS} characters")
        read = self._world.read(text) if self._native else self._syntax.read(text, menu)
        if isinstance(read, Malformed) or not (self._renaming or self._labels):
            return read
        if isinstance(self._syntax, Menu) and read in menu:
            return read
        normal = Command(read.verb, tuple(map(self._world.normal, read.args)))
        return self._unrenamed(text, normal)

    def write(self, command: Command, menu: tuple[Command, ...]) -> str:
        """Return *command* as a model has to say it."""
        if isinstance(self._syntax, Menu):
            number = self._syntax.number(command, menu)
            return self._syntax.choice(number, self._renamed(command))
        return self._mention(command)

    def listed(self, menu: tuple[Command, ...]) -> list[str]:
        """Return the admissible commands as a model has to say them."""
        if isinstance(self._syntax, Menu):
            return list(map(self._syntax.choice, range(1, len(menu) + 1), menu))
        return [self._mention(command) for command in menu]

    def tell(self, message: Message | str) -> str:
        """Return *message* in this dialect's words."""
        if isinstance(message, str):
            return self._rename(message)
        return "".join(map(self._say, message))

    def instruction(self) -> str:
        """Return the rules of the world and of this dialect."""
        text = self.tell(self._world.instruction())
        if self._native:
            return text
        usages = [self._mention(verb.usage) for verb in self._world.verbs]
        lines = [text, self._syntax.rule(), "The actions are:", *(f"- {use}" for use in usages)]
        return "\n".join(line for line in lines if line)

    def _unrenamed(self, text: str, command: Command) -> Command | Malformed:
        for argument in command.args:
            old = self._old_name(argument)
            if old is not None:
                return Malformed(text, f"there is nothing called {old!r}")
        return Command(command.verb, tuple(map(self._back, command.args)))

    def _old_name(self, argument: str) -> str | None:
        if argument in self._labels:
            return argument
        return self._renaming.old_name(argument) if self._renaming else None

    def _back(self, argument: str) -> str:
        """Return the world's name of what this dialect calls *argument*."""
        labels = (native for native, label in self._labels.items() if label == argument)
        native = next(labels, None)
        if native is not None:
            return native
        return self._renaming.back(argument) if self._renaming else argument

    def _renamed_labels(self) -> dict[str, str]:
        """Return the labels that this dialect words otherwise than the world does."""
        said = {native: self.tell(label) for native, label in self._world.labels.items()}
        return {native: label for native, label in said.items() if native != label}

    def _shown(self, scene: Scene, note: str = "") -> str:
        if self._interface.form == "native":
            return _noted(self.tell(scene.message), note)
        if scene.facts:
            return write_facts(_with_note(scene.facts, note), self._interface.form, self._say)
        told = _with_note({"result": self.tell(scene.message)}, note)
        return write_facts(told, self._interface.form, str)

    def _refusal(self, malformed: Malformed) -> str:
        return "".join(
            piece if isinstance(piece, str) else self._say(piece)
            for piece in self._world.refuse(malformed)
        )

    def _say(self, piece: object) -> str:
        if isinstance(piece, Command):
            return self._mention(piece)
        if isinstance(piece, VerbName):
            native = piece.native if self._interface.wording == "native" else ""
            phrase = native or phrase_of(self._templates[piece.verb])
            return phrase[:1].upper() + phrase[1:] if piece.capital else phrase
        return self._rename(str(piece))

    def _mention(self, command: Command) -> str:
        text = self._mentions.get(command)
        if text is None:
            text = self._mentions[command] = self._syntax.mention(self._renamed(command))
        return text

    def _renamed(self, command: Command) -> Command:
        args = (self._labels.get(argument) or self._rename(argument) for argument in command.args)
        return Command(command.verb, tuple(args))

    def _rename(self, text: str) -> str:
        return text if self._renaming is None else self._renaming.there(text)

    def _appended(self, text: str, menu: tuple[Command, ...], turn: int) -> str:
        interface = self._interface
        parts = [text]
        if interface.distractors:
            rng = self._task_id.stream(f"distractors {turn}")
            parts += aside_lines(self._world.asides, interface.distractors, rng)
        if menu and (interface.syntax == "menu" or self._lists(turn)):
            parts.append(self._list([self._mention(command) for command in menu]))
        return "\n".join(parts) if len(parts) > 1 else text

    def _list(self, actions: list[str]) -> str:
        if self._interface.syntax == "menu":
            numbered = (f"{number}. {action}" for number, action in enumerate(actions, 1))
            return "\n".join((LIST_HEADER, *numbered))
        # Quotes and commas of a sentence's list would not set off JSON objects or calls.
        native = self._interface.syntax == "native"
        return self._world.list_actions(actions) if native else bulleted(actions)

    def _lists(self, turn: int) -> bool:
        listing = self._interface.listing
        if listing == "native":
            listing = self._world.listing
        return listing == "always" or (listing == "first" and turn == 0)


def _noted(text: str, note: str) -> str:
    return f"{text}\n({note}.)".lstrip("\n") if note else text


def _with_note(facts: Mapping[str, object], note: str) -> Mapping[str, object]:
    return {**facts, "note": note} if note else facts

"""Worlds: the rules and the state of one environment, and the records it speaks in.

A world takes a `Command` and gives an `Outcome`. It knows its own native wording and nothing of
Gymnasium, prompts, models or other interfaces. What it shows is a `Message`: a tuple of pieces in
which every mention of a command or a verb is a value, not text, so that an interface can say it
in other words without searching for it.
"""

from __future__ import annotations

import abc
import enum
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple

import numpy as np

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world.distractors import COMMON_ASIDES, drawn
from agentgym_gen.world.task import ContentT, Task, Tasks
from agentgym_gen.world.template import WORD, candidates, fillings, literals


class Command(NamedTuple):
    """One action as a value: a verb and its arguments, in the order of the verb's slots."""

    verb: str
    args: tuple[str, ...] = ()


class VerbName(NamedTuple):
    """The mention of a verb in prose; native prose shows the verb's phrase."""

    verb: str
    capital: bool = False
    """Whether it stands at the start of a sentence: ``Inventory`` for ``inventory``."""
    native: str = ""
    """How native prose spells it, where that is not its phrase: ``pick up`` for ``pickup``."""


class Drawing(str):
    """A text that is a picture, such as a map, whose marks an interface may draw otherwise."""

    __slots__ = ()


Piece = str | Command | VerbName
"""A part of a message: plain text, or a value that the interface puts into words."""

Message = tuple[Piece, ...]
"""What a world says."""


class Said(NamedTuple):
    """A message that is one fact of a scene, such as a goal that names verbs."""

    message: Message


LIST_HEADER = "Available actions:"
"""What stands above a list of admissible actions."""

_MARKUP = " <>[]()"


class Malformed(NamedTuple):
    """A text that is not a command."""

    text: str
    """What was said."""
    reason: str
    """Why it is not a command, in one sentence without a full stop."""


class EndReason(enum.StrEnum):
    """Why an episode ended."""

    SUCCESS = "success"
    """The goal was reached."""
    FAILURE = "failure"
    """The world ended without the goal."""
    TURN_LIMIT = "turn_limit"
    """The turns ran out: the episode was truncated."""
    BACKEND_ERROR = "backend_error"
    """The software behind the world failed; the next reset works."""


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
    """What to put into each slot, as the instruction says it: ``target object``."""
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


def entry_of(command: Command, verbs: Iterable[Verb]) -> Command:
    """Return how *command* stands in a list of commands: that of an open verb as its usage."""
    usages = (verb.usage for verb in verbs if verb.open and verb.name == command.verb)
    return next(usages, command)


def slots_of(template: str) -> tuple[str, ...]:
    """Return the slot names of *template* in order."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(template) if name)


def phrase_of(template: str) -> str:
    """Return the words of *template* before its first slot, without markup around them.

    >>> phrase_of("go to {place}"), phrase_of("<search>{query}</search>")
    ('go to', 'search')
    """
    return template.split("{", 1)[0].strip(_MARKUP)


@dataclass(frozen=True)
class Scene:
    """What a world shows at one moment."""

    message: Message
    """The native observation."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The same as plain data (texts, `Said`, numbers, commands, lists) for the other forms.

    Without any, the other forms show the message as the fact ``result``.
    """


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    scene: Scene
    """What is seen after it."""
    reward: float = 0.0
    """The reward of the original environment for this step."""
    valid: bool = True
    """Whether the command could be carried out; if not, the state is unchanged."""
    end: EndReason | None = None
    """Why the episode is over, or None while it goes on."""
    score: float = 0.0
    """How much of the task is done, 0 to 1; exactly 1 on success."""
    reason: str = ""
    """Why the command was not carried out, for the ``explained`` feedback."""

    @property
    def success(self) -> bool:
        """Whether the goal was reached."""
        return self.end is EndReason.SUCCESS


class World(abc.ABC, Generic[ContentT]):
    """The rules and the state of one environment.

    A subclass sets the class attributes, builds `tasks` in its constructor and implements the
    abstract methods. Its state belongs to the instance alone, so that two worlds can be played in
    two threads.
    """

    name: ClassVar[str]
    """The environment's name as ids spell it: ``TextCraft``."""
    verbs: ClassVar[tuple[Verb, ...]]
    """The action schema."""
    listing: ClassVar[str] = "never"
    """When the original lists the admissible actions: ``always``, ``first`` or ``never``."""
    asides: ClassVar[tuple[str, ...]] = ()
    """Sentences that have nothing to do with any goal, for the ``distractors`` axis."""
    clutter: ClassVar[int] = 8
    """How many such lines an observation gets by the recipe of arXiv 2601.18217."""
    marks: ClassVar[str] = ""
    """The characters that stand for things in a `Drawing`, for the ``names`` axis."""
    labels: ClassVar[Mapping[str, Message]] = {}
    """Arguments that name a verb, such as a button, as messages in lower case.

    ``{"back to search": ("back to ", VerbName("search"))}``: where the verb is called otherwise,
    the argument is, too, and its old name is refused.
    """
    malformed_reward: ClassVar[float] = 0.0
    """The reward of a text that is no command; where every command costs, it costs the same."""
    tasks: Tasks[ContentT]
    """The tasks of this environment."""

    @abc.abstractmethod
    def reset(self, task: Task[ContentT]) -> Scene:
        """Start *task* and return what is seen first, the goal included."""

    @abc.abstractmethod
    def step(self, command: Command) -> Outcome:
        """Carry out *command*, whose verb and number of arguments fit the schema."""

    @abc.abstractmethod
    def admissible(self) -> tuple[Command, ...]:
        """Return the commands that can be carried out now, in an order that tells nothing.

        An open verb that can be used now stands there as its `Verb.usage`, for any argument.
        """

    @abc.abstractmethod
    def plan(self) -> tuple[Command, ...] | None:
        """Return admissible commands that reach the goal from here, or None if none are found."""

    @abc.abstractmethod
    def instruction(self) -> Message:
        """Return the rules as the original tells them to a model, before the first observation."""

    @abc.abstractmethod
    def goal(self) -> Message | str:
        """Return what is to be reached in the current task."""

    @abc.abstractmethod
    def turn_limit(self) -> int:
        """Return how many turns the current task allows by default."""

    @abc.abstractmethod
    def refuse(self, malformed: Malformed) -> Message:
        """Return the original's answer to a text that is no command."""

    def allows(self, command: Command) -> bool:
        """Say whether *command* can be carried out now."""
        menu = self.admissible()
        return command in menu or entry_of(command, self.verbs) in menu

    def list_actions(self, actions: Sequence[str]) -> str:
        """Return the list of the admissible *actions* as the original prints it."""
        return bulleted(actions)

    def read(self, text: str) -> Command | Malformed:
        """Read *text* as the original does, by its form only; by default by the templates."""
        return read_templates(text, {verb.name: verb.template for verb in self.verbs})

    def nouns(self) -> tuple[str, ...]:
        """Return every name that may be said in the current task, for the ``names`` axis."""
        return ()

    def distract(self, rng: np.random.Generator, amount: int) -> tuple[Message | str, ...]:
        """Return *amount* lines that have nothing to do with the goal of the current task.

        Nothing that they speak of can be done or used at any moment of it. By default they are
        drawn from `asides`; a world that makes them up draws from *rng* alone.
        """
        return drawn(self.asides or COMMON_ASIDES, amount, rng)

    def normal(self, argument: str) -> str:
        """Return *argument* as this world takes it, so that no spelling hides an old name."""
        return argument

    def info(self) -> Mapping[str, Any]:
        """Return this environment's own entries of ``info``, always with the same keys."""
        return {}

    def close(self) -> None:
        """Release what the world holds beyond its own memory; a later reset works again."""


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


def bulleted(actions: Sequence[str]) -> str:
    """Return the list of *actions* that every interface understands."""
    return "\n".join((LIST_HEADER, *(f"- {action}" for action in actions)))


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
    said = " ".join(text.split())
    word = said[:WORD].partition(" ")[0]
    for verb, template in candidates(tuple(templates.items()), word if word.isascii() else None):
        args = fillings(template, said)
        if args is not None:
            return Command(verb, args)
    return Malformed(text, "it is none of the known actions")

"""The native words of ALFWorld: verbs of two versions, the list of commands, the instruction."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agentgym_gen.errors import unknown_name
from agentgym_gen.world import (
    Command,
    Message,
    Piece,
    Verb,
    VerbName,
    phrase_of,
    write_template,
)

LOOK = Verb("look", "look", synonyms=("glance", "peer", "gaze"))
INVENTORY = Verb("inventory", "inventory", synonyms=("belongings", "possessions", "holdings"))
GO_TO = Verb(
    "go_to",
    "go to {receptacle}",
    ("receptacle",),
    ("walk to {receptacle}", "head for {receptacle}", "travel to {receptacle}"),
)
OPEN = Verb(
    "open",
    "open {receptacle}",
    ("receptacle",),
    ("unlatch {receptacle}", "unseal {receptacle}", "uncover {receptacle}"),
)
CLOSE = Verb(
    "close",
    "close {receptacle}",
    ("receptacle",),
    ("shut {receptacle}", "latch {receptacle}", "seal {receptacle}"),
)
TAKE = Verb(
    "take",
    "take {object} from {receptacle}",
    ("object", "receptacle"),
    (
        "grab {object} out of {receptacle}",
        "fetch {object} from {receptacle}",
        "collect {object} from {receptacle}",
    ),
)
_PUT_SYNONYMS = (
    "place {object} at {receptacle}",
    "deposit {object} at {receptacle}",
    "leave {object} at {receptacle}",
)
MOVE = Verb("move", "move {object} to {receptacle}", ("object", "receptacle"), _PUT_SYNONYMS)
PUT = Verb("move", "put {object} in/on {receptacle}", ("object", "receptacle"), _PUT_SYNONYMS)
EXAMINE = Verb(
    "examine",
    "examine {something}",
    ("something",),
    ("inspect {something}", "study {something}", "survey {something}"),
)
USE = Verb(
    "use",
    "use {object}",
    ("object",),
    ("operate {object}", "activate {object}", "switch {object}"),
)
HEAT = Verb(
    "heat",
    "heat {object} with {receptacle}",
    ("object", "receptacle"),
    (
        "warm {object} by {receptacle}",
        "toast {object} by {receptacle}",
        "bake {object} by {receptacle}",
    ),
)
CLEAN = Verb(
    "clean",
    "clean {object} with {receptacle}",
    ("object", "receptacle"),
    (
        "wash {object} by {receptacle}",
        "rinse {object} by {receptacle}",
        "scrub {object} by {receptacle}",
    ),
)
COOL = Verb(
    "cool",
    "cool {object} with {receptacle}",
    ("object", "receptacle"),
    (
        "chill {object} by {receptacle}",
        "ice {object} by {receptacle}",
        "frost {object} by {receptacle}",
    ),
)
SLICE = Verb(
    "slice",
    "slice {object} with {tool}",
    ("object", "object"),
    ("cut {object} by {tool}", "carve {object} by {tool}", "chop {object} by {tool}"),
)
HELP = Verb("help", "help", synonyms=("guide", "manual", "overview"))

_LAST_VERBS = (EXAMINE, USE, HEAT, CLEAN, COOL, SLICE)
_FIRST_VERBS = (LOOK, INVENTORY, GO_TO, OPEN, CLOSE, TAKE)


@dataclass(frozen=True)
class Wording:
    """The words of one version of the original."""

    version: str
    """``0.4`` or ``0.3``."""
    verbs: tuple[Verb, ...]
    """Its verbs; 0.3 has no ``help``."""
    names_places: bool
    """Whether the answer to ``go to`` names the place, ``loc 12``, instead of the receptacle."""
    put_preposition: str
    """The preposition in the answer to putting a thing somewhere: ``to`` or ``in/on``."""

    def mark_verbs(self, text: str) -> Message:
        """Return *text*, a sentence of a game file, with its verbs as `VerbName` pieces.

        An interface can then rename the verb: "put a clean mug" contains the verb ``clean``.
        """
        pieces: list[Piece] = []
        end = 0
        for match in self._phrases.finditer(text):
            pieces += (text[end : match.start()], VerbName(self._verb_names[match[0]]))
            end = match.end()
        return (*pieces, text[end:])

    @cached_property
    def templates(self) -> dict[str, str]:
        """The native template of every verb."""
        return {verb.name: verb.template for verb in self.verbs}

    @cached_property
    def _verb_names(self) -> dict[str, str]:
        return {phrase_of(verb.template): verb.name for verb in self.verbs}

    @cached_property
    def _phrases(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self._verb_names))})(?!\w)")


WORDINGS = {
    "0.4": Wording(
        "0.4", (*_FIRST_VERBS, MOVE, *_LAST_VERBS, HELP), names_places=False, put_preposition="to"
    ),
    "0.3": Wording(
        "0.3", (*_FIRST_VERBS, PUT, *_LAST_VERBS), names_places=True, put_preposition="in/on"
    ),
}
"""The wordings by version."""


def find_wording(version: str) -> Wording:
    """Return the wording of *version*.

    Raises:
        UnknownNameError: if there is none.
    """
    if version not in WORDINGS:
        raise unknown_name("ALFWorld wording", version, WORDINGS)
    return WORDINGS[version]


NOTHING_HAPPENS = "Nothing happens."
"""The answer to every command that is not admissible."""

_PURPOSES: dict[str, Message] = {
    "look": (VerbName("look"), " around your current location"),
    "inventory": ("check your current ", VerbName("inventory")),
    "go_to": (VerbName("move"), " to a receptacle"),
    "open": (VerbName("open"), " a receptacle"),
    "close": (VerbName("close"), " a receptacle"),
    "take": (VerbName("take"), " an object from a receptacle"),
    "move": ("place an object in or on a receptacle",),
    "examine": (VerbName("examine"), " a receptacle or an object"),
    "use": (VerbName("use"), " an object"),
    "heat": (VerbName("heat"), " an object using a receptacle"),
    "clean": (VerbName("clean"), " an object using a receptacle"),
    "cool": (VerbName("cool"), " an object using a receptacle"),
    "slice": (VerbName("slice"), " an object using a sharp object"),
}


@functools.cache
def help_text(wording: Wording) -> Message:
    """Return the original's list of commands; in native words its columns are those of 0.4."""
    return _commands(wording, _PURPOSES)


def _commands(wording: Wording, purposes: Mapping[str, Message]) -> Message:
    pieces: list[Piece] = ["Available commands:\n"]
    for verb in wording.verbs:
        if verb.name in purposes:
            usage = Command(verb.name, tuple(f"({hint})" for hint in verb.hints))
            width = len(write_template(verb.template, usage.args))
            # The original pads to a column of 33, except for the line of `move`.
            gap = 2 if verb.name == "move" else 33 - width
            pieces += ("  ", usage, ":" + " " * gap, *purposes[verb.name], "\n")
    return tuple(pieces)


INTRODUCTION = (
    "Interact with a household to solve a task. Imagine you are an intelligent agent in a "
    "household environment and your target is to perform actions to complete the task goal. "
    "At the beginning of your interactions, you will be given the detailed description of the "
    "current environment and your goal to accomplish. After your each turn, the environment "
    "will give you immediate feedback based on which you plan your next few steps. If the "
    f'environment outputs "{NOTHING_HAPPENS}", that means the previous action is invalid and you '
    "should try more options.\n"
)

_INSTRUCTION_PURPOSES: dict[str, Message] = {"go_to": ("reach a receptacle",)}
"""What differs in the instruction: the original explains ``go to`` by the name of another verb."""


def instruction(wording: Wording) -> Message:
    """Return AgentGym's instruction without its prompt format, and the original's commands."""
    return (INTRODUCTION, *_commands(wording, _PURPOSES | _INSTRUCTION_PURPOSES)[:-1])

"""What ALFWorld says that no rule decides: verbs in two versions and the instruction."""

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
_PLACED = (
    "place {object} at {receptacle}",
    "deposit {object} at {receptacle}",
    "leave {object} at {receptacle}",
)
MOVE = Verb("move", "move {object} to {receptacle}", ("object", "receptacle"), _PLACED)
PUT = Verb("move", "put {object} in/on {receptacle}", ("object", "receptacle"), _PLACED)
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

_SHARED = (EXAMINE, USE, HEAT, CLEAN, COOL, SLICE)
_FIRST = (LOOK, INVENTORY, GO_TO, OPEN, CLOSE, TAKE)


@dataclass(frozen=True)
class Wording:
    """The words of one version of the original."""

    version: str
    """``0.4`` or ``0.3``."""
    verbs: tuple[Verb, ...]
    """Its verbs; 0.3 has no ``help``."""
    names_places: bool
    """Whether going somewhere is answered by the place, ``loc 12``, not by the receptacle."""
    put_preposition: str
    """What stands between the two things when one is put: ``to`` or ``in/on``."""

    def mark_verbs(self, text: str) -> Message:
        """Return *text*, a sentence of a game file, with its verbs as values."""
        pieces: list[Piece] = []
        end = 0
        for found in self._phrases.finditer(text):
            pieces += (text[end : found.start()], VerbName(self._names[found[0]]))
            end = found.end()
        return (*pieces, text[end:])

    @cached_property
    def templates(self) -> dict[str, str]:
        """The native template of every verb."""
        return {verb.name: verb.template for verb in self.verbs}

    @cached_property
    def _names(self) -> dict[str, str]:
        return {phrase_of(verb.template): verb.name for verb in self.verbs}

    @cached_property
    def _phrases(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self._names))})(?!\w)")


WORDINGS = {
    "0.4": Wording("0.4", (*_FIRST, MOVE, *_SHARED, HELP), names_places=False, put_preposition="to"),
    "0.3": Wording("0.3", (*_FIRST, PUT, *_SHARED), names_places=True, put_preposition="in/on"),
}
"""The wordings by version."""


def find_wording(version: str) -> Wording:
    """Return the wording of *version*.

    Raises:
        UnknownNameError: if there is none.
    """
    if version not in WORDINGS:
        raise unknown_name("ALFWorld wording", version, WORDINGS, "all")
    return WORDINGS[version]


NOTHING_HAPPENS = "Nothing happens."
"""The answer to whatever cannot be done."""

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
    """Return the original's list of commands; its columns are those of 0.4 in native words."""
    return _commands(wording, _PURPOSES)


def _commands(wording: Wording, purposes: Mapping[str, Message]) -> Message:
    pieces: list[Piece] = ["Available commands:\n"]
    for verb in wording.verbs:
        if verb.name in purposes:
            usage = Command(verb.name, tuple(f"({hint})" for hint in verb.hints))
            width = len(write_template(verb.template, usage.args))
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

_OTHER_PURPOSES: dict[str, Message] = {"go_to": ("reach a receptacle",)}
"""In the instruction, because the original explains one verb by another's name."""


def instruction(wording: Wording) -> Message:
    """Return AgentGym's instruction without its prompt format, and the original's commands."""
    return (INTRODUCTION, *_commands(wording, _PURPOSES | _OTHER_PURPOSES)[:-1])

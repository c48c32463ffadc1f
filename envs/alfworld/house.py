"""A household and its task as plain data, read from a game file or generated.

The hash of a task and the split of a floor plan come from the `repr` of these records. So the names
of the classes and fields, and their order, must never change.
"""

from __future__ import annotations

from dataclasses import dataclass

OFFICIAL_TYPES = {
    "pick": "pick_and_place_simple",
    "look": "look_at_obj_in_light",
    "clean": "pick_clean_then_place_in_recep",
    "heat": "pick_heat_then_place_in_recep",
    "cool": "pick_cool_then_place_in_recep",
    "two": "pick_two_obj_and_place",
}
"""The six task types: our short names and the original's."""

ROOMS = ("bathroom", "bedroom", "kitchen", "livingroom")
"""The four room types."""

TREATMENT_RECEPTACLES = {
    "clean": ("sinkbasin", "sink"),
    "heat": ("microwave",),
    "cool": ("fridge",),
}
"""The kinds of receptacles with which a thing is cleaned, heated and cooled."""

TREATMENT_TRAITS = {"clean": "cleanable", "heat": "heatable", "cool": "coolable"}
"""The trait that a thing needs to be cleaned, heated or cooled."""

TREATMENT_STATES = {"clean": "clean", "heat": "hot", "cool": "cool"}
"""The state that it then has."""

KNIVES = ("knife", "butterknife")
"""The kinds of things that slice."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What the player has to achieve."""

    type: str
    """A short name of `OFFICIAL_TYPES`."""
    thing: str
    """The kind of thing that the task needs."""
    place: str
    """The kind of receptacle to put it in, or the kind of lamp to look at it under."""


@dataclass(frozen=True, slots=True)
class Receptacle:
    """Something that things lie in or on."""

    name: str
    """Its name: ``cabinet 6``."""
    kind: str
    """Its kind: ``cabinet``."""
    place: str
    """Where one stands to use it: ``loc 12``; several receptacles may share a place."""
    openable: bool = False
    """Whether it can be opened and closed; if not, its content is always within reach."""
    opened: bool = False
    """Whether it is open at the start."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that lies in receptacles."""

    name: str
    """Its name: ``mug 2``."""
    kind: str
    """Its kind: ``mug``."""
    traits: tuple[str, ...]
    """What can be done with it, sorted: ``cleanable``, ``pickupable``, ..."""
    inside: tuple[int, ...]
    """The numbers of the receptacles that it is in; official games have things in two at once."""
    places: tuple[str, ...]
    """The places where it is, by the facts of the game."""
    holds: tuple[str, ...] | None = None
    """The names of the things in it if it is a receptacle itself, such as a mug; else None."""
    states: tuple[str, ...] = ()
    """Its states at the start: any of ``clean``, ``hot``, ``cool``, ``on`` and ``sliced``."""


@dataclass(frozen=True, slots=True)
class House:
    """A household, a task and where the player stands."""

    room: str
    """One of `ROOMS`."""
    task: str
    """The task in the original's words, after ``Your task is to:``."""
    goal: Goal
    """The same task as data."""
    start: str
    """The place where the player begins."""
    receptacles: tuple[Receptacle, ...]
    """The receptacles, in the order of observations."""
    things: tuple[Thing, ...]
    """The things, in the order of observations."""
    fits: tuple[tuple[str, str], ...]
    """Which kind of receptacle takes which kind of thing: pairs of the two, sorted."""


def room_of(kinds: set[str]) -> str:
    """Return the type of a room with receptacles of *kinds*.

    >>> room_of({"bed", "desk"})
    'bedroom'
    """
    for room, kind in (("kitchen", "fridge"), ("bathroom", "toilet"), ("bedroom", "bed")):
        if kind in kinds:
            return room
    return "livingroom"

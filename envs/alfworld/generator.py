"""Households that were never in AI2-THOR: floor plans, what lies where, and a task.

A floor plan is drawn from its room's counts and belongs to one family by its hash, so that no
floor plan of the test is played in training. Things and the task are drawn into a floor plan.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agentgym_gen.envs.alfworld.statistics import WeightedChoice, RoomStatistics, load_statistics
from agentgym_gen.envs.alfworld.house import TREATMENT_RECEPTACLES, Goal, House, Receptacle, Thing
from agentgym_gen.seeding import stream

FAMILIES = {"seen": (100, range(4)), "unseen": (40, range(4, 5))}
"""How many floor plans each family has of every room, and the hashes modulo 5 that belong to it."""

SHARED_PLACE_PROBABILITY = 0.1
"""How often a receptacle is used from the same place as the one before it."""

ALWAYS_OPENABLE = ("fridge", "microwave", "safe")
OFTEN_OPENABLE = ("cabinet", "drawer")
OPENABLE_PROBABILITY = 0.83
"""How many of the cabinets and drawers of the official games can be opened."""

ID_PREFIXES = {"sinkbasin": "sink_bar_z", "bathtubbasin": "bathtub_bar_z"}
"""The kinds whose ids in the original begin otherwise, which decides where they are listed."""

SENTENCES = {
    "pick": ("put a {thing} in {place}.", "put some {thing} on {place}."),
    "look": ("look at {thing} under the {place}.", "examine the {thing} with the {place}."),
    "clean": ("put a clean {thing} in {place}.", "clean some {thing} and put it in {place}."),
    "heat": ("put a hot {thing} in {place}.", "heat some {thing} and put it in {place}."),
    "cool": ("put a cool {thing} in {place}.", "cool some {thing} and put it in {place}."),
    "two": ("put two {thing} in {place}.", "find two {thing} and put them in {place}."),
}
"""How the original words a task of every type."""


class FloorPlan:
    """The receptacles of a room, where one stands to use them, and what lies in them.

    Args:
        room: What was counted in rooms of its type.
        receptacles: The receptacles.
        start: The place where the player begins: the middle of the room.
    """

    def __init__(self, room: RoomStatistics, receptacles: tuple[Receptacle, ...], start: str) -> None:
        self.receptacles = receptacles
        self.start = start
        self.kinds: dict[str, list[int]] = {}
        """The numbers of the receptacles of every kind."""
        for number, one in enumerate(receptacles):
            self.kinds.setdefault(one.kind, []).append(number)
        self._locations = room.locations
        self._choices: dict[tuple[str, str, bool], PlacementChoice] = {}

    def placement_choice(self, kind: str, banned: str = "", closed: bool = False) -> PlacementChoice:
        """Return where things of *kind* may lie.

        Args:
            kind: The kind of thing.
            banned: A kind of receptacle that they may not lie in.
            closed: Whether only what can be closed counts.
        """
        key = kind, banned, closed
        if key not in self._choices:
            fitting = {
                place: tuple(
                    n for n in self.kinds[place] if self.receptacles[n].openable or not closed
                )
                for place in self._locations.get(kind, {})
                if place in self.kinds and place != banned
            }
            self._choices[key] = PlacementChoice({p: n for p, n in fitting.items() if n}, self._locations[kind])
        return self._choices[key]


class PlacementChoice:
    """Receptacles in which things of one kind may lie.

    Args:
        numbers: The receptacles by kind.
        weights: How often a thing lies in one of the kind.
    """

    def __init__(self, numbers: Mapping[str, tuple[int, ...]], weights: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._kinds = WeightedChoice({kind: weights[kind] for kind in numbers})

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self._numbers)

    def sample(self, rng: np.random.Generator) -> int:
        """Return the number of one receptacle."""
        fitting = self._numbers[self._kinds.sample(rng)]
        return fitting[int(rng.random() * len(fitting))]


class TaskSpec(NamedTuple):
    """What a household is drawn for."""

    type: str
    """The task type."""
    room: str
    """The room type."""
    hidden: bool = False
    """Whether what the task asks for lies in closed receptacles."""


@functools.cache
def floor_plan(room: str, family: str, number: int) -> FloorPlan:
    """Return floor plan *number* of the *family* of a *room*."""
    rng = stream("alfworld", "floor plan", room, family, number)
    while True:
        plan = _generate_floor_plan(load_statistics().rooms[room], rng)
        if _hash_class(plan.receptacles) in FAMILIES[family][1]:
            return plan


def generate_house(brief: TaskSpec, family: str, rng: np.random.Generator) -> House | None:
    """Return a household for *brief* in a floor plan of *family*.

    None if the floor plan that was drawn does not suit the task that was drawn.
    """
    goal = _sample_goal(brief, rng)
    plan = floor_plan(brief.room, family, int(rng.integers(FAMILIES[family][0])))
    treaters = TREATMENT_RECEPTACLES[goal.type][:1] if goal.type in TREATMENT_RECEPTACLES else ()
    wanted = treaters if goal.type == "look" else (goal.place, *treaters)
    if any(kind not in plan.kinds for kind in wanted):
        return None
    lying = _sample_placements(load_statistics().rooms[brief.room], plan, goal, brief.hidden, rng)
    if lying is None:
        return None
    sentence = SENTENCES[goal.type][int(rng.integers(2))]
    things = _make_things(lying, plan)
    return House(
        room=brief.room,
        task=sentence.format(thing=goal.thing, place=goal.place),
        goal=goal,
        start=plan.start,
        receptacles=plan.receptacles,
        things=things,
        fits=_fits(frozenset(plan.kinds), frozenset(thing.kind for thing in things)),
    )


def _hash_class(content: object) -> int:
    """Return the class, 0 to 4, of *content* by its hash."""
    return int.from_bytes(hashlib.sha256(repr(content).encode()).digest()[:8], "big") % 5


def is_for_validation(house: House) -> bool:
    """Say whether *house* is for validation: a fifth of the arrangements of every floor plan."""
    return _hash_class((house.task, house.things)) == 4


def _generate_floor_plan(room: RoomStatistics, rng: np.random.Generator) -> FloorPlan:
    kinds = [
        kind
        for kind, numbers in sorted(room.receptacles.items(), key=lambda item: _id_prefix(item[0]))
        if rng.random() < numbers.total / room.games
        for _ in range(int(numbers.sample(rng)))
    ]
    apart = [rng.random() >= SHARED_PLACE_PROBABILITY for _ in kinds]
    places = np.cumsum([0, *apart[1:]]).tolist()
    left = {kind: kinds.count(kind) for kind in kinds}
    receptacles = []
    for kind, place in zip(kinds, places, strict=True):
        receptacles.append(
            Receptacle(
                f"{kind} {left[kind]}", kind, f"loc {places[-1] + 1 - place}", _is_openable(kind, rng)
            )
        )
        left[kind] -= 1
    return FloorPlan(room, tuple(receptacles), f"loc {places[-1] + 2}")


def _id_prefix(kind: str) -> str:
    """Return what the ids of *kind* begin with in the original, which sorts by ids."""
    return ID_PREFIXES.get(kind, f"{kind}_bar_")


def _is_openable(kind: str, rng: np.random.Generator) -> bool:
    return kind in ALWAYS_OPENABLE or (kind in OFTEN_OPENABLE and rng.random() < OPENABLE_PROBABILITY)


@functools.cache
def _goal_choice(task_type: str, room: str) -> WeightedChoice:
    """Return the tasks of *task_type* for which a *room* can have what is needed."""
    known = load_statistics().rooms[room]
    places = known.things if task_type == "look" else known.receptacles
    return WeightedChoice(
        {
            f"{thing} {place}": n
            for (thing, place), n in load_statistics().goals[task_type].items()
            if thing in known.things and place in places and thing in known.locations
        }
    )


def _sample_goal(brief: TaskSpec, rng: np.random.Generator) -> Goal:
    thing, place = _goal_choice(brief.type, brief.room).sample(rng).split()
    return Goal(brief.type, thing, place)


def _sample_placements(
    room: RoomStatistics, plan: FloorPlan, goal: Goal, hidden: bool, rng: np.random.Generator
) -> list[tuple[str, int]] | None:
    """Return kinds of things with the receptacle that each lies in, or None if the task lacks one.

    What the task asks for never lies where it has to be brought.
    """
    asked = {goal.thing: plan.placement_choice(goal.thing, goal.place, hidden)}
    if goal.type == "look":
        asked[goal.place] = plan.placement_choice(goal.place)
    if not all(asked.values()):
        return None
    least = 2 if goal.type == "two" else 1
    lying: list[tuple[str, int]] = []
    for kind, numbers in room.things.items():
        if kind in asked:
            number, spots = max(int(numbers.sample(rng)), least), asked[kind]
        elif rng.random() < numbers.total / room.games and kind in room.locations:
            number, spots = int(numbers.sample(rng)), plan.placement_choice(kind)
        else:
            continue
        lying += [(kind, spots.sample(rng)) for _ in range(number) if spots]
    return lying


def _make_things(lying: Sequence[tuple[str, int]], plan: FloorPlan) -> tuple[Thing, ...]:
    """Return the things of *lying* in the order and with the names that the original gives."""
    ordered = sorted(lying, key=lambda one: _id_prefix(one[0]))
    left: dict[str, int] = {}
    for kind, _ in ordered:
        left[kind] = left.get(kind, 0) + 1
    things = []
    for kind, receptacle in ordered:
        things.append(_make_thing(kind, left[kind], receptacle, plan.receptacles[receptacle].place))
        left[kind] -= 1
    return tuple(things)


def _make_thing(kind: str, number: int, receptacle: int, place: str) -> Thing:
    known = load_statistics()
    holds = () if kind in known.containers else None
    return Thing(f"{kind} {number}", kind, known.traits[kind], (receptacle,), (place,), holds)


@functools.lru_cache(maxsize=256)
def _fits(receptacles: frozenset[str], things: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(pair for pair in load_statistics().fits if pair[0] in receptacles and pair[1] in things)
    )

"""Generated households: a floor plan, things in its receptacles, and a task.

They are sampled from counts over the official games (`statistics`). A floor plan belongs to one
family by its hash, so that no floor plan of the test split is played in training.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agentgym_gen.envs.alfworld.house import TREATMENT_RECEPTACLES, Goal, House, Receptacle, Thing
from agentgym_gen.envs.alfworld.statistics import RoomStatistics, WeightedChoice, load_statistics
from agentgym_gen.seeding import stream

FAMILIES = {"seen": (100, range(4)), "unseen": (40, range(4, 5))}
"""For each family: how many floor plans it has of every room, and its hashes modulo 5."""

SHARED_PLACE_PROBABILITY = 0.1
"""How often a receptacle shares its place with the one before it."""

ALWAYS_OPENABLE = ("fridge", "microwave", "safe")
OFTEN_OPENABLE = ("cabinet", "drawer")
OPENABLE_PROBABILITY = 0.83
"""The share of the official games' cabinets and drawers that can be opened."""

ID_PREFIXES = {"sinkbasin": "sink_bar_z", "bathtubbasin": "bathtub_bar_z"}
"""The exceptions among the ids of the original, by which kinds are sorted."""

SENTENCES = {
    "pick": ("put a {thing} in {place}.", "put some {thing} on {place}."),
    "look": ("look at {thing} under the {place}.", "examine the {thing} with the {place}."),
    "clean": ("put a clean {thing} in {place}.", "clean some {thing} and put it in {place}."),
    "heat": ("put a hot {thing} in {place}.", "heat some {thing} and put it in {place}."),
    "cool": ("put a cool {thing} in {place}.", "cool some {thing} and put it in {place}."),
    "two": ("put two {thing} in {place}.", "find two {thing} and put them in {place}."),
}
"""The original's sentences for every task type."""


class FloorPlan:
    """The receptacles of a room, their places, and where things may lie in them.

    Args:
        room: The statistics of its room type.
        receptacles: The receptacles.
        start: The place where the player begins: the middle of the room.
    """

    def __init__(
        self, room: RoomStatistics, receptacles: tuple[Receptacle, ...], start: str
    ) -> None:
        self.receptacles = receptacles
        self.start = start
        self.kinds: dict[str, list[int]] = {}
        """The numbers of the receptacles of every kind."""
        for number, receptacle in enumerate(receptacles):
            self.kinds.setdefault(receptacle.kind, []).append(number)
        self._locations = room.locations
        self._choices: dict[tuple[str, str, bool], PlacementChoice] = {}

    def placement_choice(
        self, kind: str, excluded: str = "", closed: bool = False
    ) -> PlacementChoice:
        """Return the receptacles in which things of *kind* may lie.

        Args:
            kind: The kind of thing.
            excluded: A kind of receptacle that they may not lie in.
            closed: Whether only receptacles that can be closed count.
        """
        key = kind, excluded, closed
        if key not in self._choices:
            receptacles = {
                place: tuple(
                    n for n in self.kinds[place] if self.receptacles[n].openable or not closed
                )
                for place in self._locations.get(kind, {})
                if place in self.kinds and place != excluded
            }
            numbers = {place: ns for place, ns in receptacles.items() if ns}
            self._choices[key] = PlacementChoice(numbers, self._locations[kind])
        return self._choices[key]


class PlacementChoice:
    """A random choice among the receptacles in which things of one kind may lie.

    Args:
        numbers: The receptacles by kind.
        weights: How often a thing lies in a receptacle of the kind.
    """

    def __init__(self, numbers: Mapping[str, tuple[int, ...]], weights: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._kinds = WeightedChoice({kind: weights[kind] for kind in numbers})

    def __bool__(self) -> bool:
        """Say whether there is any receptacle to choose."""
        return bool(self._numbers)

    def sample(self, rng: np.random.Generator) -> int:
        """Return the number of one receptacle."""
        numbers = self._numbers[self._kinds.sample(rng)]
        return numbers[int(rng.random() * len(numbers))]


class TaskSpec(NamedTuple):
    """What a household is generated for."""

    type: str
    """The task type."""
    room: str
    """The room type."""
    hidden: bool = False
    """Whether the targets lie in closed receptacles."""


@functools.cache
def floor_plan(room: str, family: str, number: int) -> FloorPlan:
    """Return floor plan *number* of *family* for a *room*: the next sample of that family."""
    rng = stream("alfworld", "floor plan", room, family, number)
    while True:
        plan = _generate_floor_plan(load_statistics().rooms[room], rng)
        if _hash_class(plan.receptacles) in FAMILIES[family][1]:
            return plan


def generate_house(spec: TaskSpec, family: str, rng: np.random.Generator) -> House | None:
    """Return a household for *spec* in a floor plan of *family*.

    None if the sampled floor plan does not suit the sampled goal.
    """
    goal = _sample_goal(spec, rng)
    plan = floor_plan(spec.room, family, int(rng.integers(FAMILIES[family][0])))
    appliances = TREATMENT_RECEPTACLES.get(goal.type, ())[:1]
    needed_kinds = appliances if goal.type == "look" else (goal.place, *appliances)
    if any(kind not in plan.kinds for kind in needed_kinds):
        return None
    room = load_statistics().rooms[spec.room]
    placements = _sample_placements(room, plan, goal, spec.hidden, rng)
    if placements is None:
        return None
    sentence = SENTENCES[goal.type][int(rng.integers(2))]
    things = _make_things(placements, plan)
    return House(
        room=spec.room,
        task=sentence.format(thing=goal.thing, place=goal.place),
        goal=goal,
        start=plan.start,
        receptacles=plan.receptacles,
        things=things,
        fits=_fits(frozenset(plan.kinds), frozenset(thing.kind for thing in things)),
    )


def _hash_class(content: object) -> int:
    """Return the class, 0 to 4, of *content* by the hash of its `repr`."""
    return int.from_bytes(hashlib.sha256(repr(content).encode()).digest()[:8], "big") % 5


def is_for_validation(house: House) -> bool:
    """Say whether *house* is for validation: a fifth of all arrangements of things are."""
    return _hash_class((house.task, house.things)) == 4


def _generate_floor_plan(room: RoomStatistics, rng: np.random.Generator) -> FloorPlan:
    kinds = [
        kind
        for kind, numbers in sorted(room.receptacles.items(), key=lambda item: _id_prefix(item[0]))
        if rng.random() < numbers.total / room.games
        for _ in range(int(numbers.sample(rng)))
    ]
    has_own_place = [rng.random() >= SHARED_PLACE_PROBABILITY for _ in kinds]
    # A running sum numbers the places; a receptacle that shares one adds nothing to it.
    places = np.cumsum([0, *has_own_place[1:]]).tolist()
    next_number = {kind: kinds.count(kind) for kind in kinds}
    receptacles = []
    for kind, place in zip(kinds, places, strict=True):
        # As in the original, receptacles of a kind and places are numbered downwards.
        name, place_name = f"{kind} {next_number[kind]}", f"loc {places[-1] + 1 - place}"
        receptacles.append(Receptacle(name, kind, place_name, _is_openable(kind, rng)))
        next_number[kind] -= 1
    return FloorPlan(room, tuple(receptacles), f"loc {places[-1] + 2}")


def _id_prefix(kind: str) -> str:
    """Return the beginning of the ids of *kind* in the original, which sorts by ids."""
    return ID_PREFIXES.get(kind, f"{kind}_bar_")


def _is_openable(kind: str, rng: np.random.Generator) -> bool:
    return kind in ALWAYS_OPENABLE or (
        kind in OFTEN_OPENABLE and rng.random() < OPENABLE_PROBABILITY
    )


@functools.cache
def _goal_choice(task_type: str, room: str) -> WeightedChoice:
    """Return the goals of *task_type* whose kinds of things and places a *room* can have."""
    statistics = load_statistics().rooms[room]
    places = statistics.things if task_type == "look" else statistics.receptacles
    return WeightedChoice(
        {
            f"{thing} {place}": n
            for (thing, place), n in load_statistics().goals[task_type].items()
            if thing in statistics.things and place in places and thing in statistics.locations
        }
    )


def _sample_goal(spec: TaskSpec, rng: np.random.Generator) -> Goal:
    thing, place = _goal_choice(spec.type, spec.room).sample(rng).split()
    return Goal(spec.type, thing, place)


def _sample_placements(
    room: RoomStatistics, plan: FloorPlan, goal: Goal, hidden: bool, rng: np.random.Generator
) -> list[tuple[str, int]] | None:
    """Return the kind of every thing with its receptacle, or None if the goal cannot be placed.

    A target never lies in a receptacle of the kind that it has to be brought to.
    """
    needed = {goal.thing: plan.placement_choice(goal.thing, goal.place, hidden)}
    if goal.type == "look":
        needed[goal.place] = plan.placement_choice(goal.place)
    if not all(needed.values()):
        return None
    minimum = 2 if goal.type == "two" else 1
    placements: list[tuple[str, int]] = []
    for kind, numbers in room.things.items():
        if kind in needed:
            number, choice = max(int(numbers.sample(rng)), minimum), needed[kind]
        elif rng.random() < numbers.total / room.games and kind in room.locations:
            number, choice = int(numbers.sample(rng)), plan.placement_choice(kind)
        else:
            continue
        placements += [(kind, choice.sample(rng)) for _ in range(number) if choice]
    return placements


def _make_things(placements: Sequence[tuple[str, int]], plan: FloorPlan) -> tuple[Thing, ...]:
    """Return the things of *placements*, in the original's order and with its names."""
    ordered = sorted(placements, key=lambda placement: _id_prefix(placement[0]))
    next_number = Counter(kind for kind, _ in ordered)
    things = []
    for kind, receptacle in ordered:
        place = plan.receptacles[receptacle].place
        things.append(_make_thing(kind, next_number[kind], receptacle, place))
        next_number[kind] -= 1
    return tuple(things)


def _make_thing(kind: str, number: int, receptacle: int, place: str) -> Thing:
    statistics = load_statistics()
    holds = () if kind in statistics.containers else None
    return Thing(f"{kind} {number}", kind, statistics.traits[kind], (receptacle,), (place,), holds)


@functools.lru_cache(maxsize=256)
def _fits(receptacles: frozenset[str], things: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            pair for pair in load_statistics().fits if pair[0] in receptacles and pair[1] in things
        )
    )

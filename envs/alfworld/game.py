"""The rules and the state of one household in play, without any text.

They follow the original's PDDL domain and textworld's `PddlEnv`, quirks included. The docs page of
the environment lists the quirks.
"""

from __future__ import annotations

import copy
from bisect import insort
from collections.abc import Iterator
from typing import Any, Self

from agentgym_gen.envs.alfworld.house import (
    KNIVES,
    TREATMENT_RECEPTACLES,
    TREATMENT_STATES,
    TREATMENT_TRAITS,
    House,
)

Move = tuple[str, int, int]
"""A verb and the numbers of its arguments: ``("take", 3, 0)`` takes thing 3 from receptacle 0.

Receptacles and things are counted separately. ``examine`` is for a receptacle, ``examine_held`` for
the thing in hand.
"""

NO_ITEM = -1
"""What stands in a move where the verb has no argument."""

STATE_CHANGES = {
    "clean": ("clean", None),
    "heat": ("hot", "cool"),
    "cool": ("cool", "hot"),
    "use": ("on", None),
    "slice": ("sliced", None),
}
"""The state that a verb gives a thing, and the one that it takes away."""


class Game:
    """A household in play.

    Args:
        house: The household at the start.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.place = house.start
        """The place where the player stands."""
        self.in_hand: int | None = None
        """The number of the thing in hand."""
        self.content: list[list[int]] = [[] for _ in house.receptacles]
        """The numbers of the things in every receptacle, sorted."""
        for number, thing in enumerate(house.things):
            for receptacle in thing.inside:
                self.content[receptacle].append(number)
        self.open_receptacles = {n for n, item in enumerate(house.receptacles) if item.opened}
        """The numbers of the receptacles that are open."""
        self.states = {
            state: {n for n, thing in enumerate(house.things) if state in thing.states}
            for state in ("clean", "hot", "cool", "on", "sliced")
        }
        """The numbers of the things in every state."""
        self._places = [set(thing.places) for thing in house.things]
        # Pairs of a thing and a receptacle that it was taken from and not put back into.
        self._pickups: set[tuple[int, int]] = set()
        self._receptacles_by_place: dict[str, list[int]] = {}
        for number, item in enumerate(house.receptacles):
            self._receptacles_by_place.setdefault(item.place, []).append(number)
        self.fits = frozenset(house.fits)
        """Which kind of receptacle takes which kind of thing."""
        self._sliceable = [n for n, thing in enumerate(house.things) if "sliceable" in thing.traits]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy; a general one of so many small sets would take a millisecond."""
        duplicate = memo[id(self)] = copy.copy(self)
        duplicate.content = list(map(list, self.content))
        duplicate.open_receptacles = set(self.open_receptacles)
        duplicate.states = {state: set(numbers) for state, numbers in self.states.items()}
        duplicate._places = list(map(set, self._places))
        duplicate._pickups = set(self._pickups)
        return duplicate

    def receptacles_here(self) -> list[int]:
        """Return the numbers of the receptacles at the player's place."""
        return self._receptacles_by_place.get(self.place, [])

    def is_open(self, receptacle: int) -> bool:
        """Say whether *receptacle* has no door or is open."""
        has_door = self.house.receptacles[receptacle].openable
        return not has_door or receptacle in self.open_receptacles

    def can_hold(self, receptacle: int, thing: int) -> bool:
        """Say whether *receptacle* is of a kind that takes *thing*."""
        house = self.house
        return (house.receptacles[receptacle].kind, house.things[thing].kind) in self.fits

    def can_treat(self, verb: str, thing: int, receptacle: int) -> bool:
        """Say whether *receptacle* can ``clean``, ``heat`` or ``cool`` *thing*."""
        is_suitable = TREATMENT_TRAITS[verb] in self.house.things[thing].traits
        return (
            is_suitable and self.house.receptacles[receptacle].kind in TREATMENT_RECEPTACLES[verb]
        )

    def things_beside(self) -> list[int]:
        """Return the things that the original's ``look`` lists next to the receptacles here.

        They were taken from a receptacle here and put into another one here.
        """
        return [
            thing
            for thing, places in enumerate(self._places)
            if self.place in places
            for receptacle in self.receptacles_here()
            if (thing, receptacle) in self._pickups
        ]

    def local_moves(self) -> Iterator[Move]:
        """Yield the moves that are possible now, except ``go_to``, in no particular order."""
        yield from (
            ("look", NO_ITEM, NO_ITEM),
            ("inventory", NO_ITEM, NO_ITEM),
            ("help", NO_ITEM, NO_ITEM),
        )
        for receptacle in self.receptacles_here():
            yield ("examine", receptacle, NO_ITEM)
            if self.house.receptacles[receptacle].openable:
                yield (
                    "close" if receptacle in self.open_receptacles else "open",
                    receptacle,
                    NO_ITEM,
                )
            yield from self._object_moves(receptacle)
        if self.in_hand is not None:
            yield ("examine_held", self.in_hand, NO_ITEM)
            yield from self._slice_moves(self.in_hand)

    def go_to_moves(self) -> list[Move]:
        """Return the ``go_to`` moves that are possible now: to every receptacle elsewhere."""
        return [
            ("go_to", number, NO_ITEM)
            for number, item in enumerate(self.house.receptacles)
            if item.place != self.place
        ]

    def _object_moves(self, receptacle: int) -> Iterator[Move]:
        in_hand, is_open, things = self.in_hand, self.is_open(receptacle), self.house.things
        for thing in self.content[receptacle]:
            if is_open and in_hand is None and "pickupable" in things[thing].traits:
                yield ("take", thing, receptacle)
            if "toggleable" in things[thing].traits:
                yield ("use", thing, NO_ITEM)
        if in_hand is None:
            return
        if is_open and self.can_hold(receptacle, in_hand):
            yield ("move", in_hand, receptacle)
        for verb in TREATMENT_RECEPTACLES:
            if self.can_treat(verb, in_hand, receptacle):
                yield (verb, in_hand, receptacle)

    def _slice_moves(self, tool: int) -> Iterator[Move]:
        if self.house.things[tool].kind in KNIVES:
            for thing in self._sliceable:
                if self.place in self._places[thing]:
                    yield ("slice", thing, tool)

    def apply(self, move: Move) -> None:
        """Carry out *move*, which must be possible now."""
        match move:
            case "go_to", receptacle, _:
                self.place = self.house.receptacles[receptacle].place
            case "open", receptacle, _:
                self.open_receptacles.add(receptacle)
            case "close", receptacle, _:
                self.open_receptacles.discard(receptacle)
            case "take", thing, receptacle:
                self._take(thing, receptacle)
            case "move", thing, receptacle:
                self._put(thing, receptacle)
            case verb, thing, _ if verb in STATE_CHANGES:
                self._change(thing, *STATE_CHANGES[verb])

    def _take(self, thing: int, receptacle: int) -> None:
        self.content[receptacle].remove(thing)
        self._pickups.add((thing, receptacle))
        self._places[thing].discard(self.place)
        self.in_hand = thing

    def _put(self, thing: int, receptacle: int) -> None:
        if thing not in self.content[receptacle]:
            insort(self.content[receptacle], thing)
        self._pickups.discard((thing, receptacle))
        self._places[thing].add(self.place)
        self.in_hand = None

    def _change(self, thing: int, state: str, opposite: str | None) -> None:
        self.states[state].add(thing)
        if opposite is not None:
            self.states[opposite].discard(thing)

    def is_target(self, thing: int) -> bool:
        """Say whether *thing* is of the kind that the task needs and can get the state it needs.

        Whether it can be picked up is not asked.
        """
        goal, item = self.house.goal, self.house.things[thing]
        return item.kind == goal.thing and TREATMENT_TRAITS.get(goal.type, "") in ("", *item.traits)

    def is_ready(self, thing: int) -> bool:
        """Say whether *thing* is a target in the state that the task needs."""
        goal = self.house.goal
        state = TREATMENT_STATES.get(goal.type)
        return self.is_target(thing) and (state is None or thing in self.states[state])

    def is_lamp(self, thing: int) -> bool:
        """Say whether *thing* is a lamp of the kind that the task needs."""
        item = self.house.things[thing]
        return item.kind == self.house.goal.place and "toggleable" in item.traits

    def is_won(self) -> bool:
        """Say whether the goal is reached."""
        goal = self.house.goal
        if goal.type == "look":
            return self._is_lamp_goal_reached()
        needed = 2 if goal.type == "two" else 1
        return any(
            item.kind == goal.place and sum(map(self.is_ready, self.content[number])) >= needed
            for number, item in enumerate(self.house.receptacles)
        )

    def _is_lamp_goal_reached(self) -> bool:
        if self.in_hand is None or not self.is_target(self.in_hand):
            return False
        lit = self.states["on"]
        return any(
            thing in lit and self.is_lamp(thing)
            for receptacle in self.receptacles_here()
            for thing in self.content[receptacle]
        )

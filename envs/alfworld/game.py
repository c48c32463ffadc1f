"""The rules: one household that is played in, without a word of text.

They follow the original's PDDL domain and what textworld's `PddlEnv` makes of it, quirks included;
the docs page lists those.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

from agentgym_gen.envs.alfworld.house import KNIVES, TREATMENT_TRAITS, TREATMENT_STATES, TREATMENT_RECEPTACLES, House

Move = tuple[str, int, int]
"""A verb and the numbers of what it is done to; -1 where there is none.

``examine_held`` is the verb of examining the thing in hand, ``examine`` that of a receptacle.
"""

NO_ITEM = -1

STATE_CHANGES = {
    "clean": ("clean", None),
    "heat": ("hot", "cool"),
    "cool": ("cool", "hot"),
    "use": ("on", None),
    "slice": ("sliced", None),
}
"""The state that a verb brings about, and the one that it ends."""


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
        self.open_receptacles = {i for i, one in enumerate(house.receptacles) if one.opened}
        """The numbers of the receptacles that are open."""
        self.states = {
            state: {i for i, one in enumerate(house.things) if state in one.states}
            for state in ("clean", "hot", "cool", "on", "sliced")
        }
        """The numbers of the things in every state."""
        self._places = [set(thing.places) for thing in house.things]
        self._pickups: set[tuple[int, int]] = set()
        self._receptacles_by_place: dict[str, list[int]] = {}
        for number, one in enumerate(house.receptacles):
            self._receptacles_by_place.setdefault(one.place, []).append(number)
        self.fits = frozenset(house.fits)
        """Which kind of receptacle takes which kind of thing."""
        self._sliceable = [i for i, one in enumerate(house.things) if "sliceable" in one.traits]

    def receptacles_here(self) -> list[int]:
        """Return the numbers of the receptacles at the player's place."""
        return self._receptacles_by_place.get(self.place, [])

    def is_open(self, receptacle: int) -> bool:
        """Say whether what is in *receptacle* can be reached."""
        return not self.house.receptacles[receptacle].openable or receptacle in self.open_receptacles

    def can_hold(self, receptacle: int, thing: int) -> bool:
        """Say whether *receptacle* is of a kind that takes *thing*."""
        house = self.house
        return (house.receptacles[receptacle].kind, house.things[thing].kind) in self.fits

    def can_treat(self, how: str, thing: int, receptacle: int) -> bool:
        """Say whether *receptacle* can ``clean``, ``heat`` or ``cool`` *thing*."""
        fit = TREATMENT_TRAITS[how] in self.house.things[thing].traits
        return fit and self.house.receptacles[receptacle].kind in TREATMENT_RECEPTACLES[how]

    def things_beside(self) -> list[int]:
        """Return the things next to the receptacles here, as the original counts them.

        That is what was picked up from a receptacle here and put into another one here.
        """
        return [
            thing
            for thing, places in enumerate(self._places)
            if self.place in places
            for receptacle in self.receptacles_here()
            if (thing, receptacle) in self._pickups
        ]

    def local_moves(self) -> Iterator[Move]:
        """Yield what can be done now, but for going somewhere, in no particular order."""
        yield from (("look", NO_ITEM, NO_ITEM), ("inventory", NO_ITEM, NO_ITEM), ("help", NO_ITEM, NO_ITEM))
        for receptacle in self.receptacles_here():
            yield ("examine", receptacle, NO_ITEM)
            if self.house.receptacles[receptacle].openable:
                yield ("close" if receptacle in self.open_receptacles else "open", receptacle, NO_ITEM)
            yield from self._object_moves(receptacle)
        if self.in_hand is not None:
            yield ("examine_held", self.in_hand, NO_ITEM)
            yield from self._slice_moves(self.in_hand)

    def go_to_moves(self) -> list[Move]:
        """Return the receptacles to go to: those that are elsewhere."""
        return [
            ("go_to", number, NO_ITEM)
            for number, one in enumerate(self.house.receptacles)
            if one.place != self.place
        ]

    def _object_moves(self, receptacle: int) -> Iterator[Move]:
        held, reachable, things = self.in_hand, self.is_open(receptacle), self.house.things
        for thing in self.content[receptacle]:
            if reachable and held is None and "pickupable" in things[thing].traits:
                yield ("take", thing, receptacle)
            if "toggleable" in things[thing].traits:
                yield ("use", thing, NO_ITEM)
        if held is None:
            return
        if reachable and self.can_hold(receptacle, held):
            yield ("move", held, receptacle)
        for how in TREATMENT_RECEPTACLES:
            if self.can_treat(how, held, receptacle):
                yield (how, held, receptacle)

    def _slice_moves(self, held: int) -> Iterator[Move]:
        if self.house.things[held].kind in KNIVES:
            for thing in self._sliceable:
                if self.place in self._places[thing]:
                    yield ("slice", thing, held)

    def apply(self, move: Move) -> None:
        """Carry out *move*, which must be one of those that can be done."""
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
        """Say whether *thing* is of the kind that the task asks for, and can become what it asks.

        Whether it can be picked up is another question.
        """
        goal, one = self.house.goal, self.house.things[thing]
        return one.kind == goal.thing and TREATMENT_TRAITS.get(goal.type, "") in ("", *one.traits)

    def is_ready(self, thing: int) -> bool:
        """Say whether *thing* is what the task asks for, in the state that it asks for."""
        goal = self.house.goal
        state = TREATMENT_STATES.get(goal.type)
        return self.is_target(thing) and (state is None or thing in self.states[state])

    def is_lamp(self, thing: int) -> bool:
        """Say whether *thing* is a lamp of the kind that the task asks for."""
        one = self.house.things[thing]
        return one.kind == self.house.goal.place and "toggleable" in one.traits

    def is_won(self) -> bool:
        """Say whether the goal is reached."""
        goal = self.house.goal
        if goal.type == "look":
            return self._is_lamp_goal_reached()
        needed = 2 if goal.type == "two" else 1
        return any(
            one.kind == goal.place and sum(map(self.is_ready, self.content[number])) >= needed
            for number, one in enumerate(self.house.receptacles)
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

"""The solver: the shortest plan from any state, for all of a game or the part that is known.

A plan is a chain of subtasks: put away what is in hand, get a thing, clean, heat or cool it, and
bring it to its receptacle. The subtasks of a task type are always the same, so that no search is
needed: the solver tries every choice of things, receptacles and lamps that could make a difference,
and takes the shortest plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from agentgym_gen.envs.alfworld.game import NO_ITEM, Game, Move
from agentgym_gen.envs.alfworld.house import TREATMENT_RECEPTACLES, TREATMENT_STATES


@dataclass
class Memory:
    """What a player knows of the receptacles of a game."""

    open_state_known: set[int] = field(default_factory=set)
    """The receptacles of which the player knows whether they are open."""
    content_known: set[int] = field(default_factory=set)
    """The receptacles of which the player knows the content."""


class View:
    """What a plan is made from: a game, or the part of it that a player knows.

    Args:
        game: The game.
        memory: What the player knows; None means everything.
    """

    def __init__(self, game: Game, memory: Memory | None = None) -> None:
        self.game = game
        self._memory = memory
        self.receptacles = range(len(game.house.receptacles))
        """The numbers of all receptacles, which the first observation lists."""
        self.places = [receptacle.place for receptacle in game.house.receptacles]
        """The place of each of them."""

    def content(self, receptacle: int) -> Sequence[int]:
        """Return the things that the player knows to be in *receptacle*."""
        is_known = self._memory is None or receptacle in self._memory.content_known
        return self.game.content[receptacle] if is_known else ()

    def is_open(self, receptacle: int) -> bool:
        """Say whether *receptacle* is open; one that was never examined counts as open."""
        is_known = self._memory is None or receptacle in self._memory.open_state_known
        return not is_known or self.game.is_open(receptacle)

    def receptacles_of(self, *kinds: str) -> list[int]:
        """Return the receptacles of *kinds*."""
        receptacles = self.game.house.receptacles
        return [number for number in self.receptacles if receptacles[number].kind in kinds]

    def targets(self) -> list[tuple[int, int]]:
        """Return every known target that can be picked up, with a receptacle that it is in."""
        return [
            (thing, receptacle)
            for receptacle in self.receptacles
            for thing in self.content(receptacle)
            if self.game.is_target(thing) and "pickupable" in self.game.house.things[thing].traits
        ]


class PartialPlan:
    """A plan in the making: its moves so far, and where they lead.

    Args:
        view: What the player knows.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._place = view.game.place
        self._newly_open: set[int] = set()
        self.moves: list[Move] = []
        """The moves so far."""

    def go_to(self, receptacle: int) -> None:
        """Go to *receptacle*, unless the player stands where it can be used."""
        place = self._view.places[receptacle]
        if place != self._place:
            self._place = place
            self.moves.append(("go_to", receptacle, NO_ITEM))

    def go_to_open(self, receptacle: int) -> None:
        """Go to *receptacle* and open it if it is closed."""
        self.go_to(receptacle)
        if receptacle not in self._newly_open and not self._view.is_open(receptacle):
            self._newly_open.add(receptacle)
            self.moves.append(("open", receptacle, NO_ITEM))

    def take(self, thing: int, receptacle: int) -> None:
        """Fetch *thing* from *receptacle*."""
        self.go_to_open(receptacle)
        self.moves.append(("take", thing, receptacle))

    def put(self, thing: int, receptacle: int) -> None:
        """Bring *thing* to *receptacle*."""
        self.go_to_open(receptacle)
        self.moves.append(("move", thing, receptacle))

    def treat(self, verb: str, thing: int, receptacle: int) -> None:
        """Clean, heat or cool *thing* with *receptacle*."""
        self.go_to(receptacle)
        self.moves.append((verb, thing, receptacle))


def shortest_plan(view: View) -> list[Move] | None:
    """Return the fewest moves that win from here, as far as *view* knows, or None."""
    task_type = view.game.house.goal.type
    makers = {"look": _lamp_plans, "two": _two_object_plans}
    plans = makers.get(task_type, _one_object_plans)(view)
    return min((plan.moves for plan in plans), key=len, default=None)


def _lamp_plans(view: View) -> Iterator[PartialPlan]:
    """Yield the plans that take a target to a lamp and turn it on."""
    turned_on = view.game.states["on"]
    lamps = [
        (lamp, receptacle)
        for receptacle in view.receptacles
        for lamp in view.content(receptacle)
        if view.game.is_lamp(lamp)
    ]
    for lamp, receptacle in lamps:
        for plan, _ in _pickup_plans(view):
            plan.go_to(receptacle)
            if lamp not in turned_on:
                plan.moves.append(("use", lamp, NO_ITEM))
            yield plan


def _one_object_plans(view: View) -> Iterator[PartialPlan]:
    """Yield the plans that get one thing, give it the state it needs, and bring it."""
    game = view.game
    task_type = game.house.goal.type
    for plan, thing in _pickup_plans(view):
        moves = list(plan.moves)
        if (
            task_type not in TREATMENT_RECEPTACLES
            or thing in game.states[TREATMENT_STATES[task_type]]
        ):
            yield from _delivery_plans(view, moves, thing)
            continue
        for appliance in view.receptacles_of(*TREATMENT_RECEPTACLES[task_type]):
            yield from _delivery_plans(view, moves, thing, task_type, appliance)


def _delivery_plans(
    view: View, moves: list[Move], thing: int, treatment: str = "", appliance: int = NO_ITEM
) -> Iterator[PartialPlan]:
    """Yield *moves*, continued by a treatment and by bringing *thing* to a goal receptacle."""
    goals = _goal_receptacles(view)
    stops = [view.places[appliance]] if treatment else []
    if any(thing in view.content(goal) and ("take", thing, goal) not in moves for goal in goals):
        # Things of official games may lie in two receptacles. Taken from the other one, the thing
        # still lies in a goal receptacle: the treatment alone wins.
        plan = _replay(view, moves)
        plan.treat(treatment, thing, appliance)
        yield plan
    for receptacle in _without_equivalents(view, goals, stops, moves):
        plan = _replay(view, moves)
        if treatment:
            plan.treat(treatment, thing, appliance)
        plan.put(thing, receptacle)
        yield plan


def _two_object_plans(view: View) -> Iterator[PartialPlan]:
    """Yield the plans that bring to one receptacle what it lacks of two targets."""
    game, targets = view.game, view.targets()
    is_target_in_hand = game.in_hand is not None and game.is_target(game.in_hand)
    in_hand = game.in_hand if is_target_in_hand else None
    goals = _goal_receptacles(view)
    started = [goal for goal in goals if any(map(game.is_target, view.content(goal)))]
    stops = [view.places[receptacle] for _, receptacle in targets]
    for goal in dict.fromkeys([*started, *_without_equivalents(view, goals, stops)]):
        there = {thing for thing in view.content(goal) if game.is_target(thing)} - {in_hand}
        elsewhere = [
            (thing, receptacle)
            for thing, receptacle in targets
            if receptacle != goal and thing not in there and thing != in_hand
        ]
        missing = max(0, 2 - len(there) - (in_hand is not None))
        for pickups in permutations(elsewhere, missing):
            # A thing that lies in two receptacles must not be fetched twice.
            is_distinct = len({thing for thing, _ in pickups}) == missing
            if is_distinct and (pickups or in_hand is not None):
                yield from _collection_plans(view, goal, in_hand, pickups)


def _collection_plans(
    view: View, goal: int, in_hand: int | None, pickups: tuple[tuple[int, int], ...]
) -> Iterator[PartialPlan]:
    """Yield the plans that bring *in_hand*, if any, and then *pickups* to *goal*."""
    if in_hand is not None:
        beginnings: Iterable[PartialPlan] = [_replay(view, [])]
    else:
        beginnings = _empty_hand_plans(view, pickups[0][1])
    for plan in beginnings:
        if in_hand is not None:
            plan.put(in_hand, goal)
        for thing, receptacle in pickups:
            plan.take(thing, receptacle)
            plan.put(thing, goal)
        yield plan


def _pickup_plans(view: View) -> Iterator[tuple[PartialPlan, int]]:
    """Yield the plans that end with a target in hand, and the target."""
    in_hand = view.game.in_hand
    if in_hand is not None and view.game.is_target(in_hand):
        yield PartialPlan(view), in_hand
    for thing, receptacle in view.targets():
        if thing != in_hand:
            for plan in _empty_hand_plans(view, receptacle):
                plan.take(thing, receptacle)
                yield plan, thing


def _empty_hand_plans(view: View, next_stop: int) -> Iterator[PartialPlan]:
    """Yield the plans that end with empty hands, before going to receptacle *next_stop*."""
    in_hand = view.game.in_hand
    if in_hand is None:
        yield PartialPlan(view)
        return
    takers = [number for number in view.receptacles if view.game.can_hold(number, in_hand)]
    for receptacle in _without_equivalents(view, takers, [view.places[next_stop]]):
        plan = PartialPlan(view)
        plan.put(in_hand, receptacle)
        yield plan


def _goal_receptacles(view: View) -> list[int]:
    """Return the receptacles that win the task when the target is in them."""
    goal = view.game.house.goal
    return view.receptacles_of(goal.place) if (goal.place, goal.thing) in view.game.fits else []


def _without_equivalents(
    view: View, receptacles: Iterable[int], stops: Iterable[str], moves: Sequence[Move] = ()
) -> list[int]:
    """Return *receptacles* without those that cost exactly what another one does.

    A receptacle that is neither here, nor at *stops*, nor on the way of *moves*, costs one
    ``go_to``, plus one ``open`` if it is closed: one open and one closed one stand for all of them.
    """
    on_the_way = {view.game.place, *stops}
    on_the_way |= {view.places[number] for verb, number, _ in moves if verb == "go_to"}
    newly_open = {number for verb, number, _ in moves if verb == "open"}
    representatives: dict[tuple[str | None, bool], int] = {}
    for number in receptacles:
        place = view.places[number]
        is_open = number in newly_open or view.is_open(number)
        key = (place if place in on_the_way else None, is_open)
        representatives.setdefault(key, number)
    return list(representatives.values())


def _replay(view: View, moves: Iterable[Move]) -> PartialPlan:
    """Return a new plan that begins with *moves*."""
    plan = PartialPlan(view)
    for verb, first, second in moves:
        if verb == "go_to":
            plan.go_to(first)
        elif verb == "open":
            plan.go_to_open(first)
        else:
            plan.moves.append((verb, first, second))
    return plan

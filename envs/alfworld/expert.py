"""The solver: the shortest way to the goal from any state that it is told of.

A plan is a chain of errands: put down what is in the way, get a thing, treat it, bring it. Every
choice of things, receptacles and lamps that could make a difference is walked through, and the
shortest walk is taken. There is no search, because the errands of a task are always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from agentgym_gen.envs.alfworld.game import NO_ITEM, Game, Move
from agentgym_gen.envs.alfworld.house import TREATMENT_STATES, TREATMENT_RECEPTACLES


@dataclass
class Memory:
    """What a player knows of the receptacles of a game."""

    open_state_known: set[int] = field(default_factory=set)
    """Those that were looked at, so that it is known whether they are open."""
    content_known: set[int] = field(default_factory=set)
    """Those whose content was seen."""


class View:
    """What a plan is made from: a game, or the part of it that somebody knows.

    Args:
        game: The game.
        memory: What is known; None means all.
    """

    def __init__(self, game: Game, memory: Memory | None = None) -> None:
        self.game = game
        self._memory = memory
        self.receptacles = range(len(game.house.receptacles))
        """The numbers of all receptacles: what they are is known from the first moment."""
        self.places = [one.place for one in game.house.receptacles]
        """Where each of them is."""

    def content(self, receptacle: int) -> Sequence[int]:
        """Return the things known to be in *receptacle*."""
        known = self._memory is None or receptacle in self._memory.content_known
        return self.game.content[receptacle] if known else ()

    def is_open(self, receptacle: int) -> bool:
        """Say whether *receptacle* is open; one that was never looked at is thought to be."""
        known = self._memory is None or receptacle in self._memory.open_state_known
        return not known or self.game.is_open(receptacle)

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
    """A walk that is being planned: where it has led, and the moves so far.

    Args:
        view: What is known.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._at = view.game.place
        self._opened: set[int] = set()
        self.moves: list[Move] = []
        """The moves so far."""

    def go_to(self, receptacle: int) -> None:
        """Go to *receptacle* unless it can be used from here."""
        place = self._view.places[receptacle]
        if place != self._at:
            self._at = place
            self.moves.append(("go_to", receptacle, NO_ITEM))

    def go_to_open(self, receptacle: int) -> None:
        """Go to *receptacle* and open it if it is closed."""
        self.go_to(receptacle)
        if receptacle not in self._opened and not self._view.is_open(receptacle):
            self._opened.add(receptacle)
            self.moves.append(("open", receptacle, NO_ITEM))

    def take(self, thing: int, receptacle: int) -> None:
        """Fetch *thing* from *receptacle*."""
        self.go_to_open(receptacle)
        self.moves.append(("take", thing, receptacle))

    def put(self, thing: int, receptacle: int) -> None:
        """Bring *thing* to *receptacle*."""
        self.go_to_open(receptacle)
        self.moves.append(("move", thing, receptacle))

    def treat(self, how: str, thing: int, receptacle: int) -> None:
        """Clean, heat or cool *thing* with *receptacle*."""
        self.go_to(receptacle)
        self.moves.append((how, thing, receptacle))


def shortest_plan(view: View) -> list[Move] | None:
    """Return the shortest moves that win from here as far as *view* knows, or None."""
    kind = view.game.house.goal.type
    walks = _lamp_plans(view) if kind == "look" else _two_object_plans(view) if kind == "two" else _one_object_plans(view)
    return min((walk.moves for walk in walks), key=len, default=None)


def _lamp_plans(view: View) -> Iterator[PartialPlan]:
    lit = view.game.states["on"]
    lamps = [
        (lamp, receptacle)
        for receptacle in view.receptacles
        for lamp in view.content(receptacle)
        if view.game.is_lamp(lamp)
    ]
    for lamp, receptacle in lamps:
        for walk, _ in _pickup_plans(view):
            walk.go_to(receptacle)
            if lamp not in lit:
                walk.moves.append(("use", lamp, NO_ITEM))
            yield walk


def _one_object_plans(view: View) -> Iterator[PartialPlan]:
    """Yield the walks that get one thing, treat it if need be, and bring it."""
    game = view.game
    how = game.house.goal.type
    for walk, thing in _pickup_plans(view):
        done = list(walk.moves)
        if how not in TREATMENT_RECEPTACLES or thing in game.states[TREATMENT_STATES[how]]:
            yield from _delivery_plans(view, done, thing)
            continue
        for treater in view.receptacles_of(*TREATMENT_RECEPTACLES[how]):
            yield from _delivery_plans(view, done, thing, how, treater)


def _delivery_plans(
    view: View, done: list[Move], thing: int, how: str = "", treater: int = NO_ITEM
) -> Iterator[PartialPlan]:
    """Yield *done* continued by a treatment and by bringing *thing* to every fit receptacle."""
    goals = _goal_receptacles(view)
    stops = [view.places[treater]] if how else []
    if any(thing in view.content(goal) and ("take", thing, goal) not in done for goal in goals):
        # Things of official games may lie in two receptacles: one of them is the goal already.
        walk = _replay(view, done)
        walk.treat(how, thing, treater)
        yield walk
    for receptacle in _without_equivalents(view, goals, stops, done):
        walk = _replay(view, done)
        if how:
            walk.treat(how, thing, treater)
        walk.put(thing, receptacle)
        yield walk


def _two_object_plans(view: View) -> Iterator[PartialPlan]:
    """Yield the walks that bring as many things to one receptacle as it lacks of two."""
    game, found = view.game, view.targets()
    held = game.in_hand if game.in_hand is not None and game.is_target(game.in_hand) else None
    goals = _goal_receptacles(view)
    begun = [goal for goal in goals if any(map(game.is_target, view.content(goal)))]
    stops = [view.places[receptacle] for _, receptacle in found]
    for goal in dict.fromkeys([*begun, *_without_equivalents(view, goals, stops)]):
        there = {thing for thing in view.content(goal) if game.is_target(thing)} - {held}
        elsewhere = [(t, r) for t, r in found if r != goal and t not in there and t != held]
        lacking = max(0, 2 - len(there) - (held is not None))
        for fetched in permutations(elsewhere, lacking):
            if len({thing for thing, _ in fetched}) == lacking and (fetched or held is not None):
                yield from _collection_plans(view, goal, held, fetched)


def _collection_plans(
    view: View, goal: int, held: int | None, fetched: tuple[tuple[int, int], ...]
) -> Iterator[PartialPlan]:
    """Yield the walks that bring *held*, if any, and then *fetched* to *goal*."""
    first = [_replay(view, [])] if held is not None else _empty_hand_plans(view, fetched[0][1])
    for walk in first:
        if held is not None:
            walk.put(held, goal)
        for thing, receptacle in fetched:
            walk.take(thing, receptacle)
            walk.put(thing, goal)
        yield walk


def _pickup_plans(view: View) -> Iterator[tuple[PartialPlan, int]]:
    """Yield the walks that end with a target in hand, and the target."""
    held = view.game.in_hand
    if held is not None and view.game.is_target(held):
        yield PartialPlan(view), held
    for thing, receptacle in view.targets():
        if thing != held:
            for walk in _empty_hand_plans(view, receptacle):
                walk.take(thing, receptacle)
                yield walk, thing


def _empty_hand_plans(view: View, towards: int) -> Iterator[PartialPlan]:
    """Yield the walks that end with empty hands, on the way to receptacle *towards*."""
    held = view.game.in_hand
    if held is None:
        yield PartialPlan(view)
        return
    takers = [number for number in view.receptacles if view.game.can_hold(number, held)]
    for receptacle in _without_equivalents(view, takers, [view.places[towards]]):
        walk = PartialPlan(view)
        walk.put(held, receptacle)
        yield walk


def _goal_receptacles(view: View) -> list[int]:
    """Return the receptacles that the task asks for."""
    goal = view.game.house.goal
    return view.receptacles_of(goal.place) if (goal.place, goal.thing) in view.game.fits else []


def _without_equivalents(
    view: View, receptacles: Iterable[int], stops: Iterable[str], moves: Iterable[Move] = ()
) -> list[int]:
    """Return *receptacles* without those that cost just what another one does.

    All that are neither here, nor at *stops*, nor on the way of *moves*, cost the same, but for
    whether they must be opened first.
    """
    way = {view.game.place, *stops, *(view.places[one] for verb, one, _ in moves if verb == "go_to")}
    opened = {one for verb, one, _ in moves if verb == "open"}
    kept: dict[tuple[str | None, bool], int] = {}
    for number in receptacles:
        place = view.places[number]
        reachable = number in opened or view.is_open(number)
        kept.setdefault((place if place in way else None, reachable), number)
    return list(kept.values())


def _replay(view: View, moves: Iterable[Move]) -> PartialPlan:
    """Return a new walk that has taken *moves*."""
    walk = PartialPlan(view)
    for verb, one, other in moves:
        if verb == "go_to":
            walk.go_to(one)
        elif verb == "open":
            walk.go_to_open(one)
        else:
            walk.moves.append((verb, one, other))
    return walk

"""The solver: the shortest way to the goal from any state that it is told of.

A plan is a chain of errands: put down what is in the way, get a thing, treat it, bring it. Every
choice of things, receptacles and lamps that could make a difference is walked through, and the
shortest walk is taken. There is no search, because the errands of a task are always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from agentgym_gen.envs.alfworld.game import NONE, Game, Move
from agentgym_gen.envs.alfworld.house import TREATED, TREATERS


@dataclass
class Memory:
    """What a player knows of the receptacles of a game."""

    visited: set[int] = field(default_factory=set)
    """Those that were looked at, so that it is known whether they are open."""
    seen: set[int] = field(default_factory=set)
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
        known = self._memory is None or receptacle in self._memory.seen
        return self.game.content[receptacle] if known else ()

    def is_open(self, receptacle: int) -> bool:
        """Say whether *receptacle* is open; one that was never looked at is thought to be."""
        known = self._memory is None or receptacle in self._memory.visited
        return not known or self.game.is_open(receptacle)

    def kinds(self, *kinds: str) -> list[int]:
        """Return the receptacles of *kinds*."""
        receptacles = self.game.house.receptacles
        return [number for number in self.receptacles if receptacles[number].kind in kinds]

    def found(self) -> list[tuple[int, int]]:
        """Return every known target that can be picked up, with a receptacle that it is in."""
        return [
            (thing, receptacle)
            for receptacle in self.receptacles
            for thing in self.content(receptacle)
            if self.game.is_target(thing) and "pickupable" in self.game.house.things[thing].traits
        ]


class Walk:
    """A walk that is being planned: where it has led, and the moves so far.

    Args:
        view: What is known.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._at = view.game.at
        self._opened: set[int] = set()
        self.moves: list[Move] = []
        """The moves so far."""

    def stand_at(self, receptacle: int) -> None:
        """Go to *receptacle* unless it can be used from here."""
        place = self._view.places[receptacle]
        if place != self._at:
            self._at = place
            self.moves.append(("go_to", receptacle, NONE))

    def reach_into(self, receptacle: int) -> None:
        """Go to *receptacle* and open it if it is closed."""
        self.stand_at(receptacle)
        if receptacle not in self._opened and not self._view.is_open(receptacle):
            self._opened.add(receptacle)
            self.moves.append(("open", receptacle, NONE))

    def take(self, thing: int, receptacle: int) -> None:
        """Fetch *thing* from *receptacle*."""
        self.reach_into(receptacle)
        self.moves.append(("take", thing, receptacle))

    def put(self, thing: int, receptacle: int) -> None:
        """Bring *thing* to *receptacle*."""
        self.reach_into(receptacle)
        self.moves.append(("move", thing, receptacle))

    def treat(self, how: str, thing: int, receptacle: int) -> None:
        """Clean, heat or cool *thing* with *receptacle*."""
        self.stand_at(receptacle)
        self.moves.append((how, thing, receptacle))


def plan(view: View) -> list[Move] | None:
    """Return the shortest moves that win from here as far as *view* knows, or None."""
    kind = view.game.house.goal.type
    walks = _to_lamp(view) if kind == "look" else _both(view) if kind == "two" else _one(view)
    return min((walk.moves for walk in walks), key=len, default=None)


def _to_lamp(view: View) -> Iterator[Walk]:
    lit = view.game.states["on"]
    lamps = [
        (lamp, receptacle)
        for receptacle in view.receptacles
        for lamp in view.content(receptacle)
        if view.game.is_lamp(lamp)
    ]
    for lamp, receptacle in lamps:
        for walk, _ in _with_target(view):
            walk.stand_at(receptacle)
            if lamp not in lit:
                walk.moves.append(("use", lamp, NONE))
            yield walk


def _one(view: View) -> Iterator[Walk]:
    """Yield the walks that get one thing, treat it if need be, and bring it."""
    game = view.game
    how = game.house.goal.type
    for walk, thing in _with_target(view):
        done = list(walk.moves)
        if how not in TREATERS or thing in game.states[TREATED[how]]:
            yield from _brought(view, done, thing)
            continue
        for treater in view.kinds(*TREATERS[how]):
            yield from _brought(view, done, thing, how, treater)


def _brought(
    view: View, done: list[Move], thing: int, how: str = "", treater: int = NONE
) -> Iterator[Walk]:
    """Yield *done* continued by a treatment and by bringing *thing* to every fit receptacle."""
    goals = _goals(view)
    stops = [view.places[treater]] if how else []
    if any(thing in view.content(goal) and ("take", thing, goal) not in done for goal in goals):
        # Things of official games may lie in two receptacles: one of them is the goal already.
        walk = _again(view, done)
        walk.treat(how, thing, treater)
        yield walk
    for receptacle in _unlike(view, goals, stops, done):
        walk = _again(view, done)
        if how:
            walk.treat(how, thing, treater)
        walk.put(thing, receptacle)
        yield walk


def _both(view: View) -> Iterator[Walk]:
    """Yield the walks that bring as many things to one receptacle as it lacks of two."""
    game, found = view.game, view.found()
    held = game.held if game.held is not None and game.is_target(game.held) else None
    goals = _goals(view)
    begun = [goal for goal in goals if any(map(game.is_target, view.content(goal)))]
    stops = [view.places[receptacle] for _, receptacle in found]
    for goal in dict.fromkeys([*begun, *_unlike(view, goals, stops)]):
        there = {thing for thing in view.content(goal) if game.is_target(thing)} - {held}
        elsewhere = [(t, r) for t, r in found if r != goal and t not in there and t != held]
        lacking = max(0, 2 - len(there) - (held is not None))
        for fetched in permutations(elsewhere, lacking):
            if len({thing for thing, _ in fetched}) == lacking and (fetched or held is not None):
                yield from _collected(view, goal, held, fetched)


def _collected(
    view: View, goal: int, held: int | None, fetched: tuple[tuple[int, int], ...]
) -> Iterator[Walk]:
    """Yield the walks that bring *held*, if any, and then *fetched* to *goal*."""
    first = [_again(view, [])] if held is not None else _freed(view, fetched[0][1])
    for walk in first:
        if held is not None:
            walk.put(held, goal)
        for thing, receptacle in fetched:
            walk.take(thing, receptacle)
            walk.put(thing, goal)
        yield walk


def _with_target(view: View) -> Iterator[tuple[Walk, int]]:
    """Yield the walks that end with a target in hand, and the target."""
    held = view.game.held
    if held is not None and view.game.is_target(held):
        yield Walk(view), held
    for thing, receptacle in view.found():
        if thing != held:
            for walk in _freed(view, receptacle):
                walk.take(thing, receptacle)
                yield walk, thing


def _freed(view: View, towards: int) -> Iterator[Walk]:
    """Yield the walks that end with empty hands, on the way to receptacle *towards*."""
    held = view.game.held
    if held is None:
        yield Walk(view)
        return
    takers = [number for number in view.receptacles if view.game.can_hold(number, held)]
    for receptacle in _unlike(view, takers, [view.places[towards]]):
        walk = Walk(view)
        walk.put(held, receptacle)
        yield walk


def _goals(view: View) -> list[int]:
    """Return the receptacles that the task asks for."""
    goal = view.game.house.goal
    return view.kinds(goal.place) if (goal.place, goal.thing) in view.game.fits else []


def _unlike(
    view: View, receptacles: Iterable[int], stops: Iterable[str], moves: Iterable[Move] = ()
) -> list[int]:
    """Return *receptacles* without those that cost just what another one does.

    All that are neither here, nor at *stops*, nor on the way of *moves*, cost the same, but for
    whether they must be opened first.
    """
    way = {view.game.at, *stops, *(view.places[one] for verb, one, _ in moves if verb == "go_to")}
    opened = {one for verb, one, _ in moves if verb == "open"}
    kept: dict[tuple[str | None, bool], int] = {}
    for number in receptacles:
        place = view.places[number]
        reachable = number in opened or view.is_open(number)
        kept.setdefault((place if place in way else None, reachable), number)
    return list(kept.values())


def _again(view: View, moves: Iterable[Move]) -> Walk:
    """Return a new walk that has taken *moves*."""
    walk = Walk(view)
    for verb, one, other in moves:
        if verb == "go_to":
            walk.stand_at(one)
        elif verb == "open":
            walk.reach_into(one)
        else:
            walk.moves.append((verb, one, other))
    return walk

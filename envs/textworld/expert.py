"""The expert: the game's own walkthrough, found again from wherever the player has got to.

While the player follows the walkthrough, the rest of it is the plan. Away from it, the expert
looks for a rest of the walkthrough that still wins, behind as few other commands as it can: none,
a way through the rooms, or what the player has done undone from the end. What cannot be undone,
such as a wrong cut, may leave no plan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

Facts = frozenset[Any]
"""What holds in a state: propositions of textworld's logic."""


class Deed(NamedTuple):
    """An action with all its arguments."""

    command: str
    """How it is said."""
    before: Facts
    """What must hold."""
    ends: Facts
    """What holds no longer."""
    begins: Facts
    """What holds from then on."""
    action: Any = None
    """The same in textworld's logic."""

    def done(self, facts: Facts) -> Facts:
        """Return *facts* after it."""
        return (facts - self.ends) | self.begins


class Quest(NamedTuple):
    """A part of the goal."""

    wins: tuple[Facts, ...]
    """It is completed as soon as all of one of them hold."""
    fails: tuple[Facts, ...]
    """The game is lost as soon as all of one of them hold while it is not completed."""
    optional: bool = False
    """Whether the game can be won without it."""


class Logic(Protocol):
    """What the expert asks of a game's rules."""

    start: Facts
    quests: tuple[Quest, ...]
    walkthrough: tuple[str, ...]

    def moves(self, facts: Facts) -> Any:  # noqa: ANN401  (`commands` by name)
        """Return what can be done, with `commands` from texts to deeds."""

    def reverse(self, deed: Deed) -> Deed | None:
        """Return what undoes *deed*, or None."""


class Expert:
    """Plans for one game.

    Args:
        logic: The rules of the game.
    """

    def __init__(self, logic: Logic) -> None:
        self._logic = logic
        self._walk = tuple(_grounded(logic))
        self._commands = [deed.command for deed in self._walk]

    def plan(self, said: Sequence[str], path: Sequence[Deed]) -> list[str] | None:
        """Return commands that win, or None if none are found.

        Args:
            said: What the player has said and the game has done.
            path: What of it changed something, from the start.
        """
        if list(said) == self._commands[: len(said)]:
            return self._commands[len(said) :]
        facts, done = self._now(path)
        if done is None:
            return None
        detours = (self._ways(facts), self._backwards(facts, path))
        for before, there in (found for way in detours for found in way):
            reached = _completed(self._logic.quests, facts, done, before)
            for start in range(len(self._walk), -1, -1):
                rest = self._walk[start:]
                if reached is not None and wins(self._logic.quests, there, reached, rest):
                    return [deed.command for deed in (*before, *rest)]
        return None

    def _now(self, path: Sequence[Deed]) -> tuple[Facts, frozenset[int] | None]:
        """Return what holds after *path*, and the completed quests; None if it is lost."""
        facts, done = self._logic.start, _noted(self._logic.quests, self._logic.start, frozenset())
        for deed in path:
            facts = deed.done(facts)
            done = None if done is None else _noted(self._logic.quests, facts, done)
        return facts, done

    def _ways(self, facts: Facts) -> Iterator[tuple[tuple[Deed, ...], Facts]]:
        """Yield the ways to all rooms that can be reached, nearest first, opening doors."""
        queue: deque[tuple[tuple[Deed, ...], Facts]] = deque([((), facts)])
        seen = {_room(facts)}
        while queue:
            way, here = queue.popleft()
            yield way, here
            for steps, there in self._exits(here):
                if _room(there) not in seen:
                    seen.add(_room(there))
                    queue.append(((*way, *steps), there))

    def _exits(self, facts: Facts) -> Iterator[tuple[tuple[Deed, ...], Facts]]:
        """Yield the steps into each room beside the player's, through closed doors, too."""
        commands = self._logic.moves(facts).commands
        for command, deed in commands.items():
            if command.startswith("go "):
                yield (deed,), deed.done(facts)
            elif command.startswith("open ") and _is_of_door(deed):
                opened = deed.done(facts)
                for name, step in self._logic.moves(opened).commands.items():
                    if name.startswith("go ") and name not in commands:
                        yield (deed, step), step.done(opened)

    def _backwards(
        self, facts: Facts, path: Sequence[Deed]
    ) -> Iterator[tuple[tuple[Deed, ...], Facts]]:
        """Yield the deeds that undo the last of *path*, the last two, and so on."""
        undone: tuple[Deed, ...] = ()
        for deed in reversed(path):
            back = self._logic.reverse(deed)
            if back is None or not back.before <= facts:
                return
            facts, undone = back.done(facts), (*undone, back)
            yield undone, facts


def wins(
    quests: Sequence[Quest], facts: Facts, done: frozenset[int], deeds: Sequence[Deed]
) -> bool:
    """Say whether *deeds* can be done from *facts* on and win.

    Args:
        quests: The parts of the goal.
        facts: What holds at first.
        done: The numbers of the quests that are completed already.
        deeds: What is to be done.
    """
    reached = _completed(quests, facts, done, deeds)
    needed = {n for n, quest in enumerate(quests) if quest.wins and not quest.optional}
    return reached is not None and needed <= reached


def _completed(
    quests: Sequence[Quest], facts: Facts, done: frozenset[int], deeds: Sequence[Deed]
) -> frozenset[int] | None:
    """Return the completed quests after *deeds*; None if one cannot be done, or loses."""
    reached: frozenset[int] | None = done
    for deed in deeds:
        if reached is None or not deed.before <= facts:
            return None
        facts = deed.done(facts)
        reached = _noted(quests, facts, reached)
    return reached


def _noted(quests: Sequence[Quest], facts: Facts, done: frozenset[int]) -> frozenset[int] | None:
    """Return the quests that are completed when *facts* hold; None if one has failed."""
    now = set(done)
    for number, quest in enumerate(quests):
        if number not in done and any(failure <= facts for failure in quest.fails):
            return None
        if any(goal <= facts for goal in quest.wins):
            now.add(number)
    return frozenset(now)


def _grounded(logic: Logic) -> Iterator[Deed]:
    """Yield the deeds of the walkthrough; it also opens doors that are open, which is skipped."""
    facts = logic.start
    for command in logic.walkthrough:
        deed = logic.moves(facts).commands.get(command)
        if deed is not None:
            facts = deed.done(facts)
            yield deed


def _room(facts: Facts) -> object:
    return next((f for f in facts if f.name == "at" and f.arguments[0].type == "P"), None)


def _is_of_door(deed: Deed) -> bool:
    return any(fact.name == "link" for fact in deed.before)

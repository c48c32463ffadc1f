"""The expert: the game's own walkthrough, rejoined from wherever the player is.

While the player follows the walkthrough, the rest of it is the plan. Away from it, the expert
looks for a rest of the walkthrough that still wins after as few other commands as possible: none,
a route through the rooms, or the undoing of the player's last actions. What cannot be undone, such
as a wrong cut, may leave no plan.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

Facts = frozenset[Any]
"""What holds in a state: propositions of textworld's logic."""


class Transition(NamedTuple):
    """An action with all its arguments, as in STRIPS: conditions and effects."""

    command: str
    """The command of the action."""
    preconditions: Facts
    """What must hold before."""
    delete_effects: Facts
    """What holds no longer."""
    add_effects: Facts
    """What holds from then on."""
    action: Any = None
    """The same in textworld's logic."""

    def apply(self, facts: Facts) -> Facts:
        """Return the state that follows *facts*."""
        return (facts - self.delete_effects) | self.add_effects


class Quest(NamedTuple):
    """A part of the goal."""

    win_conditions: tuple[Facts, ...]
    """It is completed as soon as all facts of one of them hold."""
    fail_conditions: tuple[Facts, ...]
    """The game is lost as soon as all facts of one of them hold while it is not completed."""
    optional: bool = False
    """Whether the game can be won without it."""


class GameLogic(Protocol):
    """What the expert reads of a game's rules."""

    initial_facts: Facts
    quests: tuple[Quest, ...]
    walkthrough: tuple[str, ...]

    def transitions(self, facts: Facts) -> Any:  # noqa: ANN401  (`by_command` by name)
        """Return what can be done, with `by_command` from commands to transitions."""

    def reverse(self, transition: Transition) -> Transition | None:
        """Return what undoes *transition*, or None."""


class Expert:
    """Plans for one game.

    Args:
        logic: The rules of the game.
    """

    def __init__(self, logic: GameLogic) -> None:
        self._logic = logic
        self._walkthrough = tuple(_ground_walkthrough(logic))
        self._commands = [transition.command for transition in self._walkthrough]

    def plan(self, commands: Sequence[str], path: Sequence[Transition]) -> list[str] | None:
        """Return commands that win, or None if none are found.

        Args:
            commands: The player's commands that the game carried out.
            path: Their transitions, of those that changed something, from the initial state.
        """
        if list(commands) == self._commands[: len(commands)]:
            return self._commands[len(commands) :]
        facts, completed = self._replay(path)
        if completed is None:
            return None
        detours = itertools.chain(self._routes(facts), self._undoings(facts, path))
        for detour, end in detours:
            completed_there = _quests_after(self._logic.quests, facts, completed, detour)
            if completed_there is None:
                continue
            # The shortest rest first: from the empty one to the whole walkthrough.
            for start in range(len(self._walkthrough), -1, -1):
                rest = self._walkthrough[start:]
                if is_winning(self._logic.quests, end, completed_there, rest):
                    return [transition.command for transition in (*detour, *rest)]
        return None

    def _replay(self, path: Sequence[Transition]) -> tuple[Facts, frozenset[int] | None]:
        """Return what holds after *path*, and the completed quests; None if it is lost."""
        facts, quests = self._logic.initial_facts, self._logic.quests
        completed = _update_quests(quests, facts, frozenset())
        for transition in path:
            facts = transition.apply(facts)
            completed = None if completed is None else _update_quests(quests, facts, completed)
        return facts, completed

    def _routes(self, facts: Facts) -> Iterator[tuple[tuple[Transition, ...], Facts]]:
        """Yield the routes to all rooms that can be reached, nearest first, opening doors."""
        queue: deque[tuple[tuple[Transition, ...], Facts]] = deque([((), facts)])
        visited = {_player_position(facts)}
        while queue:
            route, here = queue.popleft()
            yield route, here
            for steps, there in self._exits(here):
                if _player_position(there) not in visited:
                    visited.add(_player_position(there))
                    queue.append(((*route, *steps), there))

    def _exits(self, facts: Facts) -> Iterator[tuple[tuple[Transition, ...], Facts]]:
        """Yield the steps into each room next to the player's, through closed doors, too."""
        transitions = self._logic.transitions(facts).by_command
        for command, transition in transitions.items():
            if command.startswith("go "):
                yield (transition,), transition.apply(facts)
            elif command.startswith("open ") and _opens_door(transition):
                opened = transition.apply(facts)
                for name, step in self._logic.transitions(opened).by_command.items():
                    if name.startswith("go ") and name not in transitions:
                        yield (transition, step), step.apply(opened)

    def _undoings(
        self, facts: Facts, path: Sequence[Transition]
    ) -> Iterator[tuple[tuple[Transition, ...], Facts]]:
        """Yield what undoes the last transition of *path*, the last two, and so on."""
        undoing: tuple[Transition, ...] = ()
        for transition in reversed(path):
            reverse = self._logic.reverse(transition)
            if reverse is None or not reverse.preconditions <= facts:
                return
            facts, undoing = reverse.apply(facts), (*undoing, reverse)
            yield undoing, facts


def is_winning(
    quests: Sequence[Quest],
    facts: Facts,
    completed: frozenset[int],
    transitions: Sequence[Transition],
) -> bool:
    """Return whether *transitions* can be done from *facts* on and win.

    Args:
        quests: The parts of the goal.
        facts: The state at first.
        completed: The numbers of the quests that are completed already.
        transitions: What is to be done.
    """
    completed_then = _quests_after(quests, facts, completed, transitions)
    needed = {n for n, quest in enumerate(quests) if quest.win_conditions and not quest.optional}
    return completed_then is not None and needed <= completed_then


def _quests_after(
    quests: Sequence[Quest],
    facts: Facts,
    completed: frozenset[int],
    transitions: Sequence[Transition],
) -> frozenset[int] | None:
    """Return the completed quests after *transitions*; None if one is impossible, or loses."""
    current: frozenset[int] | None = completed
    for transition in transitions:
        if current is None or not transition.preconditions <= facts:
            return None
        facts = transition.apply(facts)
        current = _update_quests(quests, facts, current)
    return current


def _update_quests(
    quests: Sequence[Quest], facts: Facts, completed: frozenset[int]
) -> frozenset[int] | None:
    """Return the quests that are completed when *facts* hold; None if one has failed."""
    updated = set(completed)
    for number, quest in enumerate(quests):
        if number not in completed and any(failure <= facts for failure in quest.fail_conditions):
            return None
        if any(goal <= facts for goal in quest.win_conditions):
            updated.add(number)
    return frozenset(updated)


def _ground_walkthrough(logic: GameLogic) -> Iterator[Transition]:
    """Yield the transitions of the walkthrough.

    A walkthrough also opens doors that are open: such commands have no transition and are skipped.
    """
    facts = logic.initial_facts
    for command in logic.walkthrough:
        transition = logic.transitions(facts).by_command.get(command)
        if transition is not None:
            facts = transition.apply(facts)
            yield transition


def _player_position(facts: Facts) -> object:
    return next((f for f in facts if f.name == "at" and f.arguments[0].type == "P"), None)


def _opens_door(transition: Transition) -> bool:
    # Only doors are part of a `link` between two rooms.
    return any(fact.name == "link" for fact in transition.preconditions)

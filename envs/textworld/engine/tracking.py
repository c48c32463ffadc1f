"""What textworld's logic knows of a state: what can be done, and what an event of the game did.

For the child process that plays only. textworld computes everything anew at every step. Here a
state is computed once, when it is asked for, and kept for every player who reaches it, such as the
players of one group.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.envs.textworld.expert import Facts, Quest, Transition

MAX_STATES = 1024
"""How many states are kept, of all games together; each takes some 50 KB."""

IDLE_EVENTS = ("looking", "taking inventory", "examining ")
"""How the events begin that change nothing."""


class Transitions(NamedTuple):
    """What can be done in a state."""

    by_command: dict[str, Transition]
    """By command, sorted as textworld sorts them."""
    by_event: dict[str, Transition]
    """By the event of the game, in lower case."""


class Rules:
    """The logic of one game.

    Args:
        path: Its ``.json`` file.
    """

    def __init__(self, path: Path) -> None:
        from textworld.generator.game import Game
        from textworld.generator.inform7 import Inform7Game

        game: Any = Game.deserialize(json.loads(path.read_text(encoding="utf-8")))
        self._game = game
        self._inform7 = Inform7Game(game)
        self.initial_facts: Facts = frozenset(game.world.state.facts)
        self.quests = tuple(map(_quest, game.quests))
        self.walkthrough = tuple(game.metadata.get("walkthrough") or ())
        self.objective = str(game.objective)
        self.max_points = _finite(game.max_score)
        self.templates = tuple(game.command_templates)
        self.names = tuple(game.objects_names)
        self._room_names = {i.id: i.name for i in game.infos.values() if i.type == "r"}

    def transitions(self, facts: Facts) -> Transitions:
        """Return what can be done in the state *facts*."""
        return _cached_transitions(self, facts)

    def transition_of(self, event: str, facts: Facts) -> Transition | None:
        """Return what *event* of the game did in the state *facts*, or None if nothing."""
        if event.startswith(IDLE_EVENTS):
            return None
        return self.transitions(facts).by_event.get(event.lower())

    def room(self, facts: Facts) -> str:
        """Return the name of the player's room."""
        at = next((f for f in facts if f.name == "at" and f.arguments[0].type == "P"), None)
        return "" if at is None else self._room_names[at.arguments[1].name]

    def inventory(self, facts: Facts) -> list[str]:
        """Return the names of what the player carries, sorted."""
        infos = self._game.infos
        pairs = (f.arguments for f in facts if f.name == "in" and f.arguments[1].type == "I")
        return sorted(str(infos[thing.name].name) for thing, _ in pairs)

    def reverse(self, transition: Transition) -> Transition | None:
        """Return what undoes *transition*, or None if nothing does."""
        action = self._game.kb.get_reverse_action(transition.action)
        return None if action is None else self._transition(action)

    def compute_transitions(self, facts: Facts) -> Transitions:
        """Return what can be done in the state *facts*, which takes some milliseconds."""
        from textworld.logic import State

        kb = self._game.kb
        state = State(kb.logic, facts)
        actions = state.all_applicable_actions(kb.rules.values(), kb.types.constants_mapping)
        if not is_recipe_ready(facts):
            actions = (action for action in actions if not action.name.startswith("make/recipe"))
        # As in textworld: of the actions with one text, the one with most conditions is meant, and
        # `setdefault` keeps the first of each text.
        transitions = sorted(map(self._transition, actions), key=lambda t: -len(t.preconditions))
        by_command: dict[str, Transition] = {}
        by_event: dict[str, Transition] = {}
        for transition in transitions:
            by_command.setdefault(transition.command, transition)
            by_event.setdefault(self._event(transition.action), transition)
        return Transitions(dict(sorted(by_command.items())), by_event)

    def _transition(self, action: Any) -> Transition:  # noqa: ANN401  (textworld has no types)
        before, after = frozenset(action.preconditions), frozenset(action.postconditions)
        (command,) = self._inform7.gen_commands_from_actions([action])
        return Transition(command, before, before - after, after - before, action)

    def _event(self, action: Any) -> str:  # noqa: ANN401  (textworld has no types)
        names = self._inform7._get_name_mapping(action)
        return str(self._game.kb.inform7_events[action.name].format(**names)).lower()


@functools.lru_cache(maxsize=MAX_STATES)
def _cached_transitions(rules: Rules, facts: Facts) -> Transitions:
    # One cache for all games: `Rules` hashes by identity, so that no two games share an entry.
    return rules.compute_transitions(facts)


def is_recipe_ready(facts: Facts) -> bool:
    """Return whether each ingredient is cooked and cut as the recipe says.

    textworld's logic lets a meal be prepared as soon as everything is carried, the game does not.
    """
    names_of: dict[Any, set[str]] = {}
    for fact in facts:
        if len(fact.arguments) == 1:
            names_of.setdefault(fact.arguments[0], set()).add(fact.name)
    # `base(food, ingredient)`: the food is of the kind that the recipe names as an ingredient.
    pairs = (fact.arguments for fact in facts if fact.name == "base")
    return all(
        _preparation(names_of.get(food, set())) == _preparation(names_of.get(ingredient, set()))
        for food, ingredient in pairs
    )


def _preparation(names: set[str]) -> tuple[str, str]:
    """Return how something is cooked and cut, by the *names* of the facts about it."""
    cooked = next((name for name in ("roasted", "fried", "grilled") if name in names), "raw")
    cut = next((name for name in ("chopped", "sliced", "diced") if name in names), "uncut")
    return cooked, cut


def _quest(quest: Any) -> Quest:  # noqa: ANN401  (textworld has no types)
    return Quest(
        tuple(frozenset(event.condition.preconditions) for event in quest.win_events),
        tuple(frozenset(event.condition.preconditions) for event in quest.fail_events),
        bool(quest.optional),
    )


def _finite(number: float) -> int:
    """Return *number* as an integer, 0 for infinity: some games have no highest score."""
    return 0 if number == float("inf") else int(number)


class StateTracker:
    """The state of one player's game, followed by the events that the game reports.

    Args:
        rules: The logic of the game.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._facts = rules.initial_facts
        self._pending: list[str] = []
        self.path: list[Transition] = []
        """The transitions from the initial state to this one; read `facts` first."""

    def add_events(self, events: Iterable[str]) -> None:
        """Record *events*; the state is computed when it is asked for."""
        self._pending += events

    @property
    def facts(self) -> Facts:
        """What holds now."""
        for event in self._pending:
            transition = self._rules.transition_of(event, self._facts)
            if transition is not None:
                self._facts = transition.apply(self._facts)
                self.path.append(transition)
        self._pending.clear()
        return self._facts

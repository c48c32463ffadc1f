"""What textworld's logic says of a state: what can be done, and what an event of the game did.

For the engine's process only. textworld works everything out anew at every step; here a state is
worked out once, when it is asked for, and kept for all who come to it, such as the players of one
group.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.envs.textworld.expert import Deed, Facts, Quest

STATES = 1024
"""How many states are kept, of all games together; each weighs some 50 KB."""

IDLE = ("looking", "taking inventory", "examining ")
"""How the events begin that change nothing."""


class Moves(NamedTuple):
    """What can be done in a state."""

    commands: dict[str, Deed]
    """By command, sorted as textworld sorts them."""
    events: dict[str, Deed]
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
        self.start: Facts = frozenset(game.world.state.facts)
        self.quests = tuple(map(_quest, game.quests))
        self.walkthrough = tuple(game.metadata.get("walkthrough") or ())
        self.objective = str(game.objective)
        self.most = _whole(game.max_score)
        self.templates = tuple(game.command_templates)
        self.names = tuple(game.objects_names)
        self._rooms = {i.id: i.name for i in game.infos.values() if i.type == "r"}

    def moves(self, facts: Facts) -> Moves:
        """Return what can be done in the state *facts*."""
        return _moves(self, facts)

    def after(self, facts: Facts, event: str) -> Deed | None:
        """Return what *event* of the game did in the state *facts*, or None if nothing."""
        if event.startswith(IDLE):
            return None
        return self.moves(facts).events.get(event.lower())

    def place(self, facts: Facts) -> str:
        """Return the name of the player's room."""
        at = next((f for f in facts if f.name == "at" and f.arguments[0].type == "P"), None)
        return "" if at is None else self._rooms[at.arguments[1].name]

    def carried(self, facts: Facts) -> list[str]:
        """Return the names of what the player carries, sorted."""
        infos = self._game.infos
        held = (f.arguments for f in facts if f.name == "in" and f.arguments[1].type == "I")
        return sorted(str(infos[what.name].name) for what, _ in held)

    def reverse(self, deed: Deed) -> Deed | None:
        """Return what undoes *deed*, or None if nothing does."""
        action = self._game.kb.get_reverse_action(deed.action)
        return None if action is None else self._deed(action)

    def work_out(self, facts: Facts) -> Moves:
        """Return what can be done in the state *facts*, which takes some milliseconds."""
        from textworld.logic import State

        kb = self._game.kb
        state = State(kb.logic, facts)
        actions = state.all_applicable_actions(kb.rules.values(), kb.types.constants_mapping)
        if not is_ready(facts):
            actions = (action for action in actions if not action.name.startswith("make/recipe"))
        # textworld takes an event for the action with the most conditions.
        deeds = sorted(map(self._deed, actions), key=lambda deed: -len(deed.before))
        commands: dict[str, Deed] = {}
        events: dict[str, Deed] = {}
        for deed in deeds:
            commands.setdefault(deed.command, deed)
            events.setdefault(self._event(deed.action), deed)
        return Moves(dict(sorted(commands.items())), events)

    def _deed(self, action: Any) -> Deed:  # noqa: ANN401  (textworld has no types)
        before, after = frozenset(action.preconditions), frozenset(action.postconditions)
        (command,) = self._inform7.gen_commands_from_actions([action])
        return Deed(command, before, before - after, after - before, action)

    def _event(self, action: Any) -> str:  # noqa: ANN401  (textworld has no types)
        names = self._inform7._get_name_mapping(action)
        return str(self._game.kb.inform7_events[action.name].format(**names)).lower()


@functools.lru_cache(maxsize=STATES)
def _moves(rules: Rules, facts: Facts) -> Moves:
    return rules.work_out(facts)


def is_ready(facts: Facts) -> bool:
    """Say whether each ingredient is cooked and cut as the recipe says.

    textworld's logic lets a meal be prepared as soon as everything is carried, the game does not.
    """
    of: dict[Any, set[str]] = {}
    for fact in facts:
        if len(fact.arguments) == 1:
            of.setdefault(fact.arguments[0], set()).add(fact.name)
    pairs = (fact.arguments for fact in facts if fact.name == "base")
    return all(
        _done_to(of.get(food, set())) == _done_to(of.get(wanted, set())) for food, wanted in pairs
    )


def _done_to(names: set[str]) -> tuple[str, str]:
    """Return how something is cooked and cut, by the *names* of what holds of it."""
    cooked = next((name for name in ("roasted", "fried", "grilled") if name in names), "raw")
    cut = next((name for name in ("chopped", "sliced", "diced") if name in names), "uncut")
    return cooked, cut


def _quest(quest: Any) -> Quest:  # noqa: ANN401  (textworld has no types)
    return Quest(
        tuple(frozenset(event.condition.preconditions) for event in quest.win_events),
        tuple(frozenset(event.condition.preconditions) for event in quest.fail_events),
        bool(quest.optional),
    )


def _whole(number: float) -> int:
    """Return *number* as a whole one; a game without an end to its score has no most."""
    return 0 if number == float("inf") else int(number)


class Progress:
    """Where one player is in a game, followed by the events that the game reports.

    Args:
        rules: The logic of the game.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._facts = rules.start
        self._waiting: list[str] = []
        self.path: list[Deed] = []
        """What was done, from the start."""

    def notice(self, events: Iterable[str]) -> None:
        """Take note of *events*, which are worked out when somebody asks."""
        self._waiting += events

    @property
    def facts(self) -> Facts:
        """What holds now."""
        for event in self._waiting:
            deed = self._rules.after(self._facts, event)
            if deed is not None:
                self._facts = deed.done(self._facts)
                self.path.append(deed)
        self._waiting.clear()
        return self._facts

"""Three parts of textworld, done faster with the same result. For our child processes only.

- Grammars and rules are parsed from text anew for every game: here once a text.
- Propositions compare by tuples of objects that compare in Python: here by one plain tuple.
- A walkthrough is replayed in a game that is compiled for it alone: here by the logic, which is
  where the original takes its result from.

`benchmarks/textworld_making.py` shows the time it saves; a test compares the games.
"""

from __future__ import annotations

import functools
from typing import Any


def quicken() -> None:
    """Replace the slow parts in the textworld of this process."""
    from textworld import GameMaker
    from textworld.logic import _PARSER, Proposition
    from textworld.textgen import TextGrammar

    _remember(_PARSER)
    _remember(TextGrammar._PARSER)
    Proposition.__lt__ = _is_before
    GameMaker.set_walkthrough = _set_walkthrough


def _remember(parser: Any) -> None:  # noqa: ANN401  (textworld has no types)
    parse = functools.lru_cache(maxsize=4096)(parser.parse)

    def parse_once(text: str, filename: str = "", **options: str) -> Any:  # noqa: ANN401, ARG001
        # The name of the file only stands in messages about errors.
        return parse(text, **options)

    parser.parse = parse_once


def _is_before(one: Any, other: Any) -> bool:  # noqa: ANN401  (textworld has no types)
    return _key(one) < _key(other)


@functools.lru_cache(maxsize=2**16)
def _key(fact: Any) -> tuple[Any, ...]:  # noqa: ANN401  (textworld has no types)
    return fact.name, tuple((argument.name, argument.type) for argument in fact.arguments)


def _set_walkthrough(maker: Any, commands: list[str]) -> None:  # noqa: ANN401
    """Tell the events of the quests which of *commands* lead to them, as the original does."""
    from textworld.generator.game import GameProgression

    progress = GameProgression(maker.build())
    events = [event for quest in progress.quest_progressions for event in quest.win_events]
    deeds: list[Any] = []
    for number, command in enumerate(commands):
        before = [event.triggered for event in events]
        action = _action(progress, command)
        if action is not None:
            progress.update(action)
        # What does nothing, such as opening an open door, counts as the deed before it.
        deeds.append(action or (deeds[-1] if deeds else None))
        for was, event in zip(before, events, strict=True):
            if event.triggered and not was:
                event.event.actions = list(deeds)
                event.event.commands = commands[: number + 1]


def _action(progress: Any, command: str) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return what *command* means now; of several, the one with the most conditions."""
    from textworld.generator.inform7 import Inform7Game

    inform7 = Inform7Game(progress.game)
    said = inform7.gen_commands_from_actions(progress.valid_actions)
    meant = [a for a, text in zip(progress.valid_actions, said, strict=True) if text == command]
    return max(meant, key=lambda action: len(action.preconditions), default=None)

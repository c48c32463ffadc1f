"""Faster versions of three parts of textworld, with the same result. For child processes only.

- textworld parses grammars and rules from their text anew for every game. Here each text is parsed
  once.
- textworld compares propositions by tuples of objects whose comparison is written in Python. Here
  one plain tuple is compared.
- textworld compiles a game only to replay its walkthrough in it. Here the walkthrough is replayed
  in the logic, which is where the original takes its result from.

A test compares the games with those of the unchanged textworld.
"""

from __future__ import annotations

import functools
from typing import Any


def apply_patches() -> None:
    """Replace the slow parts in the textworld of this process."""
    from textworld import GameMaker
    from textworld.logic import _PARSER, Proposition
    from textworld.textgen import TextGrammar

    _cache_parses(_PARSER)
    _cache_parses(TextGrammar._PARSER)
    Proposition.__lt__ = _is_before
    GameMaker.set_walkthrough = _set_walkthrough


def _cache_parses(parser: Any) -> None:  # noqa: ANN401  (textworld has no types)
    parse = functools.lru_cache(maxsize=4096)(parser.parse)

    def parse_once(text: str, filename: str = "", **options: str) -> Any:  # noqa: ANN401, ARG001
        # The name of the file is no part of the cache's key: only error messages have it.
        return parse(text, **options)

    parser.parse = parse_once


def _is_before(left: Any, right: Any) -> bool:  # noqa: ANN401  (textworld has no types)
    return _key(left) < _key(right)


@functools.lru_cache(maxsize=2**16)
def _key(fact: Any) -> tuple[Any, ...]:  # noqa: ANN401  (textworld has no types)
    return fact.name, tuple((argument.name, argument.type) for argument in fact.arguments)


def _set_walkthrough(maker: Any, commands: list[str]) -> None:  # noqa: ANN401
    """Give each event of a quest the *commands* that lead to it, as the original does."""
    from textworld.generator.game import GameProgression

    progress = GameProgression(maker.build())
    events = [event for quest in progress.quest_progressions for event in quest.win_events]
    actions: list[Any] = []
    for number, command in enumerate(commands):
        was_triggered = [event.triggered for event in events]
        action = _action(progress, command)
        if action is not None:
            progress.update(action)
        # A command that does nothing, such as opening an open door, repeats the action before it.
        actions.append(action or (actions[-1] if actions else None))
        for before, event in zip(was_triggered, events, strict=True):
            if event.triggered and not before:
                event.event.actions = list(actions)
                event.event.commands = commands[: number + 1]


def _action(progress: Any, command: str) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return the action that *command* means now; of several, the one with most conditions."""
    from textworld.generator.inform7 import Inform7Game

    inform7 = Inform7Game(progress.game)
    texts = inform7.gen_commands_from_actions(progress.valid_actions)
    matching = [a for a, text in zip(progress.valid_actions, texts, strict=True) if text == command]
    return max(matching, key=lambda action: len(action.preconditions), default=None)

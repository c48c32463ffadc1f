"""What an evaluation costs at most: episodes, turns and tokens, before a model is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agentgym_gen.agents.prompt import ChatMessage, Tools
from agentgym_gen.agents.session import Session
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import BackendError
from agentgym_gen.evaluation.results import Column, EpisodeKey
from agentgym_gen.evaluation.settings import EvalSettings
from agentgym_gen.evaluation.shots import Demonstrations

__all__ = ["CHARS_PER_TOKEN", "EvalCost", "count_cost"]

CHARS_PER_TOKEN = 4
"""How many characters of a prompt are counted as one token; every tokenizer has another number."""


@dataclass(frozen=True)
class EvalCost:
    """What is still to be played; turns and tokens are bounds."""

    episodes: int
    """How many episodes."""
    turns: int
    """At most so many turns: the sum of the turn limits."""
    tokens_out: int
    """At most so many sampled tokens."""
    tokens_in: int
    """About so many tokens of prompts at most, if every turn and completion is used up."""

    def __str__(self) -> str:
        """Return the cost in words."""
        return (
            f"{self.episodes:,} episodes, at most {self.turns:,} turns, {_short(self.tokens_out)} "
            f"sampled tokens, and about {_short(self.tokens_in)} tokens of prompts"
        )


def count_cost(
    columns: Sequence[Column], remaining: Iterable[EpisodeKey], settings: EvalSettings
) -> EvalCost:
    """Return the cost of the *remaining* episodes of *columns*.

    Each task is reset once through each interface, so that its turn limit and first prompt are
    known.
    """
    wanted: dict[str, dict[str, int]] = {}
    for key in remaining:
        counts = wanted.setdefault(key.column, {})
        counts[key.task_id] = counts.get(key.task_id, 0) + 1
    costs = [_of_column(column, wanted.get(column.name, {}), settings) for column in columns]
    totals = [sum(values) for values in zip(*costs, strict=True)] or [0, 0, 0, 0]
    return EvalCost(*totals)


def _of_column(
    column: Column, wanted: Mapping[str, int], settings: EvalSettings
) -> tuple[int, int, int, int]:
    if not wanted:
        return 0, 0, 0, 0
    limit = {} if settings.max_turns is None else {"max_turns": settings.max_turns}
    env = make_text_env(column.name, settings.split, limit)
    style, answer = settings.style.for_env(column.name), settings.decoding.max_tokens
    episodes = turns = prompt_tokens = 0
    shots_chars = 0
    for task_id, number in wanted.items():
        session = Session(column.name, task_id, style=style, env=env)
        try:
            opening = _count_chars(session.start(), session.tools)
        except BackendError:  # its episode will say so
            continue
        if settings.shots and not shots_chars:
            shown = Demonstrations(settings.shots, settings.seed).messages(env, style)
            shots_chars = _count_chars(shown)
        first = (opening + shots_chars) / CHARS_PER_TOKEN
        each = len(session.observation) / CHARS_PER_TOKEN + answer
        window = math.inf if style.window is None else style.window
        prompts = sum(first + min(turn, window) * each for turn in range(env.turn_limit))
        episodes, turns = episodes + number, turns + number * env.turn_limit
        prompt_tokens += number * round(prompts)
    env.close()
    return episodes, turns, turns * answer, prompt_tokens


def _count_chars(messages: Iterable[ChatMessage], tools: Tools = ()) -> int:
    """Return how many characters a prompt has, the functions and their calls as JSON."""
    number = len(json.dumps(tools)) if tools else 0
    for message in messages:
        calls = message.get("tool_calls")
        number += len(message["content"]) + (len(json.dumps(calls)) if calls else 0)
    return number


def _short(number: int) -> str:
    """Return *number* with three digits.

    >>> _short(987), _short(1234567)
    ('987', '1.23 million')
    """
    if number < 1_000_000:
        return f"{number:,}"
    unit, name = (1e9, "billion") if number >= 1e9 else (1e6, "million")
    return f"{number / unit:.3g} {name}"

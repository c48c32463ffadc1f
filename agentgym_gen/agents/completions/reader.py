"""The action that a completion means, and whether it has exactly the form that was asked for."""

from __future__ import annotations

import json
from typing import NamedTuple

from agentgym_gen.agents.completions.calls import TextWithCall, read_call
from agentgym_gen.agents.completions.lenient import lenient_call, read_leniently
from agentgym_gen.agents.completions.strict import read_json_call, read_strictly
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.env import TextEnv
from agentgym_gen.interface import MAX_ACTION_CHARS
from agentgym_gen.world import Malformed

__all__ = ["Reading", "call_in", "read_completion"]

MAX_REFUSED_CHARS = 80
"""How much of a completion that is refused an answer repeats."""


class Reading(NamedTuple):
    """What a completion means."""

    action: str | Malformed
    """The text of an action of the episode, or why the completion has none."""
    lenient: bool = False
    """Whether only the lenient reader could read it so."""


def read_completion(style: PromptStyle, completion: str, env: TextEnv) -> Reading:
    """Return what *completion* means in the current episode of *env*.

    A text that is no command is an action too, which the environment refuses. The lenient reader
    changes nothing of an action that the strict one reads and that can be carried out, unless a
    thought or an observation is a part of it.
    """
    strict = _checked(read_strictly(style.format, completion, env), completion)
    if style.reader == "strict":
        return Reading(strict)
    lenient = _checked(read_leniently(style.format, completion, env), completion)
    if isinstance(lenient, Malformed) or lenient == strict:
        return Reading(lenient)
    agree = isinstance(strict, str) and env.read(strict) == env.read(lenient)
    return Reading(lenient, lenient=not agree)


def call_in(style: PromptStyle, completion: str) -> TextWithCall | None:
    """Return the one call that a chat shows for *completion*, whatever it means; or None."""
    answer = _any_call(style, completion)
    return answer if answer is not None and _is_encodable(answer) else None


def _any_call(style: PromptStyle, completion: str) -> TextWithCall | None:
    if style.format == "function_calling":
        return read_json_call(completion)
    answer = read_call(completion)
    return lenient_call(completion) if answer is None and style.reader == "lenient" else answer


def _checked(action: str | Malformed, completion: str) -> str | Malformed:
    """Return *action*, refused if no file could hold it; a long refused text is shortened."""
    if isinstance(action, str):
        if _is_encodable(action):
            return action
        action = Malformed(completion, "it has one half of a surrogate pair")
    if len(action.text) <= MAX_ACTION_CHARS:
        return action
    return action._replace(text=action.text[:MAX_REFUSED_CHARS] + " ...")


def _is_encodable(value: object) -> bool:
    """Return whether UTF-8 can hold *value*: an escape of JSON can be half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True

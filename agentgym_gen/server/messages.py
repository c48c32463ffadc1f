"""The messages between a server and its clients: those of OpenEnv, checked field by field.

A request is JSON from outside. Each mistake in it is answered by one sentence, a `RequestError`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agentgym_gen.agents.prompt import FORMATS, PromptStyle
from agentgym_gen.agents.session import REWARDS
from agentgym_gen.env.text_env import INFO_KEYS, MAX_INTERFACE_INDEX
from agentgym_gen.errors import (
    AgentGymGenError,
    EpisodeOverError,
    InvalidValueError,
    MissingExtraError,
    unknown_name,
)
from agentgym_gen.interface import parse_interface
from agentgym_gen.world import SPLITS, TaskId

__all__ = [
    "INCLUDABLE",
    "RequestError",
    "ResetRequest",
    "action_text",
    "error_of",
    "parse_json",
]

INCLUDABLE = INFO_KEYS
"""What an observation has beside its text only if the reset names it in ``include``."""

MAX_MESSAGE = 700
"""The longest sentence about a mistake; it may quote what the client sent."""

MAX_TURNS = 1000
"""The most turns that a client may give an episode."""

MAX_SEED = 1 << 63


class RequestError(AgentGymGenError):
    """A request that the server refuses, with a sentence for the client.

    Args:
        message: What was wrong, and what to do.
        code: The code of the WebSocket protocol of OpenEnv, or one of ours.
        status: The HTTP status.
    """

    def __init__(self, message: str, code: str = "VALIDATION_ERROR", status: int = 400) -> None:
        super().__init__(message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "...")
        self.code, self.status = code, status


def error_of(error: AgentGymGenError) -> RequestError:
    """Return what a client is told about *error* of the library."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, EpisodeOverError):
        message = "No episode is being played in this session; send a reset first"
        return RequestError(message, "EXECUTION_ERROR", 409)
    if isinstance(error, InvalidValueError):
        return RequestError(str(error))
    if isinstance(error, MissingExtraError):
        return RequestError(f"On the server: {error}", "EXECUTION_ERROR", 501)
    return RequestError(str(error), "EXECUTION_ERROR", 503)


def parse_json(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object *text*.

    Raises:
        RequestError: if it is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"This is not JSON: {error}", "INVALID_JSON") from None
    if not isinstance(value, dict):
        raise RequestError(f"A JSON object is needed, not {_kind(value)}", "INVALID_JSON")
    return value


@dataclass(frozen=True)
class ResetRequest:
    """Which episode a client wants to play, and how."""

    env_id: str
    """One of the ids that are served."""
    task_id: str | None = None
    """The task; None takes one of *split*."""
    split: str = "train"
    """The split that a task is sampled from; a named task has its own."""
    seed: int | None = None
    """Decides which task is sampled; None takes any."""
    interface: Any = None
    """What `agentgym_gen.Interface` is parsed from; None takes that of the id."""
    interface_index: int = 0
    """Which interface of a `Randomized` is played."""
    max_turns: int | None = None
    """The turn limit; None takes the task's own."""
    reward: str = "success"
    """``success`` or ``score`` at the end, or ``return``: the environment's reward of each step."""
    format: str = "action"
    """How actions are written into the client's texts: a format of `PromptStyle`."""
    instruction: bool = True
    """Whether the first observation opens with the rules of the environment and the format."""
    include: tuple[str, ...] = ()
    """What an observation has beside its text; see `INCLUDABLE`."""
    episode_id: str | None = None
    """A name for the episode, given back in the state."""

    @classmethod
    def parse(cls, data: Mapping[str, Any], env_ids: Iterable[str], default: str) -> ResetRequest:
        """Return the request that *data* means, every field of it checked.

        Args:
            data: The fields that a client has sent.
            env_ids: The ids that are served.
            default: The id that is played if *data* names none.

        Raises:
            InvalidValueError: if a field is unknown or has a value that is not accepted.
        """
        given = {name: value for name, value in data.items() if value is not None}
        for name in given:
            if name not in cls.__dataclass_fields__:
                raise unknown_name("reset field", name, cls.__dataclass_fields__)
        given["env_id"] = _one_of("env_id", given.get("env_id", default), env_ids)
        for name, check in _CHECKS.items():
            if name in given:
                given[name] = check(name, given[name])
        if "task_id" in given:
            own = TaskId.parse(given["task_id"]).split
            if given.setdefault("split", own) != own:
                raise InvalidValueError(
                    f"Task {given['task_id']!r} is not of the split {given['split']!r}; leave "
                    "`split` out, since a task has its own"
                )
        return cls(**given)

    @property
    def style(self) -> PromptStyle:
        """The prompt style of the episode."""
        return PromptStyle(self.format, self.instruction)

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the environment."""
        pairs = {"interface": self.interface, "max_turns": self.max_turns}
        return {name: value for name, value in pairs.items() if value is not None}


def action_text(data: Mapping[str, Any]) -> str:
    """Return the text of an action: ``{"text": "go east"}``.

    Raises:
        RequestError: if there is none, or something else beside it.
    """
    for name in data:
        if name not in ("text", "metadata"):
            raise RequestError(f"An action has the field 'text', not {name!r}")
    text = data.get("text")
    if not isinstance(text, str):
        problem = "it is missing" if text is None else f"not {_kind(text)}"
        raise RequestError(f"The field 'text' of an action is a text; {problem}")
    return text


def _kind(value: object) -> str:
    """Return what *value* is, in the words of JSON."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 255:
        raise InvalidValueError(f"`{name}` is a text of at most 255 characters, not {value!r}")
    return value


def _one_of(name: str, value: object, accepted: Iterable[str]) -> str:
    names = list(accepted)
    if not isinstance(value, str) or value not in names:
        raise unknown_name(f"`{name}`", value, names, "GET /environments lists all")
    return value


def _whole(name: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidValueError(f"`{name}` is a whole number from {least} to {most}, not {value!r}")
    return value


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValueError(f"`{name}` is true or false, not {value!r}")
    return value


def _interface(name: str, value: object) -> object:
    if not isinstance(value, str | dict):
        raise InvalidValueError(
            f"`{name}` is a text such as 'renamed+json', or an object from axis to value, "
            f"not {value!r}"
        )
    parse_interface(value)
    return value


def _included(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidValueError(f"`{name}` is a list of names, not {value!r}")
    for each in value:
        if not isinstance(each, str) or each not in INCLUDABLE:
            raise unknown_name(f"name in `{name}`", each, INCLUDABLE)
    return tuple(value)


_CHECKS = {
    "task_id": _text,
    "episode_id": _text,
    "split": lambda name, value: _one_of(name, value, SPLITS),
    "seed": lambda name, value: _whole(name, value, 0, MAX_SEED),
    "interface": _interface,
    "interface_index": lambda name, value: _whole(name, value, 0, MAX_INTERFACE_INDEX - 1),
    "max_turns": lambda name, value: _whole(name, value, 1, MAX_TURNS),
    "reward": lambda name, value: _one_of(name, value, REWARDS),
    "format": lambda name, value: _one_of(name, value, FORMATS),
    "instruction": _truth,
    "include": _included,
}
"""The check of each field; each raises InvalidValueError or returns the value."""

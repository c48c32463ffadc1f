"""From the history of an episode to chat messages.

Five formats: ``react`` (thought and action, AgentGym's), ``action`` (the action alone), ``tool``
(one call of a tool named ``act``, in the form that Qwen and Hermes templates use), ``functions``
(each verb is a function, which the model calls by its chat template or its server), and
``function_calling`` (the same functions in AgentGym's prompt and JSON).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, NotRequired, TypedDict

from agentgym_gen.agents.completions.calls import TextWithCall, write_call
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.interface.syntax.functions import FunctionCall

__all__ = [
    "FORMATS",
    "READERS",
    "RULES",
    "ChatMessage",
    "MixedStyle",
    "PastTurn",
    "PromptStyle",
    "Tools",
    "build",
    "mixed_style",
    "observation_message",
    "rule_of",
    "wrap_action",
]

FORMATS = ("react", "action", "tool", "functions", "function_calling")

READERS = ("strict", "lenient")
"""How completions are read: in exactly their form, or as they are plainly meant."""

RULES = {
    "react": (
        'Your output must strictly follow this format: "Thought:\nyour thoughts.\n\n'
        'Action:\nyour next action". Give exactly one action a turn.'
    ),
    "action": "Answer with your next action and nothing else.",
    "tool": (
        'Act by calling the tool "act" with one text argument "action": <tool_call>\n'
        '{"name": "act", "arguments": {"action": "your next action"}}\n</tool_call>'
    ),
    "functions": (
        "Act by calling one of your functions, exactly one call a turn. Where an action is written "
        "as text, call the function of that name."
    ),
    "function_calling": (
        "If you want to invoke a provided function or tool, please reply in the following *JSON* "
        'format:\n```json\n{\n    "thought": "I think ...",\n    "function_name": "function_name",'
        '\n    "arguments": <valid json object of args>\n}\n```\nOnly reply the *JSON* object, no '
        "other text should be present.\n"
    ),
}
"""How each format asks for an action; those of AgentGym's formats are AgentGym's."""

Tools = tuple[dict[str, Any], ...]
"""The functions of an episode, as OpenAI's ``tools`` have them."""


class ChatMessage(TypedDict):
    """One message of a chat, as OpenAI and chat templates have it."""

    role: str
    content: str
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    name: NotRequired[str]


class PastTurn(NamedTuple):
    """A turn that is over: an observation and the completion that answered it."""

    observation: str
    completion: str
    call: TextWithCall | None = None
    """The function that was called, and the text before the call, where a chat shows them apart."""


@dataclass(frozen=True)
class PromptStyle:
    """How an episode becomes a prompt.

    Raises:
        UnknownNameError: if there is no such format.
        InvalidValueError: if the window is negative.
    """

    format: str = "react"
    """``react``, ``action``, ``tool``, ``functions`` or ``function_calling``."""
    instruction: bool = True
    """Whether the first message opens with the world's rules and those of the format."""
    window: int | None = None
    """How many past turns are shown, the latest ones; None shows all.

    Only None is append-only: with a window every turn is a sequence of its own for a trainer.
    """
    keep_first: bool = True
    """Whether the first observation, which states the goal, stays when the window moves on."""
    reader: str = "strict"
    """``strict`` takes an action in exactly its form, ``lenient`` what is plainly meant."""
    system: str = ""
    """A system message before the first one; without a system role it opens the first message."""
    chat_template_kwargs: Mapping[str, object] | tuple[tuple[str, object], ...] = ()
    """More variables of the chat template, such as ``{"enable_thinking": False}``."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.format not in FORMATS:
            raise unknown_name("prompt format", self.format, FORMATS)
        if self.reader not in READERS:
            raise unknown_name("reader", self.reader, READERS)
        object.__setattr__(self, "chat_template_kwargs", _pairs(self.chat_template_kwargs))
        if self.window is not None and self.window < 0:
            raise InvalidValueError(f"`window` is 0 or more, or None, not {self.window!r}")

    def for_env(self, env_id: str) -> PromptStyle:
        """Return the style for episodes of *env_id*: the same for all."""
        return self

    def each(self) -> tuple[PromptStyle, ...]:
        """Return every style that an episode may have, each once."""
        return (self,)


@dataclass(frozen=True)
class MixedStyle(PromptStyle):
    """A style for each of several environments that are played together.

    Its own fields are for environments that are not named; `mixed_style` makes one.
    """

    styles: tuple[tuple[str, PromptStyle], ...] = ()
    """The environment ids, each with its style."""

    def for_env(self, env_id: str) -> PromptStyle:
        """Return the style for episodes of *env_id*."""
        return dict(self.styles).get(env_id) or PromptStyle(**_own_fields(self))

    def each(self) -> tuple[PromptStyle, ...]:
        """Return every style of a named environment, each once."""
        return tuple(dict.fromkeys(style for _, style in self.styles))


def mixed_style(styles: Mapping[str, PromptStyle]) -> PromptStyle:
    """Return the one style of all environments in *styles*, or a `MixedStyle` of several.

    A mixed style has no window if one of its styles has none: then some of its episodes are one
    growing sequence.
    """
    distinct = list(dict.fromkeys(styles.values()))
    if len(distinct) == 1:
        return distinct[0]
    first = next((style for style in distinct if style.window is None), distinct[0])
    return MixedStyle(**_own_fields(first), styles=tuple(styles.items()))


def build(
    style: PromptStyle,
    instruction: str,
    past: Sequence[PastTurn],
    observation: str,
    rule: str = "",
) -> tuple[ChatMessage, ...]:
    """Return the messages that ask for the next action.

    Args:
        style: The prompt style.
        instruction: The rules of the episode.
        past: The turns so far, from the first.
        observation: The current observation.
        rule: How an action is asked for (`rule_of`); without it, that of `RULES`.
    """
    dropped = 0 if style.window is None else max(0, len(past) - style.window)
    rule = rule or RULES[style.format]
    head = f"{instruction}\n\n{rule}\n\n" if style.instruction else ""
    if dropped and style.keep_first:
        head += f"{past[0].observation}\n\n"
    messages: list[ChatMessage] = []
    if style.system:
        messages.append({"role": "system", "content": style.system})
    answered: int | None = None
    for number, turn in enumerate(past[dropped:], dropped):
        messages.append(observation_message(head + turn.observation, answered))
        answered = number if turn.call else None
        messages.append(_answer_message(turn, number))
        head = ""
    messages.append(observation_message(head + observation, answered))
    return tuple(messages)


def observation_message(text: str, answered: int | None = None) -> ChatMessage:
    """Return an observation as a message: of the user, or of the function that was called.

    Args:
        text: The observation.
        answered: The number of the turn, from 0, whose call it answers.
    """
    if answered is None:
        return {"role": "user", "content": text}
    return {"role": "tool", "content": text, "tool_call_id": _call_id(answered)}


def wrap_action(
    style: PromptStyle, action: str, thought: str = "I act.", call: FunctionCall | None = None
) -> str:
    """Return *action* as a completion of *style*.

    Args:
        style: The prompt style.
        action: The text of an action.
        thought: What stands before it, where the format has a place for it.
        call: The call that means the same, for the formats with functions; without one, they have
            the action as it is.
    """
    if style.format == "react":
        return f"Thought:\n{thought}\n\nAction:\n{action}"
    if style.format == "tool":
        return write_call(FunctionCall("act", {"action": action}))
    if style.format == "functions" and call:
        return write_call(call)
    if style.format == "function_calling" and call:
        names = {"thought": thought, "function_name": call.name, "arguments": call.arguments}
        return json.dumps(names, ensure_ascii=False, indent=2)
    return action


def rule_of(form: str, tools: Tools) -> str:
    """Return how the format *form* asks for an action, with a description of *tools* if need be."""
    if form != "function_calling":
        return RULES[form]
    described = "\n".join(json.dumps(tool, ensure_ascii=False, indent=2) for tool in tools)
    return f"You have the following functions available:\n\n{described}{RULES[form]}"


def _answer_message(turn: PastTurn, number: int) -> ChatMessage:
    if turn.call is None:
        return {"role": "assistant", "content": turn.completion}
    text, call = turn.call
    function = {"name": call.name, "arguments": dict(call.arguments)}
    calls = [{"id": _call_id(number), "type": "function", "function": function}]
    return {"role": "assistant", "content": text, "tool_calls": calls}


def _call_id(number: int) -> str:
    """Return the id of the call of turn *number*: nine letters and digits, as Mistral wants it."""
    return f"call{number:05d}"


def _own_fields(style: PromptStyle) -> dict[str, Any]:
    """Return the fields that every style has."""
    return {field.name: getattr(style, field.name) for field in fields(PromptStyle)}


def _pairs(settings: object) -> tuple[tuple[str, object], ...]:
    """Return *settings* as sorted pairs, which can be compared and hashed.

    Raises:
        InvalidValueError: if they are no mapping from names to plain values.
    """
    try:
        pairs = tuple(sorted((str(name), value) for name, value in dict(settings).items()))  # type: ignore[call-overload]
        hash(pairs)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            "`chat_template_kwargs` maps names to texts, numbers or booleans, such as "
            f"{{'enable_thinking': False}}, not {settings!r}"
        ) from error
    return pairs

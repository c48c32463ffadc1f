"""From the history of an episode to chat messages, and from a completion to an action.

Three formats: ``react`` (thought and action, AgentGym's), ``action`` (the action alone) and
``tool`` (one call of a tool named ``act``, in the form that Qwen and Hermes templates use).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from agentgym_gen.errors import InvalidValueError, unknown_name

__all__ = [
    "FORMATS",
    "RULES",
    "ChatMessage",
    "MixedStyle",
    "PastTurn",
    "PromptStyle",
    "build",
    "mixed_style",
    "read_action",
    "wrap_action",
]

FORMATS = ("react", "action", "tool")

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
}
"""How each format asks for an action."""


class ChatMessage(TypedDict):
    """One message of a chat."""

    role: str
    content: str


class PastTurn(NamedTuple):
    """A turn that is over: an observation and the completion that answered it."""

    observation: str
    completion: str


@dataclass(frozen=True)
class PromptStyle:
    """How an episode becomes a prompt.

    Raises:
        UnknownNameError: if there is no such format.
        InvalidValueError: if the window is negative.
    """

    format: str = "react"
    """``react``, ``action`` or ``tool``."""
    instruction: bool = True
    """Whether the first message opens with the world's rules and those of the format."""
    window: int | None = None
    """How many past turns are shown, the latest ones; None shows all.

    Only None is append-only: with a window every turn is a sequence of its own for a trainer.
    """
    keep_first: bool = True
    """Whether the first observation, which states the goal, stays when the window moves on."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.format not in FORMATS:
            raise unknown_name("prompt format", self.format, FORMATS, "all")
        if self.window is not None and self.window < 0:
            raise InvalidValueError(f"`window` is 0 or more, or None, not {self.window!r}")

    def for_env(self, env_id: str) -> PromptStyle:
        """Return the style for episodes of *env_id*: the same for all."""
        return self


@dataclass(frozen=True)
class MixedStyle(PromptStyle):
    """A style for each of several environments that are played together.

    Its own fields are for environments that are not named; `mixed_style` makes one.
    """

    styles: tuple[tuple[str, PromptStyle], ...] = ()
    """The environment ids, each with its style."""

    def for_env(self, env_id: str) -> PromptStyle:
        """Return the style for episodes of *env_id*."""
        own = PromptStyle(self.format, self.instruction, self.window, self.keep_first)
        return dict(self.styles).get(env_id, own)


def mixed_style(styles: Mapping[str, PromptStyle]) -> PromptStyle:
    """Return the one style of all environments in *styles*, or a `MixedStyle` of several.

    A mixed style has no window if one of its styles has none: then some of its episodes are one
    growing sequence.
    """
    distinct = list(dict.fromkeys(styles.values()))
    if len(distinct) == 1:
        return distinct[0]
    first = next((style for style in distinct if style.window is None), distinct[0])
    return MixedStyle(
        first.format, first.instruction, first.window, first.keep_first, tuple(styles.items())
    )


def build(
    style: PromptStyle, instruction: str, past: Sequence[PastTurn], observation: str
) -> tuple[ChatMessage, ...]:
    """Return the messages that ask for the next action.

    Args:
        style: The prompt style.
        instruction: The rules of the episode.
        past: The turns so far, from the first.
        observation: The current observation.
    """
    dropped = 0 if style.window is None else max(0, len(past) - style.window)
    shown = past[dropped:]
    head = f"{instruction}\n\n{RULES[style.format]}\n\n" if style.instruction else ""
    if dropped and style.keep_first:
        head += f"{past[0].observation}\n\n"
    messages: list[ChatMessage] = []
    for turn in shown:
        messages.append({"role": "user", "content": head + turn.observation})
        messages.append({"role": "assistant", "content": turn.completion})
        head = ""
    messages.append({"role": "user", "content": head + observation})
    return tuple(messages)


def wrap_action(style: PromptStyle, action: str, thought: str = "I act.") -> str:
    """Return *action* as a completion of *style*."""
    if style.format == "react":
        return f"Thought:\n{thought}\n\nAction:\n{action}"
    if style.format == "tool":
        call = json.dumps({"name": "act", "arguments": {"action": action}}, ensure_ascii=False)
        return f"<tool_call>\n{call}\n</tool_call>"
    return action


def read_action(style: PromptStyle, completion: str) -> str:
    """Return the action of *completion*, or all of it where the format is broken.

    So a broken completion reaches the environment, which answers it like any text that is no
    command. Two actions in one completion are broken (AgentGym: only one is allowed).
    """
    if style.format == "react":
        parts = completion.split("Action:")
        return parts[1].strip() if len(parts) == 2 else completion
    if style.format == "tool":
        return _tool_action(completion)
    return completion.strip("\n")


def _tool_action(completion: str) -> str:
    # `partition` scans once; a pattern would scan to the end again from every opening tag.
    body, closing, _ = completion.partition("<tool_call>")[2].partition("</tool_call>")
    if completion.count("<tool_call>") != 1 or not closing:
        return completion
    try:
        call = json.loads(body)
        action = call["arguments"]["action"] if call["name"] == "act" else None
    except (ValueError, RecursionError, LookupError, TypeError):
        return completion
    return action if isinstance(action, str) else completion

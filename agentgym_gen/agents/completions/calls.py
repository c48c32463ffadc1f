"""Calls of functions as text, in one form for all models: that of Hermes and Qwen.

    <tool_call>
    {"name": "go_to", "arguments": {"place": "desk 1"}}
    </tool_call>

A policy whose model writes calls in another form, or whose server takes them apart, gives them in
this one.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from agentgym_gen.interface.syntax.functions import FunctionCall

__all__ = ["CLOSING", "OPENING", "TextWithCall", "parse_object", "read_call", "write_call"]

OPENING = "<tool_call>"
"""What stands before a call."""

CLOSING = "</tool_call>"
"""What stands after it."""


class TextWithCall(NamedTuple):
    """A completion with one call."""

    text: str
    """What stands before the call, without the white space around it."""
    call: FunctionCall
    """The call."""


def write_call(call: FunctionCall, text: str = "") -> str:
    """Return *call* as text, after *text*.

    >>> print(write_call(FunctionCall("go_to", {"place": "desk 1"}), "I go."))
    I go.
    <tool_call>
    {"name": "go_to", "arguments": {"place": "desk 1"}}
    </tool_call>
    """
    fields = {"name": call.name, "arguments": call.arguments}
    body = json.dumps(fields, ensure_ascii=False)
    if "tool_call>" in body:  # an argument must not end the call, or begin another one
        body = body.replace("<", "\\u003c")
    return f"{text}\n{OPENING}\n{body}\n{CLOSING}".lstrip("\n")


def read_call(completion: str) -> TextWithCall | None:
    """Return the only call in *completion*; None if it has none, several, or a broken one.

    The name is a text, and the arguments are an object.
    """
    if completion.count(OPENING) != 1:
        return None
    # `partition` scans once; a pattern would scan to the end again from every opening tag.
    text, _, rest = completion.partition(OPENING)
    body, closing, _ = rest.partition(CLOSING)
    fields = parse_object(body) if closing else None
    if fields is None:
        return None
    name, arguments = fields.get("name"), fields.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return TextWithCall(text.strip(), FunctionCall(name, arguments))


def parse_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that *text* is, or None."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

"""Chats for templates that lack a system message or functions: the same as plain messages."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agentgym_gen.agents.completions.calls import write_call
from agentgym_gen.agents.prompt import ChatMessage, Tools
from agentgym_gen.interface.syntax.functions import FunctionCall

__all__ = ["without_functions", "without_system"]

CALL_RULE = (
    "Call a function by its name and its arguments in JSON, between these tags:\n"
    '<tool_call>\n{"name": "the function", "arguments": {"its argument": "a value"}}\n</tool_call>'
)
"""How a call is written where the template does not say it."""


def without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return *messages* with the system message at the beginning of the first one of the user."""
    if messages[0]["role"] != "system":
        return list(messages)
    system, first, *rest = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def without_functions(messages: Sequence[ChatMessage], tools: Tools) -> list[ChatMessage]:
    """Return *messages* as texts of the user and the assistant, the functions in the first one."""
    plain = [_as_text(message) for message in messages]
    first = next(number for number, message in enumerate(plain) if message["role"] == "user")
    functions = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    opening = f"You have these functions:\n{functions}\n\n{CALL_RULE}\n\n"
    plain[first]["content"] = opening + plain[first]["content"]
    return plain


def _as_text(message: ChatMessage) -> ChatMessage:
    content, calls = message["content"], message.get("tool_calls", ())
    for call in calls:
        function = call["function"]
        content = write_call(FunctionCall(function["name"], function["arguments"]), content)
    return {"role": "user" if message["role"] == "tool" else message["role"], "content": content}

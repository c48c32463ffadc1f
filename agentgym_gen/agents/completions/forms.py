"""The forms in which models write calls of functions, beside that of `calls`.

A form reads the calls of one family of models. Each reads a whole completion, and returns None for
one that has another form, several calls, or a broken one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from agentgym_gen.agents.completions.calls import TextWithCall, parse_object, read_call
from agentgym_gen.interface.syntax.functions import FunctionCall

__all__ = ["CANONICAL", "FORMS", "CallForm"]


class CallForm(NamedTuple):
    """One form of a call."""

    name: str
    """The family of models that writes it."""
    read: Callable[[str], TextWithCall | None]
    """Returns the only call of a completion."""


def _read_llama(completion: str) -> TextWithCall | None:
    """Read ``{"name": "go_to", "parameters": {"place": "desk 1"}}`` alone."""
    fields = parse_object(completion.strip().removeprefix("<|python_tag|>"))
    if fields is None or set(fields) != {"name", "parameters"}:
        return None
    return _with_call("", fields["name"], fields["parameters"])


def _read_mistral(completion: str) -> TextWithCall | None:
    """Read ``[TOOL_CALLS] [{"name": "go_to", "arguments": {...}}]`` or ``...go_to[ARGS]{...}``."""
    text, tag, rest = completion.partition("[TOOL_CALLS]")
    if not tag or tag in rest:
        return None
    name, args, body = rest.partition("[ARGS]")
    if args:
        return _with_call(text, name.partition("[CALL_ID]")[0].strip(), parse_object(body))
    try:
        calls = json.loads(rest, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(calls, list) or len(calls) != 1 or not isinstance(calls[0], dict):
        return None
    return _with_call(text, calls[0].get("name"), calls[0].get("arguments"))


_XML_CALL = re.compile(
    r"<tool_call>\s*<function=([^<>\n]*)>(.*)</function>\s*</tool_call>", re.DOTALL
)
_XML_ARGUMENT = re.compile(r"\s*<parameter=([^<>\n]*)>\n?(.*?)\n?</parameter>\s*", re.DOTALL)


def _read_qwen_xml(completion: str) -> TextWithCall | None:
    """Read ``<tool_call><function=go_to><parameter=place>desk 1</parameter></function>...``."""
    if completion.count("<function=") != 1:
        return None
    call = _XML_CALL.search(completion)
    if call is None:
        return None
    arguments: dict[str, Any] = {}
    end = 0
    for match in _XML_ARGUMENT.finditer(call[2]):
        if match.start() != end:
            return None
        arguments[match[1]], end = match[2], match.end()
    if call[2][end:].strip():
        return None
    return _with_call(completion[: call.start()], call[1], arguments)


_HARMONY_CALL = re.compile(
    r"\s*to=functions\.([\w-]+)\s*(?:<\|channel\|>[^<]*)?(?:<\|constrain\|>\s*\w+)?<\|message\|>(.*)",
    re.DOTALL,
)


def _read_harmony(completion: str) -> TextWithCall | None:
    """Read ``<|channel|>commentary to=functions.go_to <|constrain|>json<|message|>{...}``."""
    text, mark, _ = completion.partition("to=functions.")
    if not mark or completion.count(mark) != 1:
        return None
    call = _HARMONY_CALL.match(completion[len(text) :])
    if call is None:
        return None
    body = re.sub(r"<\|(?:call|end|return)\|>\s*\Z", "", call[2])
    return _with_call(harmony_text(text), call[1], parse_object(body))


def harmony_text(text: str) -> str:
    """Return the messages of gpt-oss in *text* as one: thoughts in tags, then what is said."""
    parts: list[str] = []
    for message in re.split(r"<\|start\|>assistant|<\|end\|>", text):
        channel, mark, content = message.partition("<|message|>")
        if not mark:
            continue
        is_thought = "analysis" in channel
        content = re.sub(r"<\|(?:return|call)\|>\s*\Z", "", content)
        parts.append(f"<think>\n{content}\n</think>\n\n" if is_thought else content)
    return "".join(parts)


def _with_call(text: str, name: object, arguments: object) -> TextWithCall | None:
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return TextWithCall(text.strip(), FunctionCall(name, arguments))


CANONICAL = CallForm("Hermes, Qwen", read_call)
"""The form that policies give calls in."""

FORMS = (
    CallForm("Llama", _read_llama),
    CallForm("Mistral", _read_mistral),
    CallForm("Qwen3-Coder", _read_qwen_xml),
    CallForm("gpt-oss", _read_harmony),
)
"""The other forms."""

"""Reads what a chat endpoint answers: a reply, an error that may pass, or a refusal.

Knows the answers of OpenAI, vLLM, SGLang, llama.cpp and Ollama, and nothing of connections. The
two errors do not leave `ChatPolicy`.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentgym_gen.agents.completions.calls import CLOSING, OPENING, parse_object, write_call
from agentgym_gen.interface.syntax.functions import FunctionCall

MAX_REASON = 300
"""How many characters of a server's own words an error repeats."""

MAX_WORDS = 1 << 14
"""How many bytes of them are read: a gateway puts its own words before those of the model."""

TOO_LONG = re.compile(
    r"context[ _]?(length|window|size)|exceeds? the (available )?context"
    r"|maximum (model|input) length|longer than the (model|maximum)"
    r"|(prompt|input) (is|was) too long|number of tokens allowed",
    re.IGNORECASE,
)
"""How servers say that a prompt, with the answer that it asks for, is too long.

OpenAI: ``context_length_exceeded``. vLLM: "maximum context length is 4096 tokens", "is longer than
the maximum model length". SGLang: "is longer than the model's context length". llama.cpp:
``exceed_context_size_error``, "Context size has been exceeded". Ollama: "exceeds the context
length". Anthropic: "prompt is too long".
"""

TOO_LONG_STATUSES = (400, 413, 422, 500)
"""The statuses that come with it; llama.cpp has 500 as well."""

TRANSIENT_STATUSES = (408, 409, 425, 429)
"""Refusals that the same request may escape later, as all from 500 on."""

NO_QUOTA = "insufficient_quota"
"""How OpenAI says that an account has no money left, with the status of too many requests."""


@dataclass(frozen=True)
class ChatReply:
    """What a model answered."""

    text: str
    """The text, with the calls of functions in it; empty where the model only thought."""
    truncated: bool
    """Whether it ran into the limit of new tokens."""
    usage: tuple[int, int] | None
    """The tokens in and out, or None where the server does not count them."""


class TransientError(Exception):
    """An attempt failed, and another one may succeed."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason, wait)
        self.reason, self.wait = reason, wait
        """What happened, and for how many seconds the server wants to be left alone."""


class UnreachableError(TransientError):
    """No connection to the server could be opened."""


class RefusedError(Exception):
    """The server refused the request, and would refuse it again."""

    def __init__(self, status: int, reason: str, *, too_long: bool = False) -> None:
        super().__init__(status, reason)
        self.status, self.reason, self.too_long = status, reason, too_long
        """The HTTP status, the server's words, and whether the prompt is too long."""


def read_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    redact: Callable[[str], str] = lambda text: text,
) -> ChatReply:
    """Return the reply in a response.

    Args:
        status: The HTTP status.
        headers: The headers.
        body: The content.
        redact: Takes secrets out of the server's words before an error repeats them.

    Raises:
        TransientError: if another attempt may succeed.
        RefusedError: if not.
    """
    if status == 200:
        return _read_completion(body)
    words = _words(body)
    reason = redact(words)[:MAX_REASON]
    if status in TOO_LONG_STATUSES and TOO_LONG.search(words):
        raise RefusedError(status, reason, too_long=True)
    if status >= 500 or (status in TRANSIENT_STATUSES and NO_QUOTA not in words):
        raise TransientError(f"{status}: {reason}", retry_after(headers))
    raise RefusedError(status, reason)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return for how many seconds ``Retry-After`` asks, as a number or as a date; 0 for none."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", value):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _read_completion(body: bytes) -> ChatReply:
    answer = _parsed(body)
    if answer is None:  # raised here, with no cause: an error of the parser holds the whole answer
        raise TransientError("an answer that is no chat completion")
    text, calls, finish, usage = answer
    if not isinstance(text, str | None):
        raise TransientError("an answer whose content is no text")
    whole = _with_calls(text or "", calls)
    # half of a surrogate pair, which JSON can spell, would fit into no file
    encodable = whole.encode("utf-8", "replace").decode()
    return ChatReply(encodable, finish == "length", _read_usage(usage))


def _parsed(body: bytes) -> tuple[object, object, object, object] | None:
    """Return the content, calls, finish reason and usage of a completion; None if it is none."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        return message.get("content"), message.get("tool_calls"), finish, answer.get("usage")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


def _with_calls(text: str, calls: object) -> str:
    """Return *text* with *calls* behind it, each as `write_call` writes it.

    The arguments are JSON, as text or as an object. What is neither is no call for any reader.
    """
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise TransientError("an answer whose calls are no calls of functions")
        arguments = function.get("arguments") or {}
        fields = parse_object(arguments) if isinstance(arguments, str) else arguments
        if isinstance(fields, dict):
            text = write_call(FunctionCall(str(function.get("name")), fields), text)
        else:
            text = f"{text}\n{OPENING}\n{arguments}\n{CLOSING}".lstrip("\n")
    return text


def _read_usage(usage: object) -> tuple[int, int] | None:
    if not isinstance(usage, dict):
        return None
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    tokens_in, tokens_out = (n if type(n) is int and n >= 0 else None for n in counts)
    return None if tokens_in is None or tokens_out is None else (tokens_in, tokens_out)


def _words(body: bytes) -> str:
    """Return what a refusal says, in one line."""
    text = body[:MAX_WORDS].decode(errors="replace")
    try:
        error = json.loads(text)
        error = error.get("error", error) if isinstance(error, dict) else error
        if isinstance(error, dict):
            parts = (error.get(key) for key in ("message", "detail", "code", "type"))
            text = ", ".join(dict.fromkeys(str(part) for part in parts if part)) or text
        elif isinstance(error, str):
            text = error
    except (ValueError, RecursionError):
        pass
    return " ".join(text.split()) or "no reason"

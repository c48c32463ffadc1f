"""A model behind a chat endpoint as a policy: OpenAI, vLLM, SGLang, llama.cpp, Ollama and others.

    policy = ChatPolicy("http://localhost:8000/v1", "Qwen/Qwen3-8B")
    played = run(episodes, policy)
    print(policy.usage)

Needs the extra ``api``. Tokens are not recorded, so that its episodes measure and do not train.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from agentgym_gen.agents.chat_replies import (
    MAX_REASON,
    ChatReply,
    RefusedError,
    TransientError,
    UnreachableError,
    read_reply,
)
from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.agents.prompt import ChatMessage
from agentgym_gen.errors import (
    BackendError,
    ContextLimitError,
    InvalidValueError,
    PolicyError,
)

__all__ = ["ChatPolicy", "Usage"]

RESERVED = ("model", "messages", "temperature", "max_tokens", "stream", "n", "tools")
"""The fields of a request that `ChatPolicy` fills itself."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""The pauses in seconds between the attempts, each twice the one before."""

KEY_STATUSES, FATAL_STATUSES = (401, 403), (401, 402, 404, 429)
"""The refusals of a key, and those that every other request would meet, too."""

MILLION = 1_000_000
"""The tokens that a price is for."""

GOLDEN_RATIO = 0.618
"""Its multiples are spread evenly over the interval from 0 to 1, their whole part left out."""


@dataclass(frozen=True)
class Usage:
    """What the answers of a policy have cost so far."""

    answers: int = 0
    """How many answers were given."""
    retries: int = 0
    """How many attempts failed before them."""
    tokens_in: int = 0
    """The tokens of all prompts."""
    tokens_out: int = 0
    """The tokens of all answers."""
    uncounted: int = 0
    """The answers whose tokens the server did not count, which the sums therefore leave out."""
    cost: float | None = None
    """The price of the tokens, in the currency of the prices; None without prices."""


class ChatPolicy:
    """A `ConcurrentPolicy` that asks an OpenAI-compatible server.

    An attempt that fails in passing (too many requests, a fault of the server, a connection that
    breaks, an answer that is late or damaged) is repeated after a pause, which doubles each time,
    or after the time for which the server asks.

    Args:
        base_url: The address before ``/chat/completions``, such as ``http://localhost:8000/v1``.
        model: The name under which the server has the model.
        api_key_env: The environment variable that holds the key; None sends no key.
        temperature: The temperature; None leaves it to the server.
        max_tokens: The longest answer; None leaves it to the server.
        retries: How often a failed attempt is repeated.
        timeout: How many seconds an attempt may take, and the longest pause that a server gets.
        connections: How many requests are open at once.
        extra: More fields of each request, such as ``{"top_p": 0.9}``. Each request has a ``seed``
            from the episode's own stream, so that servers that know it sample the same again; one
            in `extra` takes its place, and None leaves it out, for servers that refuse it.
        prices: What a million tokens in and a million tokens out cost.

    Raises:
        MissingExtraError: if the extra ``api`` is not installed.
        InvalidValueError: if an argument is outside what is accepted, or the variable is not set.
    """

    def __init__(  # noqa: PLR0913  (keywords)
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        temperature: float | None = 0.0,
        max_tokens: int | None = 512,
        retries: int = 4,
        timeout: float = 120.0,
        connections: int = 64,
        extra: Mapping[str, Any] | None = None,
        prices: tuple[float, float] | None = None,
    ) -> None:
        from agentgym_gen.agents.chat_connection import ServerConnection

        self._url, self._model = _checked_url(base_url), model
        _check_limits(retries, timeout, connections)
        settings = {"model": model, "temperature": temperature, "max_tokens": max_tokens}
        self._settings = {
            **{name: value for name, value in settings.items() if value is not None},
            **_checked_extra(extra or {}),
        }
        self._key_env, self._prices = api_key_env, prices
        self._retries, self._timeout = retries, timeout
        key = None if api_key_env is None else _read_key(api_key_env)
        headers = {"Content-Type": "application/json"} | _authorization(key)
        self._server = ServerConnection(
            self._url, headers, timeout=timeout, connections=connections
        )
        self._without_key = _redactor(key)
        self._reached, self._closed = False, threading.Event()
        self._usage, self._lock = Usage(), threading.Lock()

    @property
    def usage(self) -> Usage:
        """What the answers have cost so far."""
        usage = self._usage
        if self._prices is None:
            return usage
        price_in, price_out = self._prices
        cost = (usage.tokens_in * price_in + usage.tokens_out * price_out) / MILLION
        return replace(usage, cost=cost)

    def answer(self, request: Request) -> Completion:
        """Return the model's answer.

        Raises:
            ContextLimitError: if the prompt is longer than the model's context.
            PolicyError: if the server was never reached, or refuses the key or the model.
            BackendError: if no attempt succeeds.
        """
        body = {**self._settings, "messages": list(map(_sent, request.messages))}
        if request.tools:
            body["tools"] = request.tools
        if request.style.chat_template_kwargs:
            own = self._settings.get("chat_template_kwargs") or {}
            body["chat_template_kwargs"] = own | dict(request.style.chat_template_kwargs)
        if "seed" not in body:
            body["seed"] = int(request.rng.integers(1 << 31))
        elif body["seed"] is None:
            del body["seed"]
        reply = self._complete(json.dumps(body).encode(), request.episode)
        return Completion(reply.text, truncated=reply.truncated)

    def close(self) -> None:
        """End all requests and release the connections."""
        self._closed.set()
        self._server.close()

    def __enter__(self) -> Self:
        """Return the policy."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the policy."""
        self.close()

    def __repr__(self) -> str:
        """Return the address and the model."""
        return f"ChatPolicy({self._url!r}, {self._model!r})"

    def _complete(self, body: bytes, episode: int) -> ChatReply:
        attempt = 0
        while True:
            try:
                reply = self._attempt(body)
            except TransientError as error:
                attempt += 1
                self._wait(error, attempt, episode)
            except RefusedError as error:
                raise self._refusal(error) from error
            else:
                self._count(reply, attempt)
                return reply

    def _attempt(self, body: bytes) -> ChatReply:
        response = self._server.request("POST", f"{self._url}/chat/completions", body)
        self._reached = True
        return read_reply(response.status, response.headers, response.body, self._without_key)

    def _wait(self, error: TransientError, attempts: int, episode: int) -> None:
        """Wait before the next attempt, or give up.

        Raises:
            PolicyError: if the server was never reached.
            BackendError: if no attempt is left, or the pause would be too long.
        """
        if attempts > self._retries or error.wait > self._timeout or self._closed.is_set():
            if isinstance(error, UnreachableError) and not self._reached:
                raise PolicyError(
                    f"No server answers at {self._url!r} ({error.reason}); start it, or correct "
                    "`base_url`"
                ) from error
            pause = f", which asks for a pause of {error.wait:.0f} s," if error.wait else ""
            raise BackendError(
                f"The server at {self._url!r}{pause} gave no answer in {attempts} "
                f"attempt{'s' * (attempts > 1)}; the last: {error.reason}"
            ) from error
        self._closed.wait(_pause(error.wait, attempts, episode))

    def _refusal(self, error: RefusedError) -> BackendError | PolicyError:
        reason = f"{error.status}: {error.reason}"
        if error.too_long:
            return ContextLimitError(f"The prompt is too long for {self._model!r} ({reason})")
        if error.status not in FATAL_STATUSES and self._usage.answers:
            return BackendError(f"The server at {self._url!r} refused a prompt ({reason})")
        if error.status in KEY_STATUSES:
            remedy = (
                "name the environment variable that holds the key by `api_key_env`"
                if self._key_env is None
                else f"set the environment variable {self._key_env!r} to a key that it accepts"
            )
            return PolicyError(f"The server at {self._url!r} refuses access ({reason}); {remedy}")
        if error.status == 404:
            return PolicyError(
                f"The server at {self._url!r} has no {self._model!r} ({reason}); {self._served()}"
            )
        return PolicyError(f"The server at {self._url!r} refuses the requests ({reason})")

    def _served(self) -> str:
        """Say which models the server has, or how an address ends."""
        try:
            response = self._server.request("GET", f"{self._url}/models")
            names = [served["id"] for served in json.loads(response.body)["data"]]
        except (TransientError, ValueError, RecursionError, LookupError, TypeError):
            names = []
        if not names:
            return "check `model` and `base_url`, which ends in '/v1' as a rule"
        return f"it has: {self._without_key(', '.join(map(str, names)))[:MAX_REASON]}"

    def _count(self, reply: ChatReply, retries: int) -> None:
        tokens_in, tokens_out = reply.usage or (0, 0)
        with self._lock:
            total = self._usage
            self._usage = Usage(
                answers=total.answers + 1,
                retries=total.retries + retries,
                tokens_in=total.tokens_in + tokens_in,
                tokens_out=total.tokens_out + tokens_out,
                uncounted=total.uncounted + (reply.usage is None),
            )


def _sent(message: ChatMessage) -> Mapping[str, Any]:
    """Return *message* as servers take it: the arguments of a call are JSON as text."""
    calls = [
        {**call, "function": {**call["function"], "arguments": _json(call["function"])}}
        for call in message.get("tool_calls", ())
    ]
    return {**message, "tool_calls": calls} if calls else message


def _json(function: Mapping[str, Any]) -> str:
    return json.dumps(function["arguments"], ensure_ascii=False)


def _pause(wanted: float, attempts: int, episode: int) -> float:
    """Return for how many seconds an episode waits after so many failed attempts.

    Episodes that failed together try again at different moments, without a random draw.
    """
    pause = max(wanted, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempts - 1)))
    return pause * (1 + 0.5 * (episode * GOLDEN_RATIO % 1))


def _checked_url(base_url: str) -> str:
    from agentgym_gen.agents.chat_connection import is_http_address

    is_address = is_http_address(base_url)
    parts = urlsplit(base_url if is_address else "")
    if "@" in parts.netloc:
        # the address is not repeated: it holds a password
        raise InvalidValueError(
            "`base_url` holds a user name or a password; give a key by `api_key_env`"
        )
    if not is_address or parts.query or parts.fragment:
        raise InvalidValueError(
            f"`base_url` is an address such as 'http://localhost:8000/v1', not {base_url!r}"
        )
    return base_url.rstrip("/")


def _check_limits(retries: int, timeout: float, connections: int) -> None:
    if retries < 0:
        raise InvalidValueError(f"`retries` is 0 or more, not {retries!r}")
    if not 0 < timeout < math.inf:
        raise InvalidValueError(f"`timeout` is a positive number of seconds, not {timeout!r}")
    if connections < 1:
        raise InvalidValueError(f"`connections` is at least 1, not {connections!r}")


def _checked_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
    taken = sorted(set(extra) & set(RESERVED))
    if taken:
        raise InvalidValueError(
            f"`extra` holds {taken[0]!r}, which `ChatPolicy` sets itself; use its arguments"
        )
    if not isinstance(extra.get("chat_template_kwargs") or {}, Mapping):
        raise InvalidValueError(
            "'chat_template_kwargs' of `extra` is an object, such as {'enable_thinking': False}, "
            f"not {extra['chat_template_kwargs']!r}"
        )
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"`extra` is no JSON object: {error}") from error
    return dict(extra)


def _read_key(variable: str) -> str:
    """Return the key in the environment *variable*; no message repeats it."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InvalidValueError(
            f"The environment variable {variable!r} holds no key; set it, or give "
            "`api_key_env=None` for a server without keys"
        )
    if not (key.isascii() and key.isprintable()):
        raise InvalidValueError(
            f"The environment variable {variable!r} holds no key but other text"
        )
    return key


def _authorization(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _redactor(key: str | None) -> Callable[[str], str]:
    """Return a function that takes the key, as it is and as JSON spells it, out of an error."""
    if key is None:
        return lambda text: text
    in_json = json.dumps(key)[1:-1]
    spelled = sorted({key, in_json, in_json.replace("/", "\\/")}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, spelled)))
    return lambda text: pattern.sub("***", text)

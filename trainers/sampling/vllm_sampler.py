r"""Sampling by a vLLM server over HTTP; the server loads a new adapter at each training step.

Start the server so that it accepts adapters, and samples from the plain softmax and reports it:

    VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve MODEL --enable-lora --max-lora-rank 16 \
        --logprobs-mode processed_logprobs --generation-config vllm

Prompts are sent as tokens and answers come back as tokens, so nothing is tokenized again. The
server keeps shared prefixes of prompts in its own prefix cache. Each episode asks on its own, so
that none waits for another's answer. Nothing here imports vLLM.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.env.making import env_name
from agentgym_gen.errors import BackendError, ContextLimitError, PolicyError
from agentgym_gen.trainers.models.chat import ChatFormat, Context, ContextBuilder, settings_of
from agentgym_gen.trainers.models.types import Tokenizer
from agentgym_gen.trainers.sampling.answer_length import answer_length
from agentgym_gen.trainers.sampling.context_limit import first_prompt_error

__all__ = ["ADAPTER", "VLLMSampler"]

ADAPTER = "agentgym-gen"
"""The beginning of the names of adapters on the server; run, content and step follow."""

FATAL_STATUSES = (401, 403, 404)
"""The refusals that every other request would meet, too: of a key, and of a model's name."""


class VLLMSampler:
    """A `ConcurrentPolicy` that asks a model in a vLLM server.

    A rollout has as many requests open as it has threads (``max_concurrent``); the server batches
    them.

    Args:
        url: The address of the server, such as ``http://localhost:8000``.
        model: The name under which it serves the model.
        tokenizer: The model's tokenizer.
        folder: Where the adapter is written; the server has to see the same path.
        temperature: The temperature.
        max_new_tokens: The longest completion, the end token included; None is what the format of
            each request needs (`DEFAULT_NEW_TOKENS`).
        max_episode_tokens: The longest sequence; an episode that would exceed it is truncated, with
            ``context_limit``. None is the server's own limit (``--max-model-len``).
        end_ids: End tokens beside the tokenizer's, such as those of ``model.generation_config``,
            which the server does not read.
        timeout: How many seconds a request may take.
    """

    def __init__(  # noqa: PLR0913  (keywords)
        self,
        url: str,
        model: str,
        tokenizer: Tokenizer,
        *,
        folder: str | Path,
        temperature: float = 1.0,
        max_new_tokens: int | None = None,
        max_episode_tokens: int | None = None,
        end_ids: Iterable[int] = (),
        timeout: float = 600.0,
    ) -> None:
        self._url, self._model = url.rstrip("/"), model
        self.temperature = temperature
        """The temperature."""
        self.max_new_tokens = max_new_tokens
        """The longest completion, or None."""
        self.max_episode_tokens = max_episode_tokens
        """The longest sequence, or None."""
        self._limit = max_episode_tokens
        self._folder = Path(folder)
        self._timeout = timeout
        self._chat = ChatFormat(tokenizer, end_ids)
        self._episodes: dict[int, _Episode] = {}
        self._answered: set[str] = set()
        self._limit_lock = threading.Lock()
        # another run may have left its adapters on the server
        self._run = f"{ADAPTER}-{secrets.token_hex(4)}"
        self._loaded: str | None = None
        self._settings = {
            "temperature": temperature,
            "top_p": 1.0,
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "logprobs": 0,
            "stop_token_ids": sorted(self._chat.end_ids),
            "return_token_ids": True,
            "skip_special_tokens": False,
        }

    def load(self, save_model: Callable[[Path], None], step: int) -> None:
        """Write the adapter, have the server load it, and unload and delete the previous one.

        An adapter is named by its content too. So the weights of a step that was rolled back, or
        those of another trainer that shares this sampler, are never taken for the loaded ones.

        Raises:
            BackendError: if the server refuses it, or does not answer.
            PolicyError: if the server knows no such path, or refuses the key.
        """
        self._episodes.clear()
        self._answered.clear()
        written = (self._folder / f"{self._run}.writing").absolute()
        shutil.rmtree(written, ignore_errors=True)
        written.mkdir(parents=True)
        save_model(written)
        name = f"{self._run}-{_digest(written)}-{step}"
        if name == self._loaded:
            shutil.rmtree(written)
            return
        path = written.with_name(name)
        shutil.rmtree(path, ignore_errors=True)  # the server may have refused it before
        written.rename(path)
        self._send("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(path)})
        if self._loaded is not None:
            self._send("/v1/unload_lora_adapter", {"lora_name": self._loaded})
            shutil.rmtree(self._folder / self._loaded, ignore_errors=True)
        self._loaded = name

    def answer(self, request: Request) -> Completion:
        """Return the model's answer, with its tokens.

        Raises:
            ContextLimitError: if the episode has outgrown the context; it is truncated.
            InvalidValueError: if a first prompt does not fit, before anything is played.
            BackendError: if the server gives no answer; the episode ends with ``policy_error``.
            PolicyError: if it would give none to other requests either.
        """
        if request.turn == 0:
            self._episodes[request.episode] = _Episode(ContextBuilder(self._chat))
        episode = self._episodes[request.episode]
        context = episode.contexts.next(request)
        prompt = list(context.ids) if context.starts_sequence else [*episode.ids, *context.ids]
        longest = answer_length(request.style, self.max_new_tokens)
        self._check_fits(request, len(prompt), longest)
        choice = self._complete(prompt, longest, int(request.rng.integers(1 << 31)))
        episode.ids = [*prompt, *choice.ids]
        episode.contexts.record_answer(request, choice.ids)
        self._answered.add(env_name(request.env))
        return self._completion(request, context, choice)

    def forget(self, episode: int) -> None:
        """Forget the tokens of an episode that is over."""
        self._episodes.pop(episode, None)

    def _check_fits(self, request: Request, tokens: int, longest: int) -> None:
        with self._limit_lock:
            if self._limit is None:
                self._limit = self._server_limit()
        if tokens + longest <= self._limit:
            return
        if request.turn == 0 and env_name(request.env) not in self._answered:
            raise first_prompt_error(tokens, longest, self._limit)
        raise ContextLimitError(
            f"A prompt of {tokens} tokens leaves no room for an answer within {self._limit}"
        )

    def _server_limit(self) -> int:
        models = self._send("/v1/models").get("data", ())
        for model in models if isinstance(models, list) else ():
            if model.get("id") == self._model and model.get("max_model_len"):
                return int(model["max_model_len"])
        raise PolicyError(
            f"The server at {self._url!r} does not say how long a sequence of {self._model!r} may "
            "be; start it with --served-model-name of that name, or give `max_episode_tokens`"
        )

    def _complete(self, prompt: list[int], longest: int, seed: int) -> _Choice:
        """Return the server's completion, checked to have what a training needs."""
        body = {"model": self._loaded or self._model, "prompt": prompt, "max_tokens": longest}
        response = self._send("/v1/completions", {**body, **self._settings, "seed": seed})
        try:
            choice = response["choices"][0]
            ids = [int(token) for token in choice["token_ids"]]
            logprobs = [float(logprob) for logprob in choice["logprobs"]["token_logprobs"]]
        except (LookupError, TypeError, ValueError) as error:
            raise self._without_tokens() from error
        if len(ids) != len(logprobs):
            raise self._without_tokens()
        return _Choice(ids, logprobs)

    def _without_tokens(self) -> PolicyError:
        return PolicyError(
            f"The server at {self._url!r} answered without token ids and a log-probability for "
            "each; a vLLM from 0.10.2 on gives both"
        )

    def _completion(self, request: Request, context: Context, choice: _Choice) -> Completion:
        return Completion(
            text=self._chat.text(choice.ids, request.tools, settings_of(request.style)),
            context_ids=tuple(context.ids),
            action_ids=tuple(choice.ids),
            logprobs=tuple(choice.logprobs),
            starts_sequence=context.starts_sequence,
            truncated=not choice.ids or choice.ids[-1] not in self._chat.end_ids,
        )

    def _send(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the server's response: to a POST of *body*, or to a GET without one.

        Raises:
            PolicyError: if it refuses the key, or the name of the model.
            BackendError: if it does not answer.
        """
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                text = response.read().decode()
            # the response to loading an adapter is a sentence, not JSON
            return json.loads(text) if text.startswith("{") else {}
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace")[:300]
            kind = PolicyError if error.code in FATAL_STATUSES else BackendError
            raise kind(
                f"The server at {self._url!r} refused {path}: {error.code} {reason}"
            ) from error
        except (OSError, ValueError, http.client.HTTPException, RecursionError) as error:
            raise BackendError(
                f"The server at {self._url!r} does not answer ({error}); start it with: vllm serve"
            ) from error


@dataclass
class _Episode:
    """What the next prompt of an episode is made from."""

    contexts: ContextBuilder
    """Builds its contexts; one for each episode, because threads share nothing."""
    ids: list[int] = field(default_factory=list)
    """The tokens of its sequence so far."""


@dataclass(frozen=True)
class _Choice:
    """What the server sampled."""

    ids: list[int]
    """The tokens."""
    logprobs: list[float]
    """The log-probability of each."""


def _digest(folder: Path) -> str:
    """Return a digest of the weights and the settings of the adapter in *folder*.

    Other files do not count: the card beside the weights has the log, which grows.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".safetensors", ".bin"} or path.name == "adapter_config.json":
            digest.update(f"{path.name} {path.stat().st_size} ".encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()[:16]

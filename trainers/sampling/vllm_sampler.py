r"""Sampling by a vLLM server over HTTP; the server loads a new adapter at each training step.

Start the server so that it accepts adapters, and samples from the plain softmax and reports it:

    VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve MODEL --enable-lora --max-lora-rank 16 \
        --logprobs-mode processed_logprobs --generation-config vllm

Prompts are sent as tokens and answers come back as tokens, so nothing is tokenized again. The
server keeps shared prefixes of prompts in its own prefix cache. Nothing here imports vLLM.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.errors import BackendError
from agentgym_gen.trainers.models.chat import ChatFormat, Context, ContextBuilder, settings_of
from agentgym_gen.trainers.models.types import Tokenizer

__all__ = ["ADAPTER", "CONNECTIONS", "VLLMSampler"]

ADAPTER = "agentgym-gen"
"""The beginning of the names of adapters on the server; run, content and step follow."""

CONNECTIONS = 64
"""How many requests are open at once; the server batches them."""


class VLLMSampler:
    """Acts with a model that a vLLM server holds.

    Args:
        url: The address of the server, such as ``http://localhost:8000``.
        model: The name under which it serves the model.
        tokenizer: The model's tokenizer.
        folder: Where the adapter is written; the server has to see the same path.
        temperature: The temperature.
        max_new_tokens: The longest completion, the end token included.
        max_episode_tokens: The longest sequence; an episode that would exceed it gets empty
            completions from then on. None is the server's own limit (``--max-model-len``).
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
        max_new_tokens: int = 32,
        max_episode_tokens: int | None = None,
        timeout: float = 600.0,
    ) -> None:
        self._url, self._model = url.rstrip("/"), model
        self._max_new_tokens, self._limit = max_new_tokens, max_episode_tokens
        self._folder = Path(folder)
        self._timeout = timeout
        self._chat = ChatFormat(tokenizer)
        self._contexts = ContextBuilder(self._chat)
        self._sequences: dict[int, list[int]] = {}
        # another run may have left its adapters on the server
        self._run = f"{ADAPTER}-{secrets.token_hex(4)}"
        self._loaded: str | None = None
        self._settings = {
            "max_tokens": max_new_tokens,
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
            BackendError: if the server refuses it.
        """
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

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order.

        Raises:
            BackendError: if the server does not answer as vLLM does.
        """
        if self._limit is None:
            self._limit = self._server_limit()
        contexts = [self._contexts.next(request) for request in requests]
        pairs = zip(requests, contexts, strict=True)
        fitting = [pair for pair in pairs if self._fits(*pair, self._limit)]
        self._sequences = {
            request.episode: self._prompt(request, context) for request, context in fitting
        }
        seeds = [int(request.rng.integers(1 << 31)) for request, _ in fitting]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            choices = list(pool.map(self._complete, [request for request, _ in fitting], seeds))
        by_episode = dict.fromkeys(
            (request.episode for request in requests), Completion("", truncated=True)
        )
        for (request, context), choice in zip(fitting, choices, strict=True):
            by_episode[request.episode] = self._completion(request, context, choice)
        self._contexts.keep_only([request.episode for request in requests])
        return [by_episode[request.episode] for request in requests]

    def _server_limit(self) -> int:
        for model in self._send("/v1/models").get("data", ()):
            if model.get("id") == self._model and model.get("max_model_len"):
                return int(model["max_model_len"])
        raise BackendError(
            f"The server at {self._url!r} does not say how long a sequence of {self._model!r} may "
            "be; start it with --served-model-name of that name, or give `max_episode_tokens`"
        )

    def _fits(self, request: Request, context: Context, limit: int) -> bool:
        if not context.starts_sequence and request.episode not in self._sequences:
            return False  # it did not fit on an earlier turn
        return len(self._prompt(request, context)) + self._max_new_tokens <= limit

    def _prompt(self, request: Request, context: Context) -> list[int]:
        """Return the sequence of the episode so far, with its new context."""
        before = [] if context.starts_sequence else self._sequences[request.episode]
        return [*before, *context.ids]

    def _complete(self, request: Request, seed: int) -> dict[str, Any]:
        """Return the server's completion, checked to have what a training needs."""
        prompt = {"model": self._loaded or self._model, "prompt": self._sequences[request.episode]}
        response = self._send("/v1/completions", {**prompt, **self._settings, "seed": seed})
        choice: dict[str, Any] = (response.get("choices") or [{}])[0]
        ids = choice.get("token_ids")
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs")
        if ids is None or logprobs is None or len(ids) != len(logprobs):
            raise BackendError(
                f"The server at {self._url!r} answered without token ids and a log-probability "
                "for each; a vLLM from 0.10.2 on gives both"
            )
        return choice

    def _completion(self, request: Request, context: Context, choice: dict[str, Any]) -> Completion:
        ids = [int(token) for token in choice["token_ids"]]
        self._sequences[request.episode] += ids
        self._contexts.record_answer(request, ids)
        return Completion(
            text=self._chat.text(ids, request.tools, settings_of(request.style)),
            context_ids=tuple(context.ids),
            action_ids=tuple(ids),
            logprobs=tuple(map(float, choice["logprobs"]["token_logprobs"])),
            starts_sequence=context.starts_sequence,
            truncated=not ids or ids[-1] not in self._chat.end_ids,
        )

    def _send(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the server's response: to a POST of *body*, or to a GET without one."""
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
            raise BackendError(
                f"The server at {self._url!r} refused {path}: {error.code} {reason}"
            ) from error
        except (OSError, ValueError) as error:
            raise BackendError(
                f"The server at {self._url!r} does not answer ({error}); start it with: vllm serve"
            ) from error


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

"""A transformers model as a policy, batched over the live episodes.

The tokens of an episode stay in a key-value cache between its turns, so that a turn costs its new
tokens only. Tokens are sampled from exactly the distribution that the loss scores: the softmax at
the given temperature, without top-k, top-p or any other cut.

Axes: ``_B`` episodes, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat import (
    ChatFormat,
    Context,
    ContextBuilder,
    end_tokens,
    settings_of,
)
from agentgym_gen.trainers.models.memory import autocast
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.sampling.kv_cache import CacheRow, check_cacheable, extend_rows
from agentgym_gen.trainers.sampling.prefix_cache import PrefixCache

__all__ = ["Generation", "ModelPolicy", "invert_cdf"]


class ModelPolicy:
    """Acts with a causal language model.

    Each episode has a random stream of its own, so that its text does not depend on which episodes
    are sampled in the same batch (but for the rounding of a batched product).

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        temperature: The temperature; 0 takes the most probable token.
        max_new_tokens: The longest completion, the end token included.
        max_episode_tokens: The longest sequence; an episode that would exceed it gets empty
            completions from then on. None is the model's own limit.
        bf16: Whether the model runs under bfloat16 autocast.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        *,
        temperature: float = 1.0,
        max_new_tokens: int = 32,
        max_episode_tokens: int | None = None,
        bf16: bool = False,
    ) -> None:
        if not temperature >= 0:
            raise InvalidValueError(f"`temperature` is 0 or more, not {temperature!r}")
        check_cacheable(model)
        self._model = model
        self._chat = ChatFormat(tokenizer, end_tokens(model))
        self._contexts = ContextBuilder(self._chat)
        self._temperature = temperature
        self._max_new_tokens = max_new_tokens
        model_limit = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
        self._limit = min(model_limit, max_episode_tokens or model_limit)
        self._bf16 = bf16
        self.peak_cache_bytes = 0
        """How much memory the caches of the live episodes took at most, after a turn."""
        self._prefix_cache = PrefixCache(model, self._chat.pad_id)
        self._generations: dict[int, Generation] = {}

    @torch.inference_mode()
    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        if all(request.turn == 0 for request in requests):
            self._prefix_cache.clear()  # a new rollout: the weights may have changed
        contexts = [self._contexts.next(request) for request in requests]
        fitting = [
            (request, context)
            for request, context in zip(requests, contexts, strict=True)
            if self._fits(request, context)
        ]
        by_episode = dict.fromkeys(
            (request.episode for request in requests), Completion("", truncated=True)
        )
        if fitting:
            with autocast(self._model, bf16=self._bf16):
                by_episode |= self._generate(fitting)
        self._contexts.keep_only([request.episode for request in requests])
        return [by_episode[request.episode] for request in requests]

    def _fits(self, request: Request, context: Context) -> bool:
        previous = None if context.starts_sequence else self._generations.get(request.episode)
        if previous is None and not context.starts_sequence:
            return False  # it did not fit on an earlier turn
        used = 0 if previous is None else previous.length
        return used + len(context.ids) + self._max_new_tokens <= self._limit

    def _generate(self, fitting: list[tuple[Request, Context]]) -> dict[int, Completion]:
        continuing = [Generation(*pair) for pair in fitting if not pair[1].starts_sequence]
        starting = [Generation(*pair) for pair in fitting if pair[1].starts_sequence]
        logits = [self._continue(continuing)] if continuing else []
        logits += [self._start(starting)] if starting else []
        generations = continuing + starting
        self._decode(generations, torch.cat(logits))
        self._generations = {generation.request.episode: generation for generation in generations}
        caches = {id(generation.row.cache): generation.row.cache for generation in generations}
        self.peak_cache_bytes = max(
            self.peak_cache_bytes, sum(cache.bytes for cache in caches.values())
        )
        for generation in generations:
            self._contexts.record_answer(generation.request, generation.ids)
        return {
            generation.request.episode: generation.completion(self._chat)
            for generation in generations
        }

    def _continue(self, generations: list[Generation]) -> Tensor:
        """Compute the new contexts of running episodes; return the logits ``_BV`` after them.

        Tokens of the previous answer that are not cached yet go first: its last one is among them.
        """
        previous = [self._generations[generation.request.episode] for generation in generations]
        chunks = [
            [*last.uncached_ids, *generation.context.ids]
            for last, generation in zip(previous, generations, strict=True)
        ]
        rows, logits_BV = extend_rows([last.row for last in previous], chunks, self._chat.pad_id)
        for last, generation, row in zip(previous, generations, rows, strict=True):
            generation.row, generation.prefix_length = row, last.length
        return logits_BV

    def _start(self, generations: list[Generation]) -> Tensor:
        """Compute the contexts that start a sequence; return the logits ``_BV`` after them."""
        contexts = [tuple(generation.context.ids) for generation in generations]
        rows, logits_BV = self._prefix_cache.prefill(contexts)
        for generation, row in zip(generations, rows, strict=True):
            generation.row = row
        return logits_BV

    def _decode(self, generations: list[Generation], logits_BV: Tensor) -> None:
        running = generations
        for number in range(self._max_new_tokens):
            tokens, logprobs = self._sample(running, logits_BV)
            for generation, token, logprob in zip(running, tokens, logprobs, strict=True):
                generation.ids.append(token)
                generation.logprobs.append(logprob)
                generation.running = token not in self._chat.end_ids
            running = [generation for generation in running if generation.running]
            if not running or number + 1 == self._max_new_tokens:
                return
            logits_BV = self._next_logits(running)

    def _next_logits(self, running: list[Generation]) -> Tensor:
        """Return the logits after the tokens sampled so far; only those not cached are computed."""
        missing: dict[object, Generation] = {}
        for generation in running:
            if not generation.context.starts_sequence:
                missing[generation.request.episode] = generation
            elif generation.key not in self._prefix_cache:
                # generations with the same tokens so far have the same logits: one computes them
                missing.setdefault(generation.key, generation)
        if missing:
            self._compute(list(missing.values()))
        return torch.stack(
            [
                self._prefix_cache[generation.key]
                if generation.context.starts_sequence
                else generation.logits_V
                for generation in running
            ]
        )

    def _compute(self, generations: list[Generation]) -> None:
        rows, logits_BV = extend_rows(
            [generation.row for generation in generations],
            [generation.uncached_ids for generation in generations],
            self._chat.pad_id,
        )
        for generation, row, logits_V in zip(generations, rows, logits_BV, strict=True):
            generation.row, generation.cached = row, len(generation.ids)
            generation.logits_V = logits_V
            if generation.context.starts_sequence:
                self._prefix_cache.store_logits(generation.key, logits_V)

    def _sample(
        self, generations: list[Generation], logits_BV: Tensor
    ) -> tuple[list[int], list[float]]:
        """Return a token for each of *generations*, and its log-probability."""
        if self._temperature == 0:
            return logits_BV.argmax(dim=-1).tolist(), [0.0] * len(generations)
        uniform = [generation.request.rng.random() for generation in generations]
        logp_BV = torch.log_softmax(logits_BV.float() / self._temperature, dim=-1)
        token_B = invert_cdf(
            logp_BV, torch.tensor(uniform, dtype=torch.float64, device=logp_BV.device)
        )
        return token_B.tolist(), logp_BV.gather(1, token_B[:, None]).squeeze(1).tolist()


@dataclass
class Generation:
    """A completion that is being sampled; between turns, the cached state of its episode."""

    request: Request
    """What is answered."""
    context: Context
    """The tokens before the answer."""
    ids: list[int] = field(default_factory=list)
    """The tokens sampled so far."""
    logprobs: list[float] = field(default_factory=list)
    """The log-probability of each."""
    running: bool = True
    """Whether no end token was sampled yet."""
    row: CacheRow = field(init=False)
    """The cache row of the sequence."""
    logits_V: Tensor = field(init=False)
    """The logits after the tokens sampled so far, in a sequence that continues."""
    prefix_length: int = 0
    """How many tokens the sequence had before the context."""
    cached: int = 0
    """How many of the sampled tokens are in the cache."""

    @property
    def uncached_ids(self) -> list[int]:
        """The sampled tokens that the cache does not hold yet."""
        return self.ids[self.cached :]

    @property
    def length(self) -> int:
        """How many tokens the sequence has."""
        return self.prefix_length + len(self.context.ids) + len(self.ids)

    @property
    def key(self) -> tuple[int, ...]:
        """All tokens of a sequence that starts with this context."""
        return (*self.context.ids, *self.ids)

    def completion(self, chat: ChatFormat) -> Completion:
        """Return the completion."""
        return Completion(
            text=chat.text(self.ids, self.request.tools, settings_of(self.request.style)),
            context_ids=tuple(self.context.ids),
            action_ids=tuple(self.ids),
            logprobs=tuple(self.logprobs),
            starts_sequence=self.context.starts_sequence,
            truncated=self.running,
        )


def invert_cdf(logp_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """Return, for each row, the token at which the cumulated probability exceeds *uniform_B*.

    The sum is in double precision: over a large vocabulary, single precision would give the
    rounding errors of the tail to a token.
    """
    cdf_BV = logp_BV.double().exp().cumsum(dim=-1)
    # scaled by the sum of all, which rounding keeps from being exactly 1
    target_B1 = (uniform_B.double() * cdf_BV[:, -1])[:, None]
    token_B = torch.searchsorted(cdf_BV, target_B1, right=True).squeeze(1)
    return token_B.clamp(max=logp_BV.shape[1] - 1)

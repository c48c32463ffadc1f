# ruff: noqa: N803, N806, N815
# The capitals name the axes of an array.
"""A transformers model as a policy, batched over the live episodes.

What an episode has seen stays in a key-value cache between its turns, so that a turn costs its new
tokens only. Tokens are drawn from exactly the distribution that the loss scores: the softmax at
the given temperature, nothing cut off.

Axes: ``_B`` episodes, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat import ChatFormat, Context, ContextBuilder
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.sampling.kv_cache import CacheRow, check_cacheable, extend_rows
from agentgym_gen.trainers.sampling.prefix_cache import PrefixCache
from agentgym_gen.trainers.models.memory import autocast


class ModelPolicy:
    """Acts with a causal language model.

    An episode draws from its own stream, so that what it says does not depend on which episodes
    are played beside it (but for the rounding of a batched product).

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        temperature: The temperature; 0 takes the most probable token.
        max_new_tokens: The longest completion, the end token included.
        max_episode_tokens: The longest sequence; an episode that would pass it falls silent. None
            is the model's own limit.
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
        self._chat = ChatFormat(tokenizer)
        self._contexts = ContextBuilder(self._chat)
        self._temperature = temperature
        self._max_new_tokens = max_new_tokens
        known = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
        self._limit = min(known, max_episode_tokens or known)
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
        asked = [
            (request, context)
            for request, context in zip(requests, contexts, strict=True)
            if self._fits(request, context)
        ]
        said = dict.fromkeys((request.episode for request in requests), Completion("", cut=True))
        if asked:
            with autocast(self._model, bf16=self._bf16):
                said |= self._generate(asked)
        self._contexts.keep_only([request.episode for request in requests])
        return [said[request.episode] for request in requests]

    def _fits(self, request: Request, context: Context) -> bool:
        row = None if context.starts_sequence else self._generations.get(request.episode)
        if row is None and not context.starts_sequence:
            return False  # it did not fit on an earlier turn
        used = 0 if row is None else row.length
        return used + len(context.ids) + self._max_new_tokens <= self._limit

    def _generate(self, asked: list[tuple[Request, Context]]) -> dict[int, Completion]:
        old = [Generation(*pair) for pair in asked if not pair[1].starts_sequence]
        new = [Generation(*pair) for pair in asked if pair[1].starts_sequence]
        parts = [self._continue(old)] if old else []
        parts += [self._start(new)] if new else []
        drafts = old + new
        self._decode(drafts, torch.cat(parts))
        self._generations = {draft.request.episode: draft for draft in drafts}
        caches = {id(draft.row.cache): draft.row.cache for draft in drafts}
        self.peak_cache_bytes = max(
            self.peak_cache_bytes, sum(cache.bytes for cache in caches.values())
        )
        for draft in drafts:
            self._contexts.record_answer(draft.request, draft.ids)
        return {draft.request.episode: draft.complete(self._chat) for draft in drafts}

    def _continue(self, drafts: list[Generation]) -> Tensor:
        """Feed what the running episodes saw, after what was not yet fed of their last answer."""
        before = [self._generations[draft.request.episode] for draft in drafts]
        chunks = [
            [*last.uncached_ids, *draft.context.ids] for last, draft in zip(before, drafts, strict=True)
        ]
        seats, logits_BV = extend_rows([last.row for last in before], chunks, self._chat.pad_id)
        for last, draft, seat in zip(before, drafts, seats, strict=True):
            draft.row, draft.prefix_length = seat, last.length
        return logits_BV

    def _start(self, drafts: list[Generation]) -> Tensor:
        """Feed the contexts that start a sequence."""
        seats, logits_BV = self._prefix_cache.prefill([tuple(draft.context.ids) for draft in drafts])
        for draft, seat in zip(drafts, seats, strict=True):
            draft.row = seat
        return logits_BV

    def _decode(self, drafts: list[Generation], logits_BV: Tensor) -> None:
        live = drafts
        for number in range(self._max_new_tokens):
            tokens, logprobs = self._sample(live, logits_BV)
            for draft, token, logprob in zip(live, tokens, logprobs, strict=True):
                draft.ids.append(token)
                draft.logprobs.append(logprob)
                draft.running = token not in self._chat.end_ids
            live = [draft for draft in live if draft.running]
            if not live or number + 1 == self._max_new_tokens:
                return
            logits_BV = self._next_logits(live)

    def _next_logits(self, live: list[Generation]) -> Tensor:
        """Return the logits after what was drawn so far, computing only those not yet known."""
        unknown: dict[object, Generation] = {}
        for draft in live:
            if not draft.context.starts_sequence:
                unknown[draft.request.episode] = draft
            elif draft.key not in self._prefix_cache:
                unknown.setdefault(draft.key, draft)
        if unknown:
            self._compute(list(unknown.values()))
        return torch.stack([self._prefix_cache[d.key] if d.context.starts_sequence else d.logits_V for d in live])

    def _compute(self, drafts: list[Generation]) -> None:
        seats, logits_BV = extend_rows(
            [draft.row for draft in drafts],
            [draft.uncached_ids for draft in drafts],
            self._chat.pad_id,
        )
        for draft, seat, logits_V in zip(drafts, seats, logits_BV, strict=True):
            draft.row, draft.cached, draft.logits_V = seat, len(draft.ids), logits_V
            if draft.context.starts_sequence:
                self._prefix_cache.store_logits(draft.key, logits_V)

    def _sample(self, drafts: list[Generation], logits_BV: Tensor) -> tuple[list[int], list[float]]:
        if self._temperature == 0:
            return logits_BV.argmax(dim=-1).tolist(), [0.0] * len(drafts)
        uniform = [draft.request.rng.random() for draft in drafts]
        logp_BV = torch.log_softmax(logits_BV.float() / self._temperature, dim=-1)
        token_B = invert_cdf(
            logp_BV, torch.tensor(uniform, dtype=torch.float64, device=logp_BV.device)
        )
        return token_B.tolist(), logp_BV.gather(1, token_B[:, None]).squeeze(1).tolist()


@dataclass
class Generation:
    """A completion that is being sampled, and after it what its episode left in the cache."""

    request: Request
    context: Context
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    running: bool = True
    row: CacheRow = field(init=False)
    logits_V: Tensor = field(init=False)
    prefix_length: int = 0
    cached: int = 0

    @property
    def uncached_ids(self) -> list[int]:
        """The drawn tokens that the cache does not hold yet."""
        return self.ids[self.cached :]

    @property
    def length(self) -> int:
        """How many tokens the sequence has."""
        return self.prefix_length + len(self.context.ids) + len(self.ids)

    @property
    def key(self) -> tuple[int, ...]:
        """All tokens of a sequence that starts with this context."""
        return (*self.context.ids, *self.ids)

    def complete(self, chat: ChatFormat) -> Completion:
        """Return the completion."""
        return Completion(
            text=chat.text(self.ids),
            context_ids=tuple(self.context.ids),
            action_ids=tuple(self.ids),
            logprobs=tuple(self.logprobs),
            fresh=self.context.starts_sequence,
            cut=self.running,
        )


def invert_cdf(logp_BV: Tensor, uniform_B: Tensor) -> Tensor:
    """Return the token of each row whose share of the cumulated probability holds *uniform_B*.

    The sum is in double precision: over a large vocabulary, single precision would take the
    rounding of the tail for probability.
    """
    cdf_BV = logp_BV.double().exp().cumsum(dim=-1)
    aim_B1 = (uniform_B.double() * cdf_BV[:, -1])[:, None]
    token_B = torch.searchsorted(cdf_BV, aim_B1, right=True).squeeze(1)
    return token_B.clamp(max=logp_BV.shape[1] - 1)

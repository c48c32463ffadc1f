"""A transformers model as a policy, batched over the live episodes.

The tokens of an episode stay in a key-value cache between its turns, so that a turn costs its new
tokens only. Tokens are sampled from exactly the distribution that the loss scores: the softmax at
the given temperature, without top-k, top-p or any other cut.

Axes: ``_B`` episodes, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.env.making import env_name
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.chat import (
    ChatFormat,
    Context,
    ContextBuilder,
    end_tokens,
    settings_of,
)
from agentgym_gen.trainers.models.checks.positions import longest_sequence
from agentgym_gen.trainers.models.memory import autocast
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.sampling.answer_length import answer_length
from agentgym_gen.trainers.sampling.cache_probe import check_cacheable
from agentgym_gen.trainers.sampling.context_limit import first_prompt_error
from agentgym_gen.trainers.sampling.kv_cache import CacheRow, extend_rows
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
        max_new_tokens: The longest completion, the end token included; None is what the format of
            each request needs (`DEFAULT_NEW_TOKENS`).
        max_episode_tokens: The longest sequence; an episode that would exceed it is truncated, with
            ``context_limit``. None is the model's own limit.
        bf16: Whether the model runs under bfloat16 autocast.

    Raises:
        InvalidValueError: if the model, fed in pieces, does not give what it gives for the whole.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        *,
        temperature: float = 1.0,
        max_new_tokens: int | None = None,
        max_episode_tokens: int | None = None,
        bf16: bool = False,
    ) -> None:
        if not temperature >= 0:
            raise InvalidValueError(f"`temperature` is 0 or more, not {temperature!r}")
        self._model = model
        self._chat = ChatFormat(tokenizer, end_tokens(model))
        self._contexts = ContextBuilder(self._chat)
        self._temperature = temperature
        self._max_new_tokens = max_new_tokens
        model_limit = longest_sequence(model.config)
        self._limit = min(model_limit, max_episode_tokens or model_limit)
        check_cacheable(model, self._limit)
        self._bf16 = bf16
        self._prefix_cache = PrefixCache(model, self._chat.pad_id)
        self._generations: dict[int, Generation] = {}
        self._answered: set[str] = set()
        """The environments of which a first prompt has fitted."""

    @torch.inference_mode()
    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order.

        Raises:
            InvalidValueError: if no first prompt of an environment fits, of those asked at once,
                before anything is played there.
        """
        if all(request.turn == 0 for request in requests):
            self._prefix_cache.clear()  # a new rollout: the weights may have changed
        contexts = [self._contexts.next(request) for request in requests]
        pairs = list(zip(requests, contexts, strict=True))
        fitting = [pair for pair in pairs if self._room(*pair) >= 0]
        self._answered |= {env_name(request.env) for request, _ in fitting}
        self._check_first_prompts(pairs)
        by_episode = dict.fromkeys(
            (request.episode for request in requests), Completion("", context_limit=True)
        )
        if fitting:
            with autocast(self._model, bf16=self._bf16):
                by_episode |= self._generate(fitting)
        self._contexts.keep_only([request.episode for request in requests])
        return [by_episode[request.episode] for request in requests]

    def _room(self, request: Request, context: Context) -> int:
        """Return how many tokens are left beside the context and the longest answer."""
        used = 0 if context.starts_sequence else self._generations[request.episode].length
        longest = answer_length(request.style, self._max_new_tokens)
        return self._limit - used - len(context.ids) - longest

    def _check_first_prompts(self, pairs: Sequence[tuple[Request, Context]]) -> None:
        """Raise if no first prompt of an environment has fitted, neither now nor before."""
        for request, context in pairs:
            if request.turn == 0 and env_name(request.env) not in self._answered:
                longest = answer_length(request.style, self._max_new_tokens)
                raise first_prompt_error(len(context.ids), longest, self._limit)

    def _generate(self, fitting: list[tuple[Request, Context]]) -> dict[int, Completion]:
        new = [
            Generation(request, context, answer_length(request.style, self._max_new_tokens))
            for request, context in fitting
        ]
        continuing = [generation for generation in new if not generation.context.starts_sequence]
        starting = [generation for generation in new if generation.context.starts_sequence]
        # what no sequence goes on from is freed before the next is computed
        self._generations = {
            generation.request.episode: self._generations[generation.request.episode]
            for generation in continuing
        }
        logits = [self._continue(continuing)] if continuing else []
        logits += [self._start(starting)] if starting else []
        generations = continuing + starting
        self._decode(generations, torch.cat(logits))
        self._generations = {generation.request.episode: generation for generation in generations}
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
        contexts = [generation.context_ids for generation in generations]
        rows, logits_BV = self._prefix_cache.prefill(contexts)
        for generation, row in zip(generations, rows, strict=True):
            generation.row = row
            generation.number = self._prefix_cache.number(generation.context_ids)
        return logits_BV

    def _decode(self, generations: list[Generation], logits_BV: Tensor) -> None:
        running = generations
        while True:
            tokens, logprobs = self._sample(running, logits_BV)
            for generation, token, logprob in zip(running, tokens, logprobs, strict=True):
                generation.ids.append(token)
                generation.logprobs.append(logprob)
                generation.running = token not in self._chat.end_ids
                if generation.returns and not generation.runs_on:
                    del generation.row  # nothing goes on from it
            running = [generation for generation in running if generation.runs_on]
            if not running:
                return
            logits_BV = self._next_logits(running)

    def _next_logits(self, running: list[Generation]) -> Tensor:
        """Return the logits after the tokens sampled so far; only those not cached are computed.

        Generations with the same tokens so far have the same logits: one computes them.
        """
        logits: dict[object, Tensor] = {}
        missing: dict[object, Generation] = {}
        for generation in running:
            if generation.place in logits or generation.place in missing:
                continue
            cached_V = self._cached_logits(generation)
            if cached_V is None:
                missing[generation.place] = generation
            else:
                logits[generation.place] = cached_V
        if missing:
            computed_BV = self._compute(list(missing.values()))
            logits |= dict(zip(missing, computed_BV, strict=True))
        return torch.stack([logits[generation.place] for generation in running])

    def _cached_logits(self, generation: Generation) -> Tensor | None:
        if not generation.returns:
            return None
        return self._prefix_cache.logits(generation.context_ids, tuple(generation.ids))

    def _compute(self, generations: list[Generation]) -> Tensor:
        """Compute the sampled tokens that are not cached; return the logits ``_BV`` after them."""
        rows, logits_BV = extend_rows(
            [generation.row for generation in generations],
            [generation.uncached_ids for generation in generations],
            self._chat.pad_id,
        )
        for generation, row, logits_V in zip(generations, rows, logits_BV, strict=True):
            generation.row, generation.cached = row, len(generation.ids)
            if generation.returns:
                ids, sampled = generation.context_ids, tuple(generation.ids)
                self._prefix_cache.store_logits(ids, sampled, logits_V)
        return logits_BV

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
    longest: int
    """How many tokens it may have."""
    ids: list[int] = field(default_factory=list)
    """The tokens sampled so far."""
    logprobs: list[float] = field(default_factory=list)
    """The log-probability of each."""
    running: bool = True
    """Whether no end token was sampled yet."""
    row: CacheRow = field(init=False)
    """The cache row of the sequence."""
    number: int = -1
    """The number of the context in the cache of prefixes, where it starts a sequence."""
    prefix_length: int = 0
    """How many tokens the sequence had before the context."""
    cached: int = 0
    """How many of the sampled tokens are in the cache."""

    @property
    def runs_on(self) -> bool:
        """Whether another token is sampled."""
        return self.running and len(self.ids) < self.longest

    @property
    def uncached_ids(self) -> list[int]:
        """The sampled tokens that the cache does not hold yet."""
        return self.ids[self.cached :]

    @property
    def length(self) -> int:
        """How many tokens the sequence has."""
        return self.prefix_length + len(self.context.ids) + len(self.ids)

    @cached_property
    def context_ids(self) -> tuple[int, ...]:
        """The tokens of the context."""
        return tuple(self.context.ids)

    @property
    def place(self) -> object:
        """What decides the next logits: all tokens of a new sequence, or else the episode."""
        if not self.context.starts_sequence:
            return self.request.episode
        return self.number, tuple(self.ids)

    @property
    def returns(self) -> bool:
        """Whether later turns, of any episode, may begin with the same tokens.

        Where an episode is one growing sequence, only its first turn starts a sequence, together
        with that of the others of its group.
        """
        return self.context.starts_sequence and self.request.style.window is not None

    def completion(self, chat: ChatFormat) -> Completion:
        """Return the completion."""
        return Completion(
            text=chat.text(self.ids, self.request.tools, settings_of(self.request.style)),
            context_ids=self.context_ids,
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

"""No context is computed twice in a rollout, and logits are those of the whole context."""

import numpy as np
import pytest
import torch

from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.sampling.prefix_cache import BLOCK_SIZE, PrefixCache, _shared_beginnings

MODEL, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 256))


class CountingModel(torch.nn.Module):
    """A model that counts the tokens it is given, padding included."""

    def __init__(self) -> None:
        super().__init__()
        self.model = MODEL
        self.config = MODEL.config
        self.tokens = 0

    def forward(
        self, input_ids: torch.Tensor, logits_to_keep: object = 0, **more: object
    ) -> object:
        """Count the tokens and call the model."""
        self.tokens += input_ids.numel()
        return self.model(input_ids=input_ids, logits_to_keep=logits_to_keep, **more)


def contexts(seed: int, stem: int, ends: int) -> list[tuple[int, ...]]:
    """Return *ends* contexts that share their first *stem* tokens."""
    rng = np.random.default_rng(seed)
    first = rng.integers(4, 250, size=stem).tolist()
    return [(*first, *rng.integers(4, 250, size=rng.integers(1, 9)).tolist()) for _ in range(ends)]


@pytest.mark.parametrize("stem", [3, BLOCK_SIZE, 5 * BLOCK_SIZE, 5 * BLOCK_SIZE + 7])
def test_a_cached_prefix_changes_no_logits(stem: int) -> None:
    """The logits are those of the whole context, in whatever order and batch it is computed."""
    cache = PrefixCache(MODEL, 0)
    requests = [*contexts(0, stem, 6), *contexts(1, stem, 6), *contexts(2, 7, 3)]
    with torch.no_grad():
        for batch in (requests[:2], requests[::3], requests[::-1]):
            _, logits_BV = cache.prefill(batch)
            for ids, logits_V in zip(batch, logits_BV, strict=True):
                plain_V = MODEL(torch.tensor([ids])).logits[0, -1]
                torch.testing.assert_close(logits_V, plain_V, rtol=1e-4, atol=1e-4)


def test_a_cached_prefix_is_not_computed_again() -> None:
    """Only the tokens after the last whole block are computed, and nothing the second time."""
    model = CountingModel()
    cache = PrefixCache(model, 0)
    first, *others = contexts(0, 5 * BLOCK_SIZE, 6)
    with torch.no_grad():
        cache.prefill([first])
        assert model.tokens == len(first)
        cache.prefill(others)
        assert model.tokens - len(first) <= 2 * sum(len(ids) - 5 * BLOCK_SIZE for ids in others)
        before = model.tokens
        cache.prefill(others)

    assert model.tokens == before


def test_contexts_of_different_lengths_are_not_padded_to_the_longest() -> None:
    """A short context costs its own length, although a long one is computed too."""
    model = CountingModel()
    with torch.no_grad():
        PrefixCache(model, 0).prefill([tuple(range(4, 204)), (4,), (5, 6)])

    assert model.tokens == 200 + 1 + 2


def test_memory_is_bounded_in_bytes() -> None:
    """However many contexts are computed, the cache stays within a batch of its bounds."""
    cache = PrefixCache(MODEL, 0, max_bytes=1 << 18, max_logits_bytes=20_000)
    sizes = []
    with torch.no_grad():
        for seed in range(40):
            batch = contexts(seed, 40, 4)
            _, logits_BV = cache.prefill(batch)
            plain_V = MODEL(torch.tensor([batch[0]])).logits[0, -1]
            torch.testing.assert_close(logits_BV[0], plain_V, rtol=1e-4, atol=1e-4)
            sizes.append(cache.bytes)

    one_batch = sizes[0]
    assert max(sizes) <= (1 << 18) + 20_000 + one_batch
    assert sizes[-1] < 10 * one_batch, "nothing was ever dropped"


def test_logits_that_were_dropped_are_computed_again() -> None:
    """A context stays right when its logits had to make room for those of others."""
    cache = PrefixCache(MODEL, 0, max_logits_bytes=0)
    requests = contexts(0, 5 * BLOCK_SIZE, 3)
    with torch.no_grad():
        first, again = cache.prefill(requests)[1], cache.prefill(requests)[1]

    torch.testing.assert_close(first, again, rtol=1e-4, atol=1e-4)


def test_shared_beginnings_outlive_the_contexts_that_are_dropped() -> None:
    """Of prompts with common rules, and goals of their own, the rules are computed once."""
    model = CountingModel()
    cache = PrefixCache(model, 0, max_bytes=1 << 18)
    rules = contexts(0, 6 * BLOCK_SIZE, 1)[0][: 6 * BLOCK_SIZE]
    with torch.no_grad():
        cache.prefill([(*rules, 7), (*rules, 8)])
        for turn in range(30):
            before, batch = model.tokens, contexts(turn, 3 * BLOCK_SIZE, 4)
            batch = [(*rules, *ids) for ids in batch]
            _, logits_BV = cache.prefill(batch)
            own = sum(len(ids) - len(rules) for ids in batch)
            assert model.tokens - before <= 1.5 * own
            plain_V = MODEL(torch.tensor([batch[0]])).logits[0, -1]
            torch.testing.assert_close(logits_BV[0], plain_V, rtol=1e-4, atol=1e-4)
            assert cache.bytes < 1 << 20


def test_what_new_contexts_begin_with_is_computed_once() -> None:
    """The demonstrations before eight tasks, of which two share their goal as well."""
    model = CountingModel()
    shared = contexts(0, 10 * BLOCK_SIZE, 1)[0][: 10 * BLOCK_SIZE]
    goal = contexts(1, 3 * BLOCK_SIZE, 1)[0][: 3 * BLOCK_SIZE]
    batch = [(*shared, *ids) for ids in contexts(2, 2, 6)]
    batch += [(*shared, *goal, *ids) for ids in contexts(3, 2, 2)]
    with torch.no_grad():
        _, logits_BV = PrefixCache(model, 0).prefill(batch)
        for ids, logits_V in zip(batch, logits_BV, strict=True):
            plain_V = MODEL(torch.tensor([ids])).logits[0, -1]
            torch.testing.assert_close(logits_V, plain_V, rtol=1e-4, atol=1e-4)

    own = sum(len(ids) - len(shared) for ids in batch)
    assert model.tokens <= len(shared) + 1.5 * own + BLOCK_SIZE * len(batch)


def test_the_beginnings_that_save_most_are_those_of_branches() -> None:
    """Three contexts with the rules, two of them with a goal; one has nothing in common."""
    rules, goal = tuple(range(2 * BLOCK_SIZE)), tuple(range(100, 100 + BLOCK_SIZE))
    first, second = (*rules, *goal, 1), (*rules, *goal, 2)
    several = [first, second, (*rules, 3), (*goal, 4)]

    assert _shared_beginnings(several) == [(first, 2 * BLOCK_SIZE, 3), (first, 3 * BLOCK_SIZE, 2)]
    assert _shared_beginnings([first, first]) == [(first, 3 * BLOCK_SIZE, 2)]
    assert _shared_beginnings([first]) == []

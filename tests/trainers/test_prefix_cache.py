# The capitals name the axes of an array.
"""What a rollout has computed is computed once, and is what a model says of the whole context."""

import numpy as np
import pytest
import torch

from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.sampling.prefix_cache import BLOCK_SIZE, PrefixCache

MODEL, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 256))


class Counting(torch.nn.Module):
    """A model that counts the tokens it is given, padding included."""

    def __init__(self) -> None:
        super().__init__()
        self.model = MODEL
        self.config = MODEL.config
        self.tokens = 0

    def forward(
        self, input_ids: torch.Tensor, logits_to_keep: object = 0, **more: object
    ) -> object:
        """Count, and pass them on."""
        self.tokens += input_ids.numel()
        return self.model(input_ids=input_ids, logits_to_keep=logits_to_keep, **more)


def contexts(seed: int, stem: int, ends: int) -> list[tuple[int, ...]]:
    """Return contexts that share their first *stem* tokens."""
    rng = np.random.default_rng(seed)
    first = rng.integers(4, 250, size=stem).tolist()
    return [(*first, *rng.integers(4, 250, size=rng.integers(1, 9)).tolist()) for _ in range(ends)]


@pytest.mark.parametrize("stem", [3, BLOCK_SIZE, 5 * BLOCK_SIZE, 5 * BLOCK_SIZE + 7])
def test_a_context_with_a_known_beginning_says_the_same(stem: int) -> None:
    """As the whole of it, in whatever order and company it is asked for."""
    library = PrefixCache(MODEL, 0)
    asked = [*contexts(0, stem, 6), *contexts(1, stem, 6), *contexts(2, 7, 3)]
    with torch.no_grad():
        for some in (asked[:2], asked[::3], asked[::-1]):
            _, logits_BV = library.prefill(some)
            for ids, logits_V in zip(some, logits_BV, strict=True):
                plain_V = MODEL(torch.tensor([ids])).logits[0, -1]
                torch.testing.assert_close(logits_V, plain_V, rtol=1e-4, atol=1e-4)


def test_a_known_beginning_is_not_computed_again() -> None:
    """But for the rest of its last block."""
    model = Counting()
    library = PrefixCache(model, 0)
    first, *others = contexts(0, 5 * BLOCK_SIZE, 6)
    with torch.no_grad():
        library.prefill([first])
        assert model.tokens == len(first)
        library.prefill(others)
        assert model.tokens - len(first) <= 2 * sum(len(ids) - 5 * BLOCK_SIZE for ids in others)
        before = model.tokens
        library.prefill(others)

    assert model.tokens == before


def test_contexts_of_different_lengths_are_not_padded_to_the_longest() -> None:
    """A short one beside a long one costs its own length."""
    model = Counting()
    with torch.no_grad():
        PrefixCache(model, 0).prefill([tuple(range(4, 204)), (4,), (5, 6)])

    assert model.tokens == 200 + 1 + 2

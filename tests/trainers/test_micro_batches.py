"""Token sequences become micro batches, and sequences that share a prefix share a row."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
import torch

from agentgym_gen.agents.trajectory import TokenSequence
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.algorithm.scoring import action_logp
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.packing.micro_batches import Sample, pack
from agentgym_gen.trainers.packing.prefix_tree import supports_tree_attention


def sequence(ids: list[int], mask: str) -> TokenSequence:
    """Return a sequence whose sampled tokens are marked by ``x``; their log-probability is -id."""
    action_mask = tuple(mark == "x" for mark in mask)
    logprobs = tuple(
        -float(i) if is_action else 0.0 for i, is_action in zip(ids, action_mask, strict=True)
    )
    starts = (before == "x" and mark == "." for before, mark in pairwise("." + mask))
    turns = tuple(accumulate(int(start) for start in starts))
    return TokenSequence(tuple(ids), action_mask, logprobs, turns)


LONG = sequence([5, 6, 7, 8, 9], ".x.xx")
SHORT = sequence([5, 4, 7, 8], "...x")


def test_a_batch_marks_exactly_what_was_sampled() -> None:
    """Of two rows, the short one is padded on the right, and values are listed row by row."""
    (batch,) = pack([Sample(LONG, (0.5, 0.25), 2.0), Sample(SHORT, (-1.0,), 3.0)], 100, 0)

    assert batch.ids_BT.tolist() == [[5, 4, 7, 8, 0], [5, 6, 7, 8, 9]]
    assert (batch.tokens, batch.size, batch.branches) == (9, 10, False)
    assert batch.sampled_N.tolist() == [3, 6, 8, 9]
    assert batch.before_N.tolist() == [2, 5, 7, 8]
    assert batch.old_logp_N.tolist() == [-8, -6, -8, -9]
    assert batch.advantage_N.tolist() == [-1, 0.5, 0.25, 0.25]
    assert batch.weight_N.tolist() == [3, 2, 2, 2]


def test_batches_keep_to_the_budget() -> None:
    """Four rows of 4 fit into 16 and the fifth does not; a row that is too long is alone."""
    samples = [Sample(sequence([n, 6, 7, 8], "...x")) for n in range(5)]

    assert [batch.size for batch in pack(samples, 16, 0)] == [16, 4]
    assert [batch.size for batch in pack([Sample(SHORT)], 3, 0)] == [4]


def test_rows_of_a_batch_have_similar_lengths() -> None:
    """A row of 12 and one of 4 are in different batches."""
    long = sequence(list(range(1, 13)), "." * 11 + "x")

    assert [batch.size for batch in pack([Sample(SHORT), Sample(long)], 100, 0)] == [4, 12]


@pytest.mark.parametrize("mask", ["....", "x..."])
def test_a_sequence_without_context_or_action_is_refused(mask: str) -> None:
    """A sequence without a sampled token, or that begins with one, is an error."""
    with pytest.raises(InvalidValueError, match="a context and sampled tokens"):
        pack([Sample(sequence([1, 2, 3, 4], mask))], 100, 0)


def test_sequences_that_share_a_prefix_share_a_row() -> None:
    """Three sequences with 6 common tokens, two of them equal, take 8 tokens instead of 21."""
    stem = [1, 2, 3, 4, 5, 6]
    same = [Sample(sequence([*stem, 7], "......x"), (1.0,), weight) for weight in (1.0, 2.0)]
    other = Sample(sequence([*stem, 8], ".....xx"), (-1.0,))
    (batch,) = pack([other, *same], 100, 0)

    assert batch.ids_BT.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8]]
    assert batch.depth_BT.tolist() == [[0, 1, 2, 3, 4, 5, 6, 6]]
    assert batch.end_BT.tolist() == [[8, 8, 8, 8, 8, 8, 7, 8]]
    assert batch.sampled_N.tolist() == [6, 6, 5, 7]
    assert batch.before_N.tolist() == [5, 5, 4, 5]
    assert batch.weight_N.tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("heads", [2, 4])
def test_a_branch_scores_as_it_does_alone(heads: int) -> None:
    """In random trees, log-probabilities and gradients are those of rows of their own."""
    rng = np.random.default_rng(0)
    model, _ = build_tiny(["text"], size=TinySize(2, 32, heads, 300, 64))
    ids = [[1, *rng.integers(2, 4, size=rng.integers(3, 12)).tolist()] for _ in range(40)]
    samples = [
        Sample(sequence(row_ids, "." * (len(row_ids) - 2) + "xx"), (1.0,)) for row_ids in ids
    ]
    apart = pack(samples, 64, 0, tree_attention=False)
    shared = pack(samples, 64, 0)
    assert sum(batch.tokens for batch in shared) < sum(batch.tokens for batch in apart) * 0.6

    gradients, logps = [], []
    for batches in (apart, shared):
        model.zero_grad()
        logp = [action_logp(model, batch) for batch in batches]
        torch.cat(logp).sum().backward()
        gradients.append([weight.grad.clone() for weight in model.parameters()])
        logps.append(torch.cat(logp).detach().sort().values)
    torch.testing.assert_close(*logps)
    for gradient, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-4)


def test_a_model_that_ignores_masks_does_not_support_tree_attention() -> None:
    """Attention that takes no mask, or a model that ignores it, is detected."""
    model, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 64))
    assert supports_tree_attention(model)

    model.config._attn_implementation = "flash_attention_2"
    assert not supports_tree_attention(model)

    model.config._attn_implementation = "sdpa"
    forward = model.forward
    model.forward = lambda attention_mask=None, **rest: forward(**rest)
    assert not supports_tree_attention(model)


def test_padding_changes_no_score() -> None:
    """The log-probabilities of two rows together are those of each alone, and of the softmax."""
    model, _ = build_tiny(["text"], size=TinySize(2, 32, 2, 300, 64))
    with torch.no_grad():
        (both,) = pack([Sample(LONG), Sample(SHORT)], 100, 0)
        alone = [action_logp(model, pack([Sample(s)], 100, 0)[0]) for s in (SHORT, LONG)]
        together = action_logp(model, both)
        logp = model(torch.tensor([SHORT.ids])).logits.log_softmax(-1)

    torch.testing.assert_close(together, torch.cat(alone))
    torch.testing.assert_close(together[:1], logp[0, 2, 8][None])

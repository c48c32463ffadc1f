"""Token sequences become micro batches, and equal ones become one."""

from itertools import accumulate, pairwise

import pytest
import torch

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.tiny import TinySize, build_tiny
from agentgym_gen.trainers.tokens import Sample, action_logp, merge, pack
from agentgym_gen.trajectory import TokenSequence


def sequence(ids: list[int], mask: str) -> TokenSequence:
    """Return a sequence whose sampled tokens are marked by ``x``; their log-probability is -id."""
    acted = tuple(mark == "x" for mark in mask)
    logprobs = tuple(-float(i) if act else 0.0 for i, act in zip(ids, acted, strict=True))
    starts = (before == "x" and mark == "." for before, mark in pairwise("." + mask))
    turns = tuple(accumulate(int(start) for start in starts))
    return TokenSequence(tuple(ids), acted, logprobs, turns)


LONG = sequence([5, 6, 7, 8, 9], ".x.xx")
SHORT = sequence([5, 6, 7, 8], "...x")


def test_a_batch_marks_exactly_what_was_sampled() -> None:
    """Two rows, the short one padded on the right; values go row by row."""
    (batch,) = pack([Sample(LONG, (0.5, 0.25), 2.0), Sample(SHORT, (-1.0,), 3.0)], 100, 0)

    assert batch.ids_BT.tolist() == [[5, 6, 7, 8, 0], [5, 6, 7, 8, 9]]
    assert batch.live_BT.tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert batch.action_BT.tolist() == [
        [False, False, False, True, False],
        [False, True, False, True, True],
    ]
    assert batch.old_logp_N.tolist() == [-8, -6, -8, -9]
    assert batch.advantage_N.tolist() == [-1, 0.5, 0.25, 0.25]
    assert batch.weight_N.tolist() == [3, 2, 2, 2]


def test_batches_keep_to_the_budget() -> None:
    """Four rows of 4 fit into 16, the fifth does not; a sequence too long goes alone."""
    batches = pack([Sample(SHORT)] * 5, 16, 0)

    assert [batch.size for batch in batches] == [16, 4]
    assert [batch.size for batch in pack([Sample(SHORT)], 3, 0)] == [4]


def test_rows_of_a_batch_are_about_as_long() -> None:
    """A row of 12 is not padded beside one of 4."""
    long = sequence(list(range(1, 13)), "." * 11 + "x")

    assert [batch.size for batch in pack([Sample(SHORT), Sample(long)], 100, 0)] == [4, 12]


@pytest.mark.parametrize("mask", ["....", "x..."])
def test_a_sequence_without_context_or_action_is_refused(mask: str) -> None:
    """There is nothing to learn in it, or nothing it was drawn from."""
    with pytest.raises(InvalidValueError, match="a context and sampled tokens"):
        pack([Sample(sequence([1, 2, 3, 4], mask))], 100, 0)


def test_merging_adds_the_weights() -> None:
    """Advantages 1 and -0.5 with weights 1 and 3 are one of -0.125 with weight 4."""
    (merged,) = merge([Sample(SHORT, (1.0,), 1.0), Sample(SHORT, (-0.5,), 3.0)])

    assert (merged.advantages, merged.weight) == ((-0.125,), 4.0)
    assert len(merge([Sample(SHORT), Sample(LONG)])) == 2


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

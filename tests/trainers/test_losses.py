"""Losses, with numbers worked out by hand."""

import math

import pytest
import torch

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.algorithm.losses import (
    clipped_policy_loss,
    entropy,
    is_clipped,
    kl_k3,
    sequence_logp,
    sft_loss,
)

HALF, QUARTER = math.log(0.5), math.log(0.25)


def test_sft_loss_is_the_weighted_negative_log_likelihood() -> None:
    """Probabilities 1/2 and 1/4 give 0.25 ln 2 + 0.75 ln 4."""
    loss = sft_loss(torch.tensor([HALF, QUARTER]), torch.tensor([0.25, 0.75]))

    assert float(loss) == pytest.approx(0.25 * math.log(2) + 0.75 * math.log(4))


def test_the_ratio_is_clipped_at_its_bounds() -> None:
    """A ratio of 2 counts 1.3 at advantage 1 and 2 at -1; a ratio of 0.5 counts 0.5 and 0.8."""
    logp = torch.tensor([HALF, HALF, QUARTER, QUARTER])
    old = torch.tensor([QUARTER, QUARTER, HALF, HALF])
    loss = clipped_policy_loss(logp, old, torch.tensor([1.0, -1.0, 1.0, -1.0]), 0.2, 0.3)

    assert loss.tolist() == pytest.approx([-1.3, 2.0, -0.5, 0.8])


def test_the_gradient_at_ratio_1_is_that_of_the_policy() -> None:
    """Before any update, the gradient is minus the advantage."""
    logp = torch.tensor([HALF, QUARTER], requires_grad=True)
    clipped_policy_loss(logp, logp.detach(), torch.tensor([0.5, -2.0]), 0.2, 0.2).sum().backward()

    assert logp.grad is not None
    assert logp.grad.tolist() == pytest.approx([-0.5, 2.0])


def test_a_clipped_token_has_no_gradient() -> None:
    """A token of advantage 1 whose probability has doubled has gradient 0."""
    logp = torch.tensor([HALF], requires_grad=True)
    clipped_policy_loss(logp, torch.tensor([QUARTER]), torch.tensor([1.0]), 0.2, 0.2).backward()

    assert logp.grad is not None
    assert logp.grad.tolist() == [0]


def test_k3_is_never_negative() -> None:
    """A ratio of 2 gives 2 - ln 2 - 1, one of 1/2 gives 1/2 + ln 2 - 1, and equality 0."""
    logp = torch.tensor([QUARTER, HALF, HALF])
    reference = torch.tensor([HALF, QUARTER, HALF])

    assert kl_k3(logp, reference).tolist() == pytest.approx(
        [1 - math.log(2), math.log(2) - 0.5, 0], abs=1e-6
    )


def test_different_shapes_are_refused() -> None:
    """Broadcasting would average over the wrong axis, so it is an error."""
    with pytest.raises(InvalidValueError, match="one value per token"):
        kl_k3(torch.zeros(2), torch.zeros(3))
    with pytest.raises(InvalidValueError, match="one value per token"):
        sft_loss(torch.zeros(2, 2), torch.zeros(2, 2))


def test_is_clipped_marks_the_tokens_without_gradient() -> None:
    """A ratio of 2 is clipped at advantage 1 only, and one of 1/2 at -1 only."""
    logp = torch.tensor([HALF, HALF, QUARTER, QUARTER])
    old = torch.tensor([QUARTER, QUARTER, HALF, HALF])
    advantage = torch.tensor([1.0, -1.0, 1.0, -1.0])

    assert is_clipped(logp, old, advantage, 0.2, 0.3).tolist() == [True, False, False, True]


def test_entropy_is_in_nats() -> None:
    """The entropy of 1/2, 1/4, 1/4 is 1.5 ln 2, and that of four equal shares is ln 4."""
    logits = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.25] * 4]).clamp(min=1e-12).log() + 3

    assert entropy(logits).tolist() == pytest.approx([1.5 * math.log(2), math.log(4)], abs=1e-5)


def test_the_ratio_of_a_sequence_is_the_geometric_mean_of_its_tokens() -> None:
    """Ratios 4 and 1 make 2; 2, 2 and 1/4 make the cube root of 1; 2 alone is 2 (GSPO)."""
    old = torch.full((6,), -3.0)
    ratios = torch.tensor([4.0, 1.0, 2.0, 2.0, 0.25, 2.0])
    sequence = torch.tensor([0, 0, 1, 1, 1, 2])
    logp = sequence_logp(old + ratios.log(), old, sequence)

    assert torch.exp(logp - old).tolist() == pytest.approx([2, 2, 1, 1, 1, 2])


def test_gspo_clips_all_tokens_of_a_sequence_together() -> None:
    """Equation 5 of arXiv 2507.18071: ratio sqrt(2 x 1/2 ...) by hand, bounds 0.1, advantage 1.

    Sequence 0 has the ratios 2 and 1.125, geometric mean 1.5, clipped to 1.1; its gradient is 0,
    though 1.125 and 2 alone would differ. Sequence 1 has 0.8 and 1.25, mean 1: each token has the
    gradient minus 1/2 of its sequence, which has two tokens.
    """
    old = torch.full((4,), -3.0)
    logp = (old + torch.tensor([2.0, 1.125, 0.8, 1.25]).log()).requires_grad_()
    shared = sequence_logp(logp, old, torch.tensor([0, 0, 1, 1]))
    loss = clipped_policy_loss(shared, old, torch.ones(4), 0.1, 0.1)
    (0.5 * loss).sum().backward()

    assert loss.tolist() == pytest.approx([-1.1, -1.1, -1.0, -1.0])
    assert logp.grad is not None
    assert logp.grad.tolist() == pytest.approx([0, 0, -0.5, -0.5], abs=1e-6)
    assert (
        is_clipped(shared.detach(), old, torch.ones(4), 0.1, 0.1).tolist()
        == [True] * 2 + [False] * 2
    )

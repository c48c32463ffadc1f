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
    sft_loss,
)

HALF, QUARTER = math.log(0.5), math.log(0.25)


def test_sft_loss_is_the_weighted_surprise() -> None:
    """0.25 ln 2 + 0.75 ln 4."""
    loss = sft_loss(torch.tensor([HALF, QUARTER]), torch.tensor([0.25, 0.75]))

    assert float(loss) == pytest.approx(0.25 * math.log(2) + 0.75 * math.log(4))


def test_the_ratio_counts_up_to_its_bounds_only() -> None:
    """A ratio of 2 is worth 1.3 to a good token and 2 to a bad one; one of 0.5 the reverse."""
    logp = torch.tensor([HALF, HALF, QUARTER, QUARTER])
    old = torch.tensor([QUARTER, QUARTER, HALF, HALF])
    loss = clipped_policy_loss(logp, old, torch.tensor([1.0, -1.0, 1.0, -1.0]), 0.2, 0.3)

    assert loss.tolist() == pytest.approx([-1.3, 2.0, -0.5, 0.8])


def test_the_gradient_on_fresh_episodes_is_that_of_the_policy() -> None:
    """Where nothing has changed yet, it is minus the advantage."""
    logp = torch.tensor([HALF, QUARTER], requires_grad=True)
    clipped_policy_loss(logp, logp.detach(), torch.tensor([0.5, -2.0]), 0.2, 0.2).sum().backward()

    assert logp.grad is not None
    assert logp.grad.tolist() == pytest.approx([-0.5, 2.0])


def test_a_clipped_token_has_no_gradient() -> None:
    """A good token whose probability has doubled already is left alone."""
    logp = torch.tensor([HALF], requires_grad=True)
    clipped_policy_loss(logp, torch.tensor([QUARTER]), torch.tensor([1.0]), 0.2, 0.2).backward()

    assert logp.grad is not None
    assert logp.grad.tolist() == [0]


def test_k3_is_never_negative() -> None:
    """A ratio of 2 gives 2 - ln 2 - 1, one of 1/2 gives 1/2 + ln 2 - 1, equality 0."""
    logp = torch.tensor([QUARTER, HALF, HALF])
    reference = torch.tensor([HALF, QUARTER, HALF])

    assert kl_k3(logp, reference).tolist() == pytest.approx(
        [1 - math.log(2), math.log(2) - 0.5, 0], abs=1e-6
    )


def test_shapes_have_to_agree() -> None:
    """Broadcasting would average over the wrong things."""
    with pytest.raises(InvalidValueError, match="one value per token"):
        kl_k3(torch.zeros(2), torch.zeros(3))
    with pytest.raises(InvalidValueError, match="one value per token"):
        sft_loss(torch.zeros(2, 2), torch.zeros(2, 2))


def test_what_is_clipped_is_what_has_no_gradient() -> None:
    """A ratio of 2 at a good token, one of 1/2 at a bad one; not the reverse."""
    logp = torch.tensor([HALF, HALF, QUARTER, QUARTER])
    old = torch.tensor([QUARTER, QUARTER, HALF, HALF])
    advantage = torch.tensor([1.0, -1.0, 1.0, -1.0])

    assert is_clipped(logp, old, advantage, 0.2, 0.3).tolist() == [True, False, False, True]


def test_entropy_is_in_nats() -> None:
    """Of 1/2, 1/4, 1/4 it is 1.5 ln 2; of four equal ones ln 4."""
    logits = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.25] * 4]).clamp(min=1e-12).log() + 3

    assert entropy(logits).tolist() == pytest.approx([1.5 * math.log(2), math.log(4)], abs=1e-5)

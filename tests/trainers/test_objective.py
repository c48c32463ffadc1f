"""The whole update against a plain reference implementation, and the memory settings."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import TrainingError
from agentgym_gen.trainers.algorithm.objective import Objective, Reference
from agentgym_gen.trainers.algorithm.train_batch import build_batch
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.models.memory import explain_oom
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.packing.micro_batches import pack
from agentgym_gen.trainers.parallel.distributed import Distributed
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy

ENV = "rftgen/Corridor-easy-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def tiny() -> tuple[Model, Tokenizer]:
    """Return a model of a few thousand weights."""
    return build_tiny(TEXTS, size=TinySize(2, 16, 2, 300, 512))


def episodes(style: PromptStyle) -> list[Trajectory]:
    """Return random episodes of two tasks, every second of which is marked as a success."""
    model, tokenizer = tiny()
    policy = ModelPolicy(model, tokenizer, max_new_tokens=5)
    tasks = [f"corridor/easy/train/{index}" for index in range(2)]
    requests = [Episode(ENV, task, n, {"max_turns": 3}) for task in tasks for n in range(4)]
    trajectories = run(requests, policy, style=style)
    return [replace(episode, success=episode.sample % 2 == 0) for episode in trajectories]


def plain_gradients(
    model: Model, reference: Model, trajectories: list[Trajectory], args: RFTConfig
) -> dict[str, torch.Tensor]:
    """Return the gradients of the same loss, one sequence at a time and without packing."""
    total = torch.zeros(())
    count = sum(episode.action_tokens for episode in trajectories)
    for episode in trajectories:
        # of two successes and two failures: mean 1/2, sample deviation sqrt(1/3)
        advantage = (1.0 if episode.success else -1.0) * 0.5 / (1 / 3) ** 0.5
        for sequence in episode.sequences():
            logits = model(torch.tensor([sequence.ids])).logits[0] / args.temperature
            other = reference(torch.tensor([sequence.ids])).logits[0] / args.temperature
            for place, acted in enumerate(sequence.action_mask):
                if not acted:
                    continue
                logp = logits[place - 1].log_softmax(-1)
                base = other[place - 1].log_softmax(-1)[sequence.ids[place]].detach()
                chosen = logp[sequence.ids[place]]
                ratio = (chosen - sequence.logprobs[place]).exp()
                bounded = ratio.clamp(1 - args.clip_range, 1 + args.clip_range_high)
                policy = -torch.minimum(ratio * advantage, bounded * advantage)
                kl = (base - chosen).exp() - (base - chosen) - 1
                entropy = -(logp.exp() * logp).sum()
                total = total + policy + args.kl_coef * kl - args.entropy_coef * entropy
    (total / count).backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("window", [None, 0], ids=["growing", "fresh"])
@pytest.mark.parametrize("budget", [64, 100_000], ids=["accumulated", "at once"])
def test_the_gradient_is_that_of_the_plain_loss(window: int | None, budget: int) -> None:
    """The gradients are equal with all terms, in one batch and accumulated over many."""
    style = PromptStyle("action", instruction=False, window=window)
    trajectories = episodes(style)
    settings: dict[str, Any] = {"kl_coef": 0.1, "entropy_coef": 0.05, "lora_rank": 0}
    args = RFTConfig(max_grad_norm=1e9, clip_range=0.01, clip_range_high=0.01, **settings)
    model, tokenizer = tiny()
    reference = Reference(model, args)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.02)
    other, (same, _) = tiny()[0], tiny()
    same.load_state_dict(model.state_dict())
    expected = plain_gradients(same, other, trajectories, args)
    learner = Learner(model, tokenizer, args, lambda step: 0.0)
    batches = pack(build_batch(trajectories, args).samples, budget, 0)
    objective = Objective(model, reference, args)
    learner.update(batches, objective.loss)

    assert len(batches) > 1 if budget == 64 else len(batches) < 4
    assert 0 < objective.metrics(Distributed())["clip_fraction"] < 1
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name], atol=1e-6, rtol=1e-3)


def gradients(**settings: object) -> dict[str, torch.Tensor]:
    """Return the gradients of one update with an adapter."""
    trajectories = episodes(PromptStyle("action", instruction=False))
    args = RFTConfig(lora_rank=2, **settings)  # type: ignore[arg-type]
    learner = Learner(*tiny(), args, lambda step: 0.0)
    with torch.no_grad():
        for name, weight in learner.model.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.01)
    objective = Objective(learner.model, Reference(learner.model, args), args)
    learner.update(pack(build_batch(trajectories, args).samples, 1000, 0), objective.loss)
    by_name = {name: w.grad for name, w in learner.model.named_parameters() if w.requires_grad}
    assert not learner.model.training
    return by_name  # type: ignore[return-value]


def test_gradient_checkpointing_changes_no_gradient() -> None:
    """The gradients with and without it are the same."""
    plain, checkpointed = gradients(), gradients(gradient_checkpointing=True)

    assert plain.keys() == checkpointed.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(gradient, checkpointed[name], atol=1e-7, rtol=1e-5)


ROUNDINGS = 64
"""About how often a number is rounded on the way to a gradient: nine matrix products in each of two
layers and one at the end, and twice as many on the way back."""


def test_bfloat16_is_near() -> None:
    """The gradients differ by no more than rounding can explain, but they are not equal.

    bfloat16 keeps 8 binary digits, so that a rounding errs by up to 2 ** -9. All of them in one
    direction make `ROUNDINGS` times that, and it is doubled: the advantages of a group have both
    signs, and what they cancel makes the rest smaller than its error. Measured are 0.02 with torch
    2.13 and 0.20 with torch 2.6; another model's gradient is off by 0.7 and more.
    """
    plain, rough = gradients(), gradients(bf16=True)
    single = torch.cat([gradient.flatten() for gradient in plain.values()])
    half = torch.cat([gradient.flatten() for gradient in rough.values()])

    assert float((half - single).norm() / single.norm()) < 2 * ROUNDINGS * 2**-9
    assert not torch.equal(single, half)


@pytest.mark.parametrize("rank", [0, 2])
def test_under_bfloat16_the_policy_is_not_scored_with_the_weights_of_the_reference(
    rank: int,
) -> None:
    """Autocast keeps rounded weights by their tensors, in which both take turns."""
    trajectories = episodes(PromptStyle("action", instruction=False))
    kl = {}
    for bf16 in (False, True):
        args = RFTConfig(lora_rank=rank, bf16=bf16, kl_coef=0.1)
        learner = Learner(*tiny(), args, lambda step: 0.0)
        reference = Reference(learner.model, args)
        with torch.no_grad():
            for weight in learner.model.parameters():
                if weight.requires_grad:
                    weight.add_(0.2 * torch.randn(weight.shape, generator=torch.manual_seed(0)))
        objective = Objective(learner.model, reference, args)
        learner.update(pack(build_batch(trajectories, args).samples, 1000, 0), objective.loss)
        kl[bf16] = objective.metrics(Distributed())["kl"]

    assert kl[False] > 0.01, "the test tests nothing"
    assert kl[True] == pytest.approx(kl[False], rel=0.5)


def test_an_out_of_memory_error_names_the_setting() -> None:
    """An out-of-memory error is explained, and other errors are raised as they are."""
    with (
        pytest.raises(TrainingError, match="the update of step 3; lower `micro_batch_tokens`"),
        explain_oom("the update of step 3", "lower `micro_batch_tokens`"),
    ):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(RuntimeError, match="shapes"), explain_oom("x", "y"):
        raise RuntimeError("shapes do not fit")

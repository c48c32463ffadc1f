"""Weights of less than single precision are trained through master copies."""

import shutil
from pathlib import Path

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.trainers.config import SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.optimizer import Optimizer
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def trainer(dtype: torch.dtype, folder: Path | None = None, **settings: float) -> SFTTrainer:
    """Return a trainer of all weights of a model in *dtype*."""
    texts = expert_texts([ENV], STYLE, number=5)
    model, tokenizer = build_tiny(texts, 0, TinySize(2, 32, 2, 300, 512))
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=5)
    args = SFTConfig(
        lora_rank=0, batch_size=4, output_dir=str(folder or ""), **({"max_steps": 3} | settings)
    )
    return SFTTrainer(model.to(dtype), tokenizer, args, trajectories)


def moved(sft: SFTTrainer) -> float:
    """Return the share of the weights that a training moves."""
    before = sft._learner.snapshot()
    sft.train()
    after = sft._learner.snapshot()
    changed = sum(int((after[name] != weight).sum()) for name, weight in before.items())
    return changed / sum(weight.numel() for weight in before.values())


def test_small_steps_are_not_rounded_away() -> None:
    """At a rate of 1e-6, as many weights move in bfloat16 as in single precision."""
    single = moved(trainer(torch.float32, learning_rate=1e-6))
    half = moved(trainer(torch.bfloat16, learning_rate=1e-6))

    assert single > 0.7  # the others are of tokens that no text has
    assert half > 0.95 * single


def test_steps_add_up_in_the_model() -> None:
    """Twenty steps that are each too small for bfloat16 change the model together."""
    weight = torch.nn.Parameter(torch.full((8,), 0.5, dtype=torch.bfloat16))
    optimizer = Optimizer({"w": weight}, SFTConfig(learning_rate=2e-4))
    for _ in range(20):
        weight.grad = torch.ones_like(weight)
        optimizer.collect_gradients()
        optimizer.step(1.0)
        optimizer.zero_grad()

    assert weight.detach().float().tolist() == pytest.approx([0.496] * 8, abs=2e-3)
    assert optimizer.snapshot()["w"].dtype == torch.float32


def test_gradients_of_micro_batches_add_up_in_single_precision() -> None:
    """A small gradient after a large one is not lost, as it would be in bfloat16."""
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    optimizer = Optimizer({"w": weight}, SFTConfig())
    for gradient in (256.0, 0.5, 0.5):
        weight.grad = torch.tensor([gradient], dtype=torch.bfloat16)
        optimizer.collect_gradients()

    assert optimizer.gradient_holders[0].grad == torch.tensor([257.0])


def test_a_training_with_master_copies_resumes_to_the_bit(tmp_path: Path) -> None:
    """The copies are in the checkpoint, because rounded weights do not tell them."""
    settings = {"max_steps": 4, "save_steps": 2, "learning_rate": 1e-4}
    whole = trainer(torch.bfloat16, tmp_path / "whole", **settings)
    whole.train()
    shutil.copytree(tmp_path / "whole" / "step_000002", tmp_path / "cut" / "step_000002")
    resumed = trainer(torch.bfloat16, tmp_path / "cut", **settings)
    resumed.train(resume_from_checkpoint=True)

    masters, others = whole._learner.snapshot(), resumed._learner.snapshot()
    assert all(torch.equal(master, others[name]) for name, master in masters.items())
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name

"""The loss and its gradient beside TRL's, on the same numbers: ratios of tokens and of sequences.

    pip install trl datasets
    python benchmarks/against_trl_loss.py

TRL's `GRPOTrainer._compute_loss` gets log-probabilities in the place of a model, for which a
stand-in for the trainer suffices: episodes of different lengths, some tokens of which are no
answer. `loss_type="grpo"` averages over the tokens of an episode and then over episodes, as
`RFTConfig.loss_average="episode"` does. Printed are the largest differences of the loss and of its
gradient, and how many tokens were clipped.
"""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
from torch import Tensor
from trl import GRPOTrainer

from agentgym_gen.trainers.algorithm.losses import (
    clipped_policy_loss,
    is_clipped,
    sequence_logp,
)

LOW, HIGH = 0.1, 0.2


def trl_loss(
    level: str, logp_BT: Tensor, old_BT: Tensor, mask_BT: Tensor, advantage_B: Tensor
) -> Tensor:
    """Return TRL's loss."""
    trainer = MagicMock()
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (
        logp_BT,
        torch.zeros_like(logp_BT),
        None,
    )
    settings = {
        **{"importance_sampling_level": level, "loss_type": "grpo", "beta": 0.0},
        **{"epsilon_low": LOW, "epsilon_high": HIGH, "top_entropy_quantile": 1.0},
        **{"off_policy_mask_threshold": None, "use_vllm": False, "aux_loss_enabled": False},
        **{"_entropy_bonus_enabled": False, "current_gradient_accumulation_steps": 1},
        **{"args": SimpleNamespace(delta=None, use_bias_correction_kl=False)},
        **{"_metrics": defaultdict(lambda: defaultdict(list))},
    }
    for name, value in settings.items():
        setattr(trainer, name, value)
    trainer.accelerator.gather = trainer.accelerator.reduce = lambda value, **_: value
    inputs = {
        "prompt_ids": torch.zeros(len(logp_BT), 1),
        "prompt_mask": torch.ones(len(logp_BT), 1),
        "completion_ids": torch.zeros_like(logp_BT),
        "completion_mask": mask_BT,
        "advantages": advantage_B,
        "old_per_token_logps": old_BT,
    }
    loss: Tensor = GRPOTrainer._compute_loss(trainer, None, inputs)
    return loss


def our_loss(
    level: str, logp_BT: Tensor, old_BT: Tensor, mask_BT: Tensor, advantage_B: Tensor
) -> tuple[Tensor, int]:
    """Return our loss, and how many tokens are clipped."""
    rows = torch.arange(len(logp_BT))[:, None].expand_as(logp_BT)
    is_answer = mask_BT.bool()
    logp_N, old_N, sequence_N = logp_BT[is_answer], old_BT[is_answer], rows[is_answer]
    advantage_N = advantage_B[sequence_N]
    weight_N = 1 / (mask_BT.sum(dim=1)[sequence_N] * len(logp_BT))
    if level == "sequence":
        logp_N = sequence_logp(logp_N, old_N, sequence_N)
    loss_N = clipped_policy_loss(logp_N, old_N, advantage_N, LOW, HIGH)
    clipped = int(is_clipped(logp_N.detach(), old_N, advantage_N, LOW, HIGH).sum())
    return (weight_N * loss_N).sum(), clipped


def main() -> None:
    """Print a line for each level."""
    generator = torch.Generator().manual_seed(0)
    old_BT = -3 * torch.rand(8, 120, generator=generator, dtype=torch.float64)
    moved_BT = old_BT + 0.3 * torch.randn(8, 120, generator=generator, dtype=torch.float64)
    moved_BT += 0.15 * torch.randn(8, 1, generator=generator, dtype=torch.float64)
    lengths_B1 = torch.randint(40, 121, (8, 1), generator=generator)
    mask_BT = (torch.arange(120) < lengths_B1) & (torch.rand(8, 120, generator=generator) < 0.8)
    advantage_B = torch.randn(8, generator=generator, dtype=torch.float64)
    print("| ratio | tokens | clipped | loss, ours | loss, TRL | gradient, largest difference |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for level in ("token", "sequence"):
        ours, theirs = moved_BT.clone().requires_grad_(), moved_BT.clone().requires_grad_()
        arguments = old_BT, mask_BT.double(), advantage_B
        loss, clipped = our_loss(level, ours, *arguments)
        other = trl_loss(level, theirs, *arguments)
        loss.backward()  # type: ignore[no-untyped-call]
        other.backward()  # type: ignore[no-untyped-call]
        assert ours.grad is not None and theirs.grad is not None  # noqa: PT018, S101
        difference = float((ours.grad - theirs.grad).abs().max())
        tokens = int(mask_BT.sum())
        print(f"| {level} | {tokens} | {clipped} | {loss:.9f} | {other:.9f} | {difference:.1e} |")


if __name__ == "__main__":
    main()

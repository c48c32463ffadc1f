"""The objective of reinforcement fine-tuning on one micro batch, and the metrics of an update.

Axes: ``_N`` sampled tokens of all sequences.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from agentgym_gen.trainers.algorithm.losses import (
    clipped_policy_loss,
    is_clipped,
    kl_k3,
    sequence_logp,
)
from agentgym_gen.trainers.algorithm.scoring import TokenScores, action_logp, score
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.models.adapters import no_dropout
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.packing.micro_batches import MicroBatch
from agentgym_gen.trainers.parallel.distributed import Distributed
from agentgym_gen.trainers.parallel.sharding import exchange


class Reference:
    """The reference of the KL term: the policy that this training started from.

    After a warm start that is the model after it, for an adapter as for all weights. The weights
    that are trained are copied at the beginning, and put in the place of the present ones while the
    reference is asked.

    Args:
        model: The model before training.
        args: The settings; without ``kl_coef`` no reference is needed.
    """

    def __init__(self, model: Model, args: RFTConfig) -> None:
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        self._weights: list[Tensor] = trained if args.kl_coef else []
        self._copies = [weight.detach().clone() for weight in self._weights]
        self._temperature = args.temperature

    @torch.no_grad()
    def logp(self, model: Model, batch: MicroBatch) -> Tensor:
        """Return the log-probabilities ``_N`` of the sampled tokens under the reference."""
        with self._in_place(), no_dropout(model):
            return action_logp(model, batch, self._temperature)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for weight, copy in zip(self._weights, self._copies, strict=True):
            exchange(weight, copy)
        # Autocast keeps what it has rounded by the tensor, whose numbers are others now: without
        # this, the policy would be scored, and trained, with the weights of the reference.
        torch.clear_autocast_cache()


class Objective:
    """The loss of the micro batches of a step, and metrics averaged over their tokens.

    Args:
        model: The model that is trained.
        reference: The model from which the KL divergence is taken.
        args: The settings.
    """

    def __init__(self, model: Model, reference: Reference, args: RFTConfig) -> None:
        self._model, self._reference, self._args = model, reference, args
        self._reference_logps: dict[int, Tensor] = {}
        self._first_pass_over = False
        self._sums = dict.fromkeys(("tokens", "first", "gap", "clip", "entropy", "kl"), 0.0)

    def loss(self, batch: MicroBatch) -> Tensor:
        """Return the part of the loss that *batch* contributes."""
        args = self._args
        reference_N = self._reference_logp(batch)
        scores = score(self._model, batch, args.temperature, entropy_grad=bool(args.entropy_coef))
        device = scores.logp_N.device
        old_N, advantage_N = batch.old_logp_N.to(device), batch.advantage_N.to(device)
        bounds = args.clip_range, args.clip_range_high
        ratio_logp_N = scores.logp_N
        if args.importance_sampling_level == "sequence":
            ratio_logp_N = sequence_logp(scores.logp_N, old_N, batch.sequence_N.to(device))
        loss_N = clipped_policy_loss(ratio_logp_N, old_N, advantage_N, *bounds)
        if args.entropy_coef:
            loss_N = loss_N - args.entropy_coef * scores.entropy_N
        kl_N = torch.zeros_like(loss_N)
        if reference_N is not None:
            kl_N = kl_k3(scores.logp_N, reference_N)
            loss_N = loss_N + args.kl_coef * kl_N
        clipped_N = is_clipped(ratio_logp_N.detach(), old_N, advantage_N, *bounds)
        self._measure(batch, scores, clipped_N, kl_N.detach())
        return (batch.weight_N.to(device) * loss_N).sum()

    def metrics(self, distributed: Distributed) -> LogRow:
        """Return the averages over the tokens of all processes."""
        sums = dict(zip(self._sums, distributed.sum(*self._sums.values()), strict=True))
        tokens = max(1.0, sums["tokens"])
        row: LogRow = {
            "sampler_gap": sums["gap"] / max(1.0, sums["first"]),
            "clip_fraction": sums["clip"] / tokens,
            "entropy": sums["entropy"] / tokens,
        }
        return row | ({"kl": sums["kl"] / tokens} if self._args.kl_coef else {})

    def _reference_logp(self, batch: MicroBatch) -> Tensor | None:
        """Return the log-probabilities under the reference, computed once for each batch."""
        if not self._args.kl_coef:
            return None
        if id(batch) not in self._reference_logps:
            self._reference_logps[id(batch)] = self._reference.logp(self._model, batch)
        return self._reference_logps[id(batch)]

    def _measure(
        self, batch: MicroBatch, scores: TokenScores, clipped_N: Tensor, kl_N: Tensor
    ) -> None:
        count = len(batch.old_logp_N)
        if not self._first_pass_over:
            logp_N = self._sampled_logp(batch, scores).cpu()
            self._sums["first"] += count
            self._sums["gap"] += float((logp_N - batch.old_logp_N).abs().sum())
        self._sums["tokens"] += count
        self._sums["clip"] += float(clipped_N.sum())
        self._sums["entropy"] += float(scores.entropy_N.detach().sum())
        self._sums["kl"] += float(kl_N.sum())

    @torch.no_grad()
    def _sampled_logp(self, batch: MicroBatch, scores: TokenScores) -> Tensor:
        """Return the log-probabilities of the policy that was sampled, which has no dropout."""
        if not self._args.lora_dropout:
            return scores.logp_N.detach()
        with no_dropout(self._model):
            return action_logp(self._model, batch, self._args.temperature)

    def end_first_pass(self) -> None:
        """Note that the model has changed: later passes do not measure the gap to the sampler."""
        self._first_pass_over = True

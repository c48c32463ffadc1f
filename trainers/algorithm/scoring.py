"""From micro batches to the log-probabilities of their sampled tokens.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row, ``_N`` sampled tokens of all sequences, ``_U``
the different places after which they were sampled, ``_V`` vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agentgym_gen.trainers.algorithm.losses import entropy
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.packing.micro_batches import MicroBatch
from agentgym_gen.trainers.packing.prefix_tree import tree_mask


@dataclass(frozen=True)
class TokenScores:
    """The scores of the sampled tokens of a batch under a model, sequence by sequence."""

    logp_N: Tensor
    """The log-probability of each."""
    entropy_N: Tensor
    """The entropy, in nats, of the distribution it was sampled from."""


def score(
    model: Model, batch: MicroBatch, temperature: float = 1.0, *, entropy_grad: bool = False
) -> TokenScores:
    """Return the scores of every sampled token under *model*, sequence by sequence.

    Logits are computed at sampled tokens only, where the model has a separate output layer.

    Args:
        model: A causal language model.
        batch: The rows.
        temperature: The temperature at which the tokens were sampled.
        entropy_grad: Whether the entropy is to be differentiated.
    """
    device = next(model.parameters()).device
    # Sequences that share a prefix have sampled tokens after the same place: its logits, which are
    # as wide as the vocabulary, are computed once, and `which_N` refers to them.
    before_U, which_N = torch.unique(batch.before_N.to(device), return_inverse=True)
    target_N = batch.ids_BT.to(device).flatten()[batch.sampled_N.to(device)]
    logits_UV = _logits_at(model, batch, before_U).float() / temperature
    logp_N = logits_UV[which_N, target_N] - logits_UV.logsumexp(dim=-1)[which_N]
    with torch.set_grad_enabled(entropy_grad and torch.is_grad_enabled()):
        entropy_N = entropy(logits_UV)[which_N]
    return TokenScores(logp_N, entropy_N)


def action_logp(model: Model, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """Return the log-probability ``logp_N`` of every sampled token, sequence by sequence."""
    return score(model, batch, temperature).logp_N


def _logits_at(model: Model, batch: MicroBatch, place_U: Tensor) -> Tensor:
    """Return the logits ``_UV`` at the places *place_U* only.

    A hook gives the output layer the hidden states of these places alone, as one long row. What a
    model does with logits afterwards, such as scaling, treats each number by itself, so that the
    shape does not matter.
    """

    def select(_: object, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0].flatten(0, 1)[place_U][None],)

    # Padding is on the right, where no token attends to it: rows of one sequence need no mask.
    attention: dict[str, Tensor] = {}
    if batch.branches:
        weight = next(model.parameters())
        end_BT, depth_BT = batch.end_BT.to(weight.device), batch.depth_BT.to(weight.device)
        attention = {"attention_mask": tree_mask(end_BT, weight.dtype), "position_ids": depth_BT}
    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(select) if head is not None else None
    try:
        logits: Tensor = model(
            input_ids=batch.ids_BT.to(place_U.device), use_cache=False, **attention
        ).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits.flatten(0, 1)[place_U] if hook is None else logits[0]

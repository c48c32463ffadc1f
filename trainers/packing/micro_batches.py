# ruff: noqa: N803, N806, N815
# The capitals name the axes of an array.
"""From token sequences to micro batches, and from these to log-probabilities.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row, ``_N`` sampled tokens of all sequences, ``_U``
the places that they were drawn after, ``_V`` vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from agentgym_gen.agents.trajectory import TokenSequence
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.algorithm.losses import entropy
from agentgym_gen.trainers.packing.prefix_tree import PrefixTree, pack_rows, tree_mask

MAX_LENGTH_RATIO = 1.5
"""No row of a micro batch is this many times longer than another: the rest would be padding."""


@dataclass(frozen=True)
class Sample:
    """One token sequence and what is learnt from it."""

    sequence: TokenSequence
    """The tokens."""
    advantages: tuple[float, ...] = ()
    """The advantage of each turn of it that has sampled tokens, in order; empty means 1."""
    weight: float = 1.0
    """How much each of its sampled tokens counts."""


@dataclass(frozen=True)
class MicroBatch:
    """Rows that go through the model at once, padded on the right.

    A row is a sequence, or several that share their beginning (`agentgym_gen.trainers.packing.prefix_tree`).
    Places are counted over all rows.
    """

    ids_BT: Tensor
    """The tokens."""
    depth_BT: Tensor
    """How many tokens are before each in its sequence."""
    end_BT: Tensor
    """The place in the row that is the first not to see each token."""
    branches: bool
    """Whether some row is more than one sequence."""
    tokens: int
    """The number of tokens, padding not included."""
    sampled_N: Tensor
    """The places of the sampled tokens, sequence by sequence."""
    before_N: Tensor
    """The place before each of them in its sequence."""
    old_logp_N: Tensor
    """The log-probability with which each sampled token was drawn."""
    advantage_N: Tensor
    """The advantage of each sampled token."""
    weight_N: Tensor
    """The weight of each sampled token."""

    @property
    def size(self) -> int:
        """The number of tokens, padding included."""
        return self.ids_BT.numel()


def pack(
    samples: Sequence[Sample], budget: int, pad_id: int, *, tree_attention: bool = True
) -> list[MicroBatch]:
    """Return *samples* as micro batches of rows of similar lengths.

    Args:
        samples: What is learnt from.
        budget: How many tokens a batch may have, padding included; a longer row is a batch of its
            own.
        pad_id: The token at padding.
        branching: Whether samples that begin alike share a row.

    Raises:
        InvalidValueError: if a sequence has no sampled token or begins with one.
    """
    for sample in samples:
        mask = sample.sequence.action_mask
        if not any(mask) or mask[0]:
            raise InvalidValueError("A sequence to learn from is a context and sampled tokens")
    rows = [
        _PackedRow(tree, [samples[number] for number in numbers])
        for tree, numbers in pack_rows([one.sequence.ids for one in samples], tree_attention=tree_attention)
    ]
    return [_stack(some, pad_id) for some in _batches(rows, budget)]


class _PackedRow(NamedTuple):
    tree: PrefixTree
    samples: list[Sample]


def _batches(rows: Sequence[_PackedRow], budget: int) -> Iterator[list[_PackedRow]]:
    batch: list[_PackedRow] = []
    for row in sorted(rows, key=lambda row: (row.tree.is_branched, len(row.tree.ids))):
        length = len(row.tree.ids)
        full = (len(batch) + 1) * length > budget
        other = batch and row.tree.is_branched != batch[0].tree.is_branched
        if batch and (full or other or length > MAX_LENGTH_RATIO * len(batch[0].tree.ids)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _stack(rows: Sequence[_PackedRow], pad_id: int) -> MicroBatch:
    width = max(len(row.tree.ids) for row in rows)
    shape = len(rows), width
    ids_BT = torch.full(shape, pad_id)
    depth_BT = torch.zeros(shape, dtype=torch.long)
    end_BT = torch.arange(1, width + 1).repeat(len(rows), 1)  # padding sees itself
    sampled: list[int] = []
    before: list[int] = []
    for number, (tree, samples) in enumerate(rows):
        length = len(tree.ids)
        ids_BT[number, :length] = torch.tensor(tree.ids)
        depth_BT[number, :length] = torch.tensor(tree.depths)
        end_BT[number, :length] = torch.tensor(tree.ends)
        for path, sample in zip(tree.paths, samples, strict=True):
            acted = [place for place, act in enumerate(sample.sequence.action_mask) if act]
            sampled += [number * width + path[place] for place in acted]
            before += [number * width + path[place - 1] for place in acted]
    every = [sample for row in rows for sample in row.samples]
    counts = [sum(sample.sequence.action_mask) for sample in every]
    old_logp = [
        logp
        for sample in every
        for logp, act in zip(sample.sequence.logprobs, sample.sequence.action_mask, strict=True)
        if act
    ]
    return MicroBatch(
        ids_BT=ids_BT,
        depth_BT=depth_BT,
        end_BT=end_BT,
        branches=rows[0].tree.is_branched,
        tokens=sum(len(row.tree.ids) for row in rows),
        sampled_N=torch.tensor(sampled),
        before_N=torch.tensor(before),
        old_logp_N=torch.tensor(old_logp),
        advantage_N=torch.tensor([each for sample in every for each in _per_token(sample)]),
        weight_N=torch.tensor([one.weight for one in every]).repeat_interleave(
            torch.tensor(counts)
        ),
    )


def _per_token(sample: Sample) -> Iterator[float]:
    """Yield the advantage of each sampled token."""
    acted = [
        turn
        for turn, act in zip(sample.sequence.turns, sample.sequence.action_mask, strict=True)
        if act
    ]
    turns = list(dict.fromkeys(acted))
    of_turn = dict(zip(turns, sample.advantages or [1.0] * len(turns), strict=True))
    for turn in acted:
        yield of_turn[turn]


@dataclass(frozen=True)
class Scores:
    """What a model says of the sampled tokens of a batch, sequence by sequence."""

    logp_N: Tensor
    """The log-probability of each."""
    entropy_N: Tensor
    """The entropy of the distribution it was drawn from, in nats."""


def score(
    model: Model, batch: MicroBatch, temperature: float = 1.0, *, entropy_grad: bool = False
) -> Scores:
    """Return what *model* says of every sampled token, sequence by sequence.

    Logits are computed at sampled tokens only, where the model has a separate output layer.

    Args:
        model: A causal language model.
        batch: The rows.
        temperature: The one at which the tokens were drawn.
        entropy_grad: Whether the entropy is to be differentiated.
    """
    device = next(model.parameters()).device
    # Samples that say different things after the same, or the same, share the logits there.
    before_U, which_N = torch.unique(batch.before_N.to(device), return_inverse=True)
    target_N = batch.ids_BT.to(device).flatten()[batch.sampled_N.to(device)]
    logits_UV = _logits_at(model, batch, before_U).float() / temperature
    logp_N = logits_UV[which_N, target_N] - logits_UV.logsumexp(dim=-1)[which_N]
    with torch.set_grad_enabled(entropy_grad and torch.is_grad_enabled()):
        entropy_N = entropy(logits_UV)[which_N]
    return Scores(logp_N, entropy_N)


def action_logp(model: Model, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """Return the log-probability ``logp_N`` of every sampled token, sequence by sequence."""
    return score(model, batch, temperature).logp_N


def _logits_at(model: Model, batch: MicroBatch, place_U: Tensor) -> Tensor:
    """Return the logits ``_UV`` at some places only.

    The output layer is made to see the hidden states of these places alone, as one long row; what
    a model does with logits after it, such as scaling, goes by element.
    """

    def pick(_: object, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0].flatten(0, 1)[place_U][None],)

    # Padding is on the right, where no token sees it: rows that are sequences need no mask.
    seen: dict[str, Tensor] = {}
    if batch.branches:
        first = next(model.parameters())
        end_BT, depth_BT = batch.end_BT.to(first.device), batch.depth_BT.to(first.device)
        seen = {"attention_mask": tree_mask(end_BT, first.dtype), "position_ids": depth_BT}
    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(pick) if head is not None else None
    try:
        logits: Tensor = model(
            input_ids=batch.ids_BT.to(place_U.device), use_cache=False, **seen
        ).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits.flatten(0, 1)[place_U] if hook is None else logits[0]


def keeps_logits(model: Model) -> bool:
    """Return whether *model* can be asked for the logits of some columns only."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(base.forward).parameters

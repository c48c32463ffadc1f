# ruff: noqa: N803, N806, N815
# The capitals name the axes of an array.
"""From token sequences to padded micro batches, and from these to log-probabilities.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row, ``_N`` sampled tokens of all rows, ``_V``
vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.handles import Model
from agentgym_gen.trainers.losses import entropy
from agentgym_gen.trajectory import TokenSequence

WIDEST = 1.5
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
    """Rows that go through the model at once, padded on the right."""

    ids_BT: Tensor
    """The tokens."""
    live_BT: Tensor
    """1 at tokens, 0 at padding."""
    action_BT: Tensor
    """True exactly at sampled tokens."""
    old_logp_N: Tensor
    """The log-probability with which each sampled token was drawn, row by row."""
    advantage_N: Tensor
    """The advantage of each sampled token."""
    weight_N: Tensor
    """The weight of each sampled token."""

    @property
    def size(self) -> int:
        """The number of tokens, padding included."""
        return self.ids_BT.numel()


def merge(samples: Iterable[Sample]) -> list[Sample]:
    """Return *samples* with those of equal tokens made one, whose weights are added.

    Where every turn is a sequence of its own, the episodes of one task pass the same states. As
    long as the probability ratio is inside its range, the loss is the same as that of the single
    samples.
    """
    merged: dict[tuple[tuple[int, ...], tuple[bool, ...]], Sample] = {}
    for sample in samples:
        key = sample.sequence.ids, sample.sequence.action_mask
        known = merged.get(key)
        if known is None:
            merged[key] = sample
            continue
        weight = known.weight + sample.weight
        means = tuple(
            (mine * known.weight + theirs * sample.weight) / weight
            for mine, theirs in zip(known.advantages, sample.advantages, strict=True)
        )
        merged[key] = replace(known, advantages=means, weight=weight)
    return list(merged.values())


def pack(samples: Sequence[Sample], budget: int, pad_id: int) -> list[MicroBatch]:
    """Return *samples* as micro batches of similar lengths.

    Args:
        samples: What is learnt from.
        budget: How many tokens a batch may have, padding included; a longer sequence is a batch
            of its own.
        pad_id: The token at padding.

    Raises:
        InvalidValueError: if a sequence has no sampled token or begins with one.
    """
    for sample in samples:
        mask = sample.sequence.action_mask
        if not any(mask) or mask[0]:
            raise InvalidValueError("A sequence to learn from is a context and sampled tokens")
    return [_stack(rows, pad_id) for rows in _rows(samples, budget)]


def _rows(samples: Sequence[Sample], budget: int) -> Iterator[list[Sample]]:
    rows: list[Sample] = []
    for sample in sorted(samples, key=lambda sample: len(sample.sequence.ids)):
        length = len(sample.sequence.ids)
        full = (len(rows) + 1) * length > budget
        if rows and (full or length > WIDEST * len(rows[0].sequence.ids)):
            yield rows
            rows = []
        rows.append(sample)
    if rows:
        yield rows


def _stack(rows: Sequence[Sample], pad_id: int) -> MicroBatch:
    width = max(len(row.sequence.ids) for row in rows)
    ids_BT = torch.full((len(rows), width), pad_id)
    live_BT = torch.zeros((len(rows), width), dtype=torch.long)
    action_BT = torch.zeros((len(rows), width), dtype=torch.bool)
    for number, row in enumerate(rows):
        length = len(row.sequence.ids)
        ids_BT[number, :length] = torch.tensor(row.sequence.ids)
        live_BT[number, :length] = 1
        action_BT[number, :length] = torch.tensor(row.sequence.action_mask)
    counts = action_BT.sum(dim=1)
    old_logp = [
        logp
        for row in rows
        for logp, acted in zip(row.sequence.logprobs, row.sequence.action_mask, strict=True)
        if acted
    ]
    return MicroBatch(
        ids_BT=ids_BT,
        live_BT=live_BT,
        action_BT=action_BT,
        old_logp_N=torch.tensor(old_logp),
        advantage_N=torch.tensor([each for row in rows for each in _per_token(row)]),
        weight_N=torch.tensor([row.weight for row in rows]).repeat_interleave(counts),
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
    """What a model says of the sampled tokens of a batch, row by row."""

    logp_N: Tensor
    """The log-probability of each."""
    entropy_N: Tensor
    """The entropy of the distribution it was drawn from, in nats."""


def score(
    model: Model, batch: MicroBatch, temperature: float = 1.0, *, entropy_grad: bool = False
) -> Scores:
    """Return what *model* says of every sampled token, row by row.

    Logits are computed at sampled tokens only, where the model has a separate output layer.

    Args:
        model: A causal language model.
        batch: The rows.
        temperature: The one at which the tokens were drawn.
        entropy_grad: Whether the entropy is to be differentiated.
    """
    device = next(model.parameters()).device
    ids_BT, action_BT = batch.ids_BT.to(device), batch.action_BT.to(device)
    before_BT = torch.zeros_like(action_BT)
    before_BT[:, :-1] = action_BT[:, 1:]
    target_N = ids_BT[action_BT]
    logits_NV = _logits_at(model, ids_BT, batch.live_BT.to(device), before_BT)
    logits_NV = logits_NV.float() / temperature
    logp_N = logits_NV.gather(1, target_N[:, None]).squeeze(1) - logits_NV.logsumexp(dim=-1)
    with torch.set_grad_enabled(entropy_grad and torch.is_grad_enabled()):
        entropy_N = entropy(logits_NV)
    return Scores(logp_N, entropy_N)


def action_logp(model: Model, batch: MicroBatch, temperature: float = 1.0) -> Tensor:
    """Return the log-probability ``logp_N`` of every sampled token, row by row."""
    return score(model, batch, temperature).logp_N


def _logits_at(model: Model, ids_BT: Tensor, live_BT: Tensor, chosen_BT: Tensor) -> Tensor:
    """Return the logits ``_NV`` at the chosen places only.

    The output layer is made to see the hidden states of these places alone, as one long row; what
    a model does with logits after it, such as scaling, goes by element.
    """

    def pick(_: object, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0][chosen_BT][None],)

    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(pick) if head is not None else None
    try:
        logits: Tensor = model(input_ids=ids_BT, attention_mask=live_BT, use_cache=False).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits[chosen_BT] if hook is None else logits[0]


def keeps_logits(model: Model) -> bool:
    """Return whether *model* can be asked for the logits of some columns only."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(base.forward).parameters

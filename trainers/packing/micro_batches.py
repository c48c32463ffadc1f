"""From token sequences to micro batches: rows of similar lengths, several sequences in a row.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row, ``_N`` sampled tokens of all sequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from agentgym_gen.agents.trajectory import TokenSequence
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.packing.prefix_tree import PrefixTree, pack_rows

MAX_LENGTH_RATIO = 1.5
"""In a batch, no row is longer than another by more than this factor, to save padding."""


@dataclass(frozen=True)
class Sample:
    """One token sequence with the advantages and the weight of its sampled tokens."""

    sequence: TokenSequence
    """The tokens."""
    advantages: tuple[float, ...] = ()
    """The advantage of each turn that has sampled tokens, in order; empty means 1 for all."""
    weight: float = 1.0
    """The weight of each of its sampled tokens."""


@dataclass(frozen=True)
class MicroBatch:
    """Rows that go through the model at once, padded on the right.

    A row is a sequence, or several that share a prefix (`PrefixTree`). Places are counted over all
    rows, as in the flattened array.
    """

    ids_BT: Tensor
    """The tokens."""
    depth_BT: Tensor
    """How many tokens are before each in its sequence."""
    end_BT: Tensor
    """The end of the interval that attends to each token, as a place in its row."""
    branches: bool
    """Whether some row holds more than one sequence."""
    tokens: int
    """The number of tokens, padding not included."""
    sampled_N: Tensor
    """The places of the sampled tokens, sequence by sequence."""
    before_N: Tensor
    """The place before each of them in its sequence."""
    old_logp_N: Tensor
    """The log-probability with which each token was sampled."""
    advantage_N: Tensor
    """The advantage of each sampled token."""
    weight_N: Tensor
    """The weight of each sampled token."""
    sequence_N: Tensor
    """The number of the sequence of each sampled token, from 0."""

    @property
    def size(self) -> int:
        """The number of tokens, padding included."""
        return self.ids_BT.numel()


def pack(
    samples: Sequence[Sample], budget: int, pad_id: int, *, tree_attention: bool = True
) -> list[MicroBatch]:
    """Return *samples* as micro batches of rows of similar lengths.

    Args:
        samples: The sequences.
        budget: How many tokens a batch may have, padding included; a longer row is a batch of its
            own.
        pad_id: The token at padding.
        tree_attention: Whether samples that share a prefix share a row.

    Raises:
        InvalidValueError: if a sequence has no sampled token or begins with one.
    """
    for sample in samples:
        mask = sample.sequence.action_mask
        if not any(mask) or mask[0]:
            raise InvalidValueError("A sequence to learn from is a context and sampled tokens")
    sequences = [sample.sequence.ids for sample in samples]
    rows = [
        _PackedRow(tree, [samples[number] for number in numbers])
        for tree, numbers in pack_rows(sequences, tree_attention=tree_attention)
    ]
    return [_stack(batch, pad_id) for batch in _batches(rows, budget)]


def fill_up(batches: Sequence[MicroBatch], multiple: int, pad_id: int) -> list[MicroBatch]:
    """Return *batches* and, up to a multiple of so many, batches without a sampled token.

    Their loss and its gradient are 0. Where weights are divided among processes, each process has
    to make as many passes as the others.
    """
    missing = -len(batches) % multiple
    return [*batches, *(_without_samples(pad_id) for _ in range(missing))]


def _without_samples(pad_id: int) -> MicroBatch:
    places = torch.zeros(0, dtype=torch.long)
    return MicroBatch(
        ids_BT=torch.full((1, 1), pad_id),
        depth_BT=torch.zeros((1, 1), dtype=torch.long),
        end_BT=torch.ones((1, 1), dtype=torch.long),
        branches=False,
        tokens=0,
        sampled_N=places,
        before_N=places,
        old_logp_N=torch.zeros(0),
        advantage_N=torch.zeros(0),
        weight_N=torch.zeros(0),
        sequence_N=places,
    )


class _PackedRow(NamedTuple):
    """A row of a batch."""

    tree: PrefixTree
    """Its tokens."""
    samples: list[Sample]
    """The sequences that it holds, in the order of `PrefixTree.paths`."""


def _batches(rows: Sequence[_PackedRow], budget: int) -> Iterator[list[_PackedRow]]:
    """Yield the rows that make up each batch: a batch of n rows has n x its longest row tokens."""
    batch: list[_PackedRow] = []
    # The shortest first, so that the row to be added is the longest of its batch.
    for row in sorted(rows, key=lambda row: (row.tree.is_branched, len(row.tree.ids))):
        length = len(row.tree.ids)
        full = (len(batch) + 1) * length > budget
        # rows that need a mask are kept apart from those that do not
        other_kind = batch and row.tree.is_branched != batch[0].tree.is_branched
        if batch and (full or other_kind or length > MAX_LENGTH_RATIO * len(batch[0].tree.ids)):
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
    end_BT = torch.arange(1, width + 1).repeat(len(rows), 1)  # padding attends to itself
    sampled: list[int] = []
    before: list[int] = []
    for number, (tree, samples) in enumerate(rows):
        length = len(tree.ids)
        ids_BT[number, :length] = torch.tensor(tree.ids)
        depth_BT[number, :length] = torch.tensor(tree.depths)
        end_BT[number, :length] = torch.tensor(tree.ends)
        first = number * width  # of the row, in the flattened array
        for path, sample in zip(tree.paths, samples, strict=True):
            actions = [n for n, is_action in enumerate(sample.sequence.action_mask) if is_action]
            sampled += [first + path[n] for n in actions]
            # the parent in the tree, which is not always the neighbour in the row
            before += [first + path[n - 1] for n in actions]
    all_samples = [sample for row in rows for sample in row.samples]
    counts = [sum(sample.sequence.action_mask) for sample in all_samples]
    old_logp = [
        logp
        for sample in all_samples
        for logp, is_action in zip(
            sample.sequence.logprobs, sample.sequence.action_mask, strict=True
        )
        if is_action
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
        advantage_N=torch.tensor(
            [advantage for sample in all_samples for advantage in _token_advantages(sample)]
        ),
        weight_N=torch.tensor([sample.weight for sample in all_samples]).repeat_interleave(
            torch.tensor(counts)
        ),
        sequence_N=torch.arange(len(counts)).repeat_interleave(torch.tensor(counts)),
    )


def _token_advantages(sample: Sample) -> Iterator[float]:
    """Yield the advantage of each sampled token, which is that of its turn."""
    turn_of_token = [
        turn
        for turn, is_action in zip(sample.sequence.turns, sample.sequence.action_mask, strict=True)
        if is_action
    ]
    turns = list(dict.fromkeys(turn_of_token))
    by_turn = dict(zip(turns, sample.advantages or [1.0] * len(turns), strict=True))
    for turn in turn_of_token:
        yield by_turn[turn]

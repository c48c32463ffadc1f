# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""Token sequences that begin alike, laid out in rows so that what they share is computed once.

The turns of an episode that starts a new sequence at each turn begin with the same goal, and the
episodes of a group pass the same states and answer differently. Such sequences are the branches of
a tree, whose nodes are tokens; a row holds it depth first. A token sees those above it and itself,
which are the ones before it whose branches have not ended: that is a mask, and a token's position
is its depth. What a model says at a node is what it would say after that branch alone.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from agentgym_gen.trainers.models.types import Model

MAX_ROW_RATIO = 2.5
"""A row is at most this many times as long as its longest sequence: what a token does not see is
computed and thrown away."""

MIN_SHARED = 0.5
"""What a sequence shares with the row, at least, to be a branch of it."""


class PrefixTree:
    """A row that is being filled with sequences, in the order of their tokens.

    Args:
        ids: The tokens of the first sequence.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids: list[int] = []
        """The tokens of the row."""
        self.depths: list[int] = []
        """How many tokens are above each."""
        self.ends: list[int] = []
        """Where the branches of each end: the first place that does not see it, if any."""
        self.paths: list[list[int]] = []
        """The places of the tokens of each sequence."""
        self._last: Sequence[int] = ()
        self._longest = 0
        self._append(ids, 0)

    @property
    def is_branched(self) -> bool:
        """Whether it is more than one sequence."""
        return self.depths[-1] + 1 < len(self.ids)

    def add(self, ids: Sequence[int]) -> bool:
        """Add a sequence that comes after the others in order, and return whether it belongs."""
        shared = _common(self._last, ids)
        longest = max(self._longest, len(ids))
        wide = len(self.ids) + len(ids) - shared
        if shared < MIN_SHARED * len(ids) or wide > MAX_ROW_RATIO * longest:
            return False
        self._append(ids, shared)
        return True

    def _append(self, ids: Sequence[int], shared: int) -> None:
        start = len(self.ids)
        before = self.paths[-1] if self.paths else []
        for place in before[shared:]:
            self.ends[place] = start
        new = len(ids) - shared
        self.ids += ids[shared:]
        self.depths += range(shared, len(ids))
        self.paths.append([*before[:shared], *range(start, start + new)])
        end = len(self.ids)
        self.ends += [end] * new
        for place in before[:shared]:
            self.ends[place] = end
        self._last, self._longest = ids, max(self._longest, len(ids))


def pack_rows(
    sequences: Sequence[tuple[int, ...]], *, tree_attention: bool
) -> Iterator[tuple[PrefixTree, list[int]]]:
    """Yield rows with all *sequences*, each with the numbers of those in it.

    Args:
        sequences: Their tokens.
        branching: Whether a row may hold several.
    """
    order = sorted(range(len(sequences)), key=lambda number: sequences[number])
    tree: PrefixTree | None = None
    numbers: list[int] = []
    for number in order:
        if tree is not None and tree_attention and tree.add(sequences[number]):
            numbers.append(number)
            continue
        if tree is not None:
            yield tree, numbers
        tree, numbers = PrefixTree(sequences[number]), [number]
    if tree is not None:
        yield tree, numbers


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common at the beginning."""
    number = 0
    for mine, theirs in zip(first, second, strict=False):
        if mine != theirs:
            break
        number += 1
    return number


def tree_mask(ends_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what each token sees, as the additive mask ``_B1TT`` that models take."""
    place_T = torch.arange(ends_BT.shape[1], device=ends_BT.device)
    earlier_TT = place_T <= place_T[:, None]
    mask_BTT = torch.zeros((*ends_BT.shape, ends_BT.shape[1]), dtype=dtype, device=ends_BT.device)
    open_BTT = place_T[:, None] < ends_BT[:, None, :]
    mask_BTT.masked_fill_(~(earlier_TT & open_BTT), torch.finfo(dtype).min)
    return mask_BTT[:, None]


@torch.no_grad()
def supports_tree_attention(model: Model) -> bool:
    """Return whether *model* heeds masks and positions: tried with two sequences of three tokens.

    Some kinds of attention take no mask, and some layers have a memory in place of attention.
    """
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if kinds or getattr(config, "_attn_implementation", None) not in ("eager", "sdpa"):
        return False
    weight = next(model.parameters())
    first, second = [1, 2, 3], [1, 2, 4]
    tree = PrefixTree(first)
    tree.add(second)

    def last(ids: list[int], **extra: Tensor) -> Tensor:
        told = torch.tensor([ids], device=weight.device)
        logits: Tensor = model(input_ids=told, use_cache=False, **extra).logits[0, -1]
        return logits.float()

    ends_BT = torch.tensor([tree.ends], device=weight.device)
    depths_BT = torch.tensor([tree.depths], device=weight.device)
    right, wrong = last(second), last([1, 2, 3, 4])
    found = last(tree.ids, attention_mask=tree_mask(ends_BT, weight.dtype), position_ids=depths_BT)
    return float((found - right).norm()) < 0.1 * float((wrong - right).norm())

"""Token sequences that begin alike, packed into rows so that a shared prefix is computed once.

The turns of an episode that starts a new sequence at each turn begin with the same goal, and the
episodes of a group pass the same states and answer differently. Such sequences form a tree, whose
nodes are tokens. A row holds the tree in depth-first order. A mask lets a token attend to its
ancestors and itself, and its position is its depth. So a model gives at each node the logits that
it would give after that sequence alone.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from agentgym_gen.trainers.models.checks.windows import attention_windows
from agentgym_gen.trainers.models.types import Model

MAX_ROW_RATIO = 2.5
"""A row is at most this many times as long as its longest sequence, because attention is computed
between all tokens of a row and the masked part is wasted."""

MIN_SHARED = 0.5
"""A sequence joins a row if at least this share of it is a prefix that the row has already."""


class PrefixTree:
    """A row that is filled with sequences, in the sorted order of their tokens.

    In depth-first order all descendants of a token follow it at once, and nothing else is between
    them. So the tokens that attend to it are an interval, which one number describes: its end.

    Args:
        ids: The tokens of the first sequence.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids: list[int] = []
        """The tokens of the row."""
        self.depths: list[int] = []
        """How many ancestors each token has."""
        self.ends: list[int] = []
        """The end of the interval that attends to each token: after its last descendant."""
        self.paths: list[list[int]] = []
        """The places of the tokens of each sequence."""
        self._last: Sequence[int] = ()
        self._longest = 0
        self._append(ids, 0)

    @property
    def is_branched(self) -> bool:
        """Whether the row holds more than one sequence."""
        return self.depths[-1] + 1 < len(self.ids)

    def add(self, ids: Sequence[int]) -> bool:
        """Add a sequence that is not sorted before the last one; return whether it was accepted."""
        shared = _common_prefix(self._last, ids)
        longest = max(self._longest, len(ids))
        length = len(self.ids) + len(ids) - shared
        if shared < MIN_SHARED * len(ids) or length > MAX_ROW_RATIO * longest:
            return False
        self._append(ids, shared)
        return True

    def _append(self, ids: Sequence[int], shared: int) -> None:
        """Add *ids*, whose first *shared* tokens are those of the last sequence.

        Sorted sequences share most with their neighbour, so comparing with the last one is enough.
        """
        start = len(self.ids)
        last_path = self.paths[-1] if self.paths else []
        for place in last_path[shared:]:
            self.ends[place] = start  # the branch that is left is complete
        new = len(ids) - shared
        self.ids += ids[shared:]
        self.depths += range(shared, len(ids))
        self.paths.append([*last_path[:shared], *range(start, start + new)])
        end = len(self.ids)
        self.ends += [end] * new
        for place in last_path[:shared]:
            self.ends[place] = end  # the shared tokens have new descendants
        self._last, self._longest = ids, max(self._longest, len(ids))


def pack_rows(
    sequences: Sequence[tuple[int, ...]], *, tree_attention: bool
) -> Iterator[tuple[PrefixTree, list[int]]]:
    """Yield rows that hold all *sequences*, each with the numbers of its sequences.

    Args:
        sequences: Their tokens.
        tree_attention: Whether a row may hold several.
    """
    # sorted, sequences with the same prefix are neighbours
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


def _common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the length of the prefix that two sequences share."""
    length = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        length += 1
    return length


def tree_mask(ends_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the additive mask ``_B1TT`` that lets each token attend to its ancestors and itself.

    Those are the earlier tokens whose interval (`PrefixTree.ends`) has not ended at the token.
    """
    place_T = torch.arange(ends_BT.shape[1], device=ends_BT.device)
    not_later_TT = place_T <= place_T[:, None]
    mask_BTT = torch.zeros((*ends_BT.shape, ends_BT.shape[1]), dtype=dtype, device=ends_BT.device)
    not_ended_BTT = place_T[:, None] < ends_BT[:, None, :]
    mask_BTT.masked_fill_(~(not_later_TT & not_ended_BTT), torch.finfo(dtype).min)
    return mask_BTT[:, None]


@torch.no_grad()
def supports_tree_attention(model: Model) -> bool:
    """Return whether *model* obeys masks and positions: tried with two sequences of three tokens.

    Some kinds of attention take no mask, and some layers have another memory than attention. A
    window would count the tokens of other branches, so a model that may have one is not tried.
    """
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if getattr(config, "_attn_implementation", None) not in ("eager", "sdpa"):
        return False
    if kinds or attention_windows(model):
        return False
    try:
        return _obeys_masks(model)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # noqa: BLE001  (a model raises anything where it does not take our arguments)
        return False


def _obeys_masks(model: Model) -> bool:
    weight = next(model.parameters())
    first, second = [1, 2, 3], [1, 2, 4]
    tree = PrefixTree(first)
    tree.add(second)

    def last_logits(ids: list[int], **extra: Tensor) -> Tensor:
        ids_BT = torch.tensor([ids], device=weight.device)
        logits: Tensor = model(input_ids=ids_BT, use_cache=False, **extra).logits[0, -1]
        return logits.float()

    ends_BT = torch.tensor([tree.ends], device=weight.device)
    depths_BT = torch.tensor([tree.depths], device=weight.device)
    # the row is 1 2 3 4: with the mask it has to be 1 2 4, without it would be 1 2 3 4
    masked, unmasked = last_logits(second), last_logits([1, 2, 3, 4])
    logits = last_logits(
        tree.ids, attention_mask=tree_mask(ends_BT, weight.dtype), position_ids=depths_BT
    )
    return float((logits - masked).norm()) < 0.1 * float((unmasked - masked).norm())

# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""The contexts that were fed during a rollout, kept so that no context is computed twice.

Where every turn starts a sequence of its own, the episodes of a group pass the same states again
and again; and the first context of a group is the same in all its episodes.

Axes: ``_B`` contexts, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from agentgym_gen.trainers.handles import Model
from agentgym_gen.trainers.kvcache import GrowingCache, Seat

Ids = tuple[int, ...]


class Library:
    """Computed contexts: what the cache holds after each, and the logits of the next token.

    Args:
        model: A causal language model, whose weights stay as they are.
        pad_id: The token at padding.
        budget: How many tokens are kept; with more, all are dropped and computed anew.
    """

    def __init__(self, model: Model, pad_id: int, budget: int = 1 << 16) -> None:
        self._model = model
        self._pad_id = pad_id
        self._budget = budget
        self.clear()

    def clear(self) -> None:
        """Forget everything, as is necessary when the weights have changed."""
        self._seats: dict[Ids, Seat] = {}
        self._logits: dict[Ids, Tensor] = {}
        self._tokens = 0

    def open(self, contexts: Sequence[Ids]) -> tuple[list[Seat], Tensor]:
        """Return a row of a cache for each context, and the logits ``_BV`` after it."""
        if self._tokens > self._budget:
            self.clear()
        new = list(dict.fromkeys(ids for ids in contexts if ids not in self._seats))
        if new:
            cache = GrowingCache(self._model, len(new), shared=True)
            logits_BV = cache.extend(new, self._pad_id)
            for row, ids in enumerate(new):
                self._seats[ids] = Seat(cache, row)
                self.keep(ids, logits_BV[row])
        seats = [self._seats[ids] for ids in contexts]
        return seats, torch.stack([self._logits[ids] for ids in contexts])

    def keep(self, ids: Ids, logits_V: Tensor) -> None:
        """Remember what comes after a context and the tokens that were drawn after it."""
        self._logits[ids] = logits_V
        self._tokens += len(ids)

    def __contains__(self, ids: Ids) -> bool:
        """Return whether it is known what comes after *ids*."""
        return ids in self._logits

    def __getitem__(self, ids: Ids) -> Tensor:
        """Return the logits ``_V`` after *ids*."""
        return self._logits[ids]

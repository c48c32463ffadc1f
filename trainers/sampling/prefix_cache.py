# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""The contexts that were fed during a rollout, kept so that no context is computed twice.

Where every turn starts a sequence of its own, the episodes of a group pass the same states again
and again; and the first context of a group is the same in all its episodes. Contexts that begin
alike, with the same rules or the same goal, share what the cache holds of their beginning.

Axes: ``_B`` contexts, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.sampling.kv_cache import KVCache, CacheRow, extend_rows, copy_rows

Ids = tuple[int, ...]

BLOCK_SIZE = 16
"""Beginnings are shared in pieces of so many tokens."""

MAX_LENGTH_RATIO = 1.5
"""What is fed together is at most this many times as long as the shortest of it."""


class PrefixCache:
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
        self._rows: dict[Ids, CacheRow] = {}
        self._logits: dict[Ids, Tensor] = {}
        self._prefixes = _PrefixIndex()
        self._tokens = 0

    def prefill(self, contexts: Sequence[Ids]) -> tuple[list[CacheRow], Tensor]:
        """Return a row of a cache for each context, and the logits ``_BV`` after it."""
        if self._tokens > self._budget:
            self.clear()
        new = list(dict.fromkeys(ids for ids in contexts if ids not in self._rows))
        for some in self._batches(new):
            self._feed(some)
        seats = [self._rows[ids] for ids in contexts]
        return seats, torch.stack([self._logits[ids] for ids in contexts])

    def _batches(self, new: Sequence[Ids]) -> Iterator[list[tuple[Ids, int, CacheRow | None]]]:
        """Yield what is fed together: contexts, how much of each is known, and where it is."""
        found = [(ids, *self._prefixes.longest_prefix(ids)) for ids in new]
        found.sort(key=lambda one: (one[1] > 0, len(one[0]) - one[1]))
        batch: list[tuple[Ids, int, CacheRow | None]] = []
        for one in found:
            if batch and not _fit_together(batch[0], one):
                yield batch
                batch = []
            batch.append(one)
        if batch:
            yield batch

    def _feed(self, batch: Sequence[tuple[Ids, int, CacheRow | None]]) -> None:
        begun = [seat for _, _, seat in batch if seat is not None]
        if begun:
            seats = copy_rows(begun, [length for _, length, _ in batch])
        else:
            fresh = KVCache(self._model, len(batch))
            seats = [CacheRow(fresh, row) for row in range(len(batch))]
        rest = [ids[length:] for ids, length, _ in batch]
        seats, logits_BV = extend_rows(seats, rest, self._pad_id)
        seats[0].cache.shared = True
        for (ids, _, _), seat, logits_V in zip(batch, seats, logits_BV, strict=True):
            self._rows[ids] = seat
            self._prefixes.add(ids, seat)
            self.store_logits(ids, logits_V)

    def store_logits(self, ids: Ids, logits_V: Tensor) -> None:
        """Remember what comes after a context and the tokens that were drawn after it."""
        self._logits[ids] = logits_V
        self._tokens += len(ids)

    def __contains__(self, ids: Ids) -> bool:
        """Return whether it is known what comes after *ids*."""
        return ids in self._logits

    def __getitem__(self, ids: Ids) -> Tensor:
        """Return the logits ``_V`` after *ids*."""
        return self._logits[ids]


def _fit_together(one: tuple[Ids, int, CacheRow | None], other: tuple[Ids, int, CacheRow | None]) -> bool:
    """Return whether *other*, of which no less is new, is fed beside *one*."""
    fresh, more = (len(ids) - known for ids, known, _ in (one, other))
    return (one[1] > 0) == (other[1] > 0) and more <= MAX_LENGTH_RATIO * fresh


class _PrefixIndex:
    """Where the beginnings of contexts are held, as a tree of blocks of tokens."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, Ids], tuple[int, CacheRow]] = {}

    def longest_prefix(self, ids: Ids) -> tuple[int, CacheRow | None]:
        """Return how many of the tokens *ids*, not all of them, are held, and where."""
        node, seat, length = 0, None, 0
        while length + BLOCK_SIZE < len(ids):
            found = self._blocks.get((node, ids[length : length + BLOCK_SIZE]))
            if found is None:
                break
            node, seat = found
            length += BLOCK_SIZE
        return length, seat

    def add(self, ids: Ids, seat: CacheRow) -> None:
        """Take note that *ids* are held at *seat*."""
        node = 0
        for start in range(0, len(ids) - BLOCK_SIZE + 1, BLOCK_SIZE):
            key = (node, ids[start : start + BLOCK_SIZE])
            node, _ = self._blocks.setdefault(key, (len(self._blocks) + 1, seat))

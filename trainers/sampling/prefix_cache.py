"""The cache of shared prefixes: during a rollout, no context is computed twice.

Where every turn starts a sequence of its own, the episodes of a group pass the same states again
and again, and the first context of a group is the same in all its episodes. Contexts that begin
alike, with the same rules or the same goal, share the cached keys and values of that prefix.

Axes: ``_B`` contexts, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agentgym_gen.trainers.models.memory import return_freed_memory
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.sampling.kv_cache import CacheRow, KVCache, copy_rows, extend_rows

Ids = tuple[int, ...]

BLOCK_SIZE = 16
"""Prefixes are shared in blocks of so many tokens."""

MAX_BYTES = 1 << 30
"""How many bytes of keys and values are kept; of a model of 7 billion weights about 18,000 tokens,
of one of 135 million in single precision about 23,000."""

MAX_LOGITS_BYTES = 1 << 26
"""How many bytes of logits are kept: at 150,000 tokens in bfloat16, the last 220."""

MAX_BEGINNINGS = 16
"""How many shared beginnings are looked at: those that save the most tokens."""

MIN_SAVED = 256
"""A beginning is computed apart where that saves so many tokens: it costs a call of its own."""

MAX_LENGTH_RATIO = 1.5
"""In a batch, no context has more new tokens than the shortest by more than this factor."""


class PrefixCache:
    """Computed contexts: a cache row with each, and the logits of the token after it.

    Args:
        model: A causal language model, whose weights stay as they are.
        pad_id: The token at padding.
        max_bytes: How many bytes of keys and values are kept; beyond that, all are dropped but the
            beginnings that several contexts share.
        max_logits_bytes: How many bytes of logits are kept; beyond that, the oldest are dropped.
    """

    def __init__(
        self,
        model: Model,
        pad_id: int,
        max_bytes: int = MAX_BYTES,
        max_logits_bytes: int = MAX_LOGITS_BYTES,
    ) -> None:
        self._model = model
        self._pad_id = pad_id
        self._max_bytes, self._max_logits_bytes = max_bytes, max_logits_bytes
        self._forget()

    def clear(self) -> None:
        """Forget everything, as is necessary when the weights have changed."""
        self._forget()
        return_freed_memory()

    def _forget(self) -> None:
        self._rows: dict[Ids, CacheRow] = {}
        self._numbers: dict[Ids, int] = {}
        self._logits = _RecentLogits(self._max_logits_bytes)
        self._prefixes = _PrefixIndex()
        self._row_bytes = 0

    @property
    def bytes(self) -> int:
        """How much memory the keys, values and logits take."""
        return self._row_bytes + self._logits.bytes

    def prefill(self, contexts: Sequence[Ids]) -> tuple[list[CacheRow], Tensor]:
        """Return a cache row with each context, and the logits ``_BV`` after it."""
        if self._row_bytes > self._max_bytes:
            self._drop()
        logits: dict[Ids, Tensor] = {}
        for ids in contexts:
            cached_V = self.logits(ids) if ids in self._rows else None
            if cached_V is not None:
                logits[ids] = cached_V
        new = list(dict.fromkeys(ids for ids in contexts if ids not in logits))
        self._compute_beginnings(new)
        for batch in self._batches(new):
            logits |= self._compute(batch)
        rows = [self._rows[ids] for ids in contexts]
        return rows, torch.stack([logits[ids] for ids in contexts])

    def number(self, ids: Ids) -> int:
        """Return the number of a context, which stands for its tokens until all are dropped."""
        return self._numbers.setdefault(ids, len(self._numbers))

    def logits(self, ids: Ids, sampled: Ids = ()) -> Tensor | None:
        """Return the logits ``_V`` after a context and sampled tokens, if they are cached."""
        return self._logits.get((self.number(ids), sampled))

    def store_logits(self, ids: Ids, sampled: Ids, logits_V: Tensor) -> None:
        """Keep the logits after a context and the tokens that were sampled after it."""
        self._logits.store((self.number(ids), sampled), logits_V)

    def _drop(self) -> None:
        """Drop everything but the beginnings that several contexts share, up to half the bytes."""
        beginnings = self._affordable(_shared_beginnings(list(self._rows)))
        rows = [self._rows[beginning.ids] for beginning in beginnings]
        copies = copy_rows(rows, [b.length for b in beginnings]) if rows else []
        del rows
        self.clear()
        if not copies:
            return
        copies[0].cache.shared = True
        self._row_bytes = copies[0].cache.bytes
        for beginning, row in zip(beginnings, copies, strict=True):
            self._rows[beginning.tokens] = row
            self._prefixes.add(beginning.tokens, row)

    def _compute_beginnings(self, new: Sequence[Ids]) -> None:
        """Compute once what several of the *new* contexts begin with, where that saves enough."""
        for beginning in sorted(_shared_beginnings(new), key=lambda each: each.length):
            cached, row = self._prefixes.longest_prefix(beginning.tokens)
            if (beginning.length - cached - BLOCK_SIZE) * (beginning.number - 1) >= MIN_SAVED:
                self._compute([_NewContext(beginning.tokens, cached, row)])

    def _affordable(self, beginnings: list[_Beginning]) -> list[_Beginning]:
        """Return the first of *beginnings*, as many as take half of the bytes, all as one cache."""
        caches = {id(row.cache): row.cache for row in self._rows.values()}.values()
        columns = sum(len(cache.lengths) * max(cache.lengths) for cache in caches)
        room = self._max_bytes // 2 * columns / max(1, self._row_bytes)  # in columns of rows
        width, number = 0, 0
        for beginning in beginnings:
            width = max(width, beginning.length)
            if (number + 1) * width > room:
                break
            number += 1
        return beginnings[:number]

    def _batches(self, new: Sequence[Ids]) -> Iterator[list[_NewContext]]:
        """Yield the contexts that are computed together, each with its longest cached prefix."""
        queue = [_NewContext(ids, *self._prefixes.longest_prefix(ids)) for ids in new]
        queue.sort(key=lambda context: (context.cached > 0, context.uncached))
        batch: list[_NewContext] = []
        for context in queue:
            if batch and not _fit_together(batch[0], context):
                yield batch
                batch = []
            batch.append(context)
        if batch:
            yield batch

    def _compute(self, batch: Sequence[_NewContext]) -> dict[Ids, Tensor]:
        """Compute the contexts of *batch*; return the logits ``_V`` after each."""
        prefixes = [context.row for context in batch if context.row is not None]
        if prefixes:  # then every context of the batch has one: see `_fit_together`
            rows = copy_rows(prefixes, [context.cached for context in batch])
        else:
            cache = KVCache(self._model, len(batch))
            rows = [CacheRow(cache, number) for number in range(len(batch))]
        chunks = [context.ids[context.cached :] for context in batch]
        rows, logits_BV = extend_rows(rows, chunks, self._pad_id)
        rows[0].cache.shared = True
        self._row_bytes += rows[0].cache.bytes
        for context, row, logits_V in zip(batch, rows, logits_BV, strict=True):
            self._rows[context.ids] = row
            self._prefixes.add(context.ids, row)
            self.store_logits(context.ids, (), logits_V)
        return {context.ids: logits_V for context, logits_V in zip(batch, logits_BV, strict=True)}


class _RecentLogits:
    """The logits that were used last, up to a number of bytes.

    At a vocabulary of 150,000 the logits after one token take as much as the keys and values of
    ten, so that those of every sampled token would fill the memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._tensors: OrderedDict[tuple[int, Ids], Tensor] = OrderedDict()
        self.bytes = 0
        """How many bytes are kept."""

    def get(self, key: tuple[int, Ids]) -> Tensor | None:
        """Return the logits of *key*, if they are still there."""
        logits_V = self._tensors.get(key)
        if logits_V is not None:
            self._tensors.move_to_end(key)
        return logits_V

    def store(self, key: tuple[int, Ids], logits_V: Tensor) -> None:
        """Keep a copy of *logits_V*: it is a row of a batch, all of which it would keep."""
        previous = self._tensors.pop(key, None)
        self.bytes -= 0 if previous is None else previous.nbytes
        self._tensors[key] = logits_V.clone()
        self.bytes += logits_V.nbytes
        while self.bytes > self._max_bytes:
            _, oldest = self._tensors.popitem(last=False)
            self.bytes -= oldest.nbytes


class _NewContext(NamedTuple):
    """A context that is not cached as a whole."""

    ids: Ids
    """Its tokens."""
    cached: int
    """How many of them are cached, from the first."""
    row: CacheRow | None
    """A row that begins with these, if there are any."""

    @property
    def uncached(self) -> int:
        """How many tokens have to be computed."""
        return len(self.ids) - self.cached


def _fit_together(shortest: _NewContext, context: _NewContext) -> bool:
    """Return whether *context* is computed in the batch of *shortest*, which has no more to do."""
    same_kind = (shortest.cached > 0) == (context.cached > 0)
    return same_kind and context.uncached <= MAX_LENGTH_RATIO * shortest.uncached


class _Beginning(NamedTuple):
    """What several contexts begin with."""

    ids: Ids
    """The tokens of one of them."""
    length: int
    """How many tokens they share, in whole blocks."""
    number: int
    """How many contexts share them."""

    @property
    def tokens(self) -> Ids:
        """The tokens that are shared."""
        return self.ids[: self.length]


def _shared_beginnings(contexts: Sequence[Ids]) -> list[_Beginning]:
    """Return what several of *contexts* begin with, each as long as all that share it allow.

    At most `MAX_BEGINNINGS`, those first that save the most tokens.
    """
    beginnings: list[_Beginning] = []
    groups = [(list(contexts), 0)]
    while groups:
        group, length = groups.pop()
        by_block: dict[Ids, list[Ids]] = {}
        for ids in group:
            block = ids[length : length + BLOCK_SIZE]
            if len(block) == BLOCK_SIZE:
                by_block.setdefault(block, []).append(ids)
        parts = list(by_block.values())
        if length and not (len(parts) == 1 and len(parts[0]) == len(group)):
            beginnings.append(_Beginning(group[0], length, len(group)))
        groups += [(part, length + BLOCK_SIZE) for part in parts if len(part) > 1]
    beginnings.sort(key=lambda beginning: -beginning.length * (beginning.number - 1))
    return beginnings[:MAX_BEGINNINGS]


class _PrefixIndex:
    """Where the prefixes of contexts are cached: a trie, whose edges are blocks of tokens.

    A block is looked up together with the node that it follows. A node stands for all blocks before
    it, so one lookup of 16 tokens compares the whole prefix, and no prefix is hashed as a whole.
    """

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, Ids], tuple[int, CacheRow]] = {}

    def longest_prefix(self, ids: Ids) -> tuple[int, CacheRow | None]:
        """Return how many of *ids*, but not all of them, are cached, and in which row."""
        node, row, length = 0, None, 0
        # "<" leaves at least one token to be computed: it gives the logits of the next one
        while length + BLOCK_SIZE < len(ids):
            entry = self._blocks.get((node, ids[length : length + BLOCK_SIZE]))
            if entry is None:
                break
            node, row = entry
            length += BLOCK_SIZE
        return length, row

    def add(self, ids: Ids, row: CacheRow) -> None:
        """Add the whole blocks of *ids*, which are cached in *row*."""
        node = 0
        for start in range(0, len(ids) - BLOCK_SIZE + 1, BLOCK_SIZE):
            key = (node, ids[start : start + BLOCK_SIZE])
            # a new node gets a number that no other has: entries are never removed singly
            node, _ = self._blocks.setdefault(key, (len(self._blocks) + 1, row))

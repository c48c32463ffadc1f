"""The key-value cache of many episodes that grow at different speeds.

Each row holds its tokens in its first columns, without gaps. The buffer behind it is wider than the
tokens and grows geometrically, so that a new token is written in place and nothing is copied for
it. Padding is never written into a row; a mask lets a token attend to the columns of its own row.

The bytes are rows x longest row x 2 x layers x key-value heads x head width x bytes of a number, at
most `GROWTH` times that; `KVCache.bytes` measures them.

Axes: ``_B`` episodes, ``_W`` columns of the cache, ``_L`` tokens of a chunk, ``_V`` vocabulary,
``_N`` new tokens of all rows, ``_C`` columns with logits.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from agentgym_gen.trainers.models.types import Model

GROWTH = 1.25
"""A full buffer is replaced by one this many times as wide."""

WIDTH_MULTIPLE = 64
"""The width of a buffer is a multiple of this."""

MAX_LOGITS = 1 << 26
"""Logits at several columns of all rows are computed at once up to this many numbers."""


class _WritePlan:
    """Where the new tokens of one call are written; all layers share it."""

    row_N: Tensor
    column_N: Tensor
    token_N: Tensor
    width = 0
    """How many columns are in use after the call."""
    filled = 0
    """How many columns were in use before it."""


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]  # transformers has untyped parts
    """The keys and values of one layer, written in place."""

    def __init__(self, plan: _WritePlan) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._plan = plan

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        plan = self._plan
        self.keys = _with_room(self.keys, key_states, plan)
        self.values = _with_room(self.values, value_states, plan)
        self.is_initialized = True
        # Two index tensors around a slice choose one (row, token) pair for each of the N new
        # tokens, on both sides; padding is in no pair, so it is never written.
        self.keys[plan.row_N, :, plan.column_N] = key_states[plan.row_N, :, plan.token_N]
        self.values[plan.row_N, :, plan.column_N] = value_states[plan.row_N, :, plan.token_N]
        return self.keys[:, :, : plan.width], self.values[:, :, : plan.width]

    def get_seq_length(self) -> int:
        return self._plan.filled


def _with_room(buffer: Tensor | None, states: Tensor, plan: _WritePlan) -> Tensor:
    """Return *buffer*, or a wider copy where the new tokens do not fit into it."""
    if buffer is not None and buffer.shape[2] >= plan.width:
        return buffer
    filled = 0 if buffer is None else plan.filled
    wider = _allocate(states, states.shape[0], plan.width, filled)
    if buffer is not None:
        wider[:, :, :filled] = buffer[:, :, :filled]
    return wider


def _allocate(like: Tensor, rows: int, width: int, filled: int) -> Tensor:
    """Return a buffer with room for *width* tokens and some more.

    The caller fills its first *filled* columns; the others are 0, because attention reads masked
    cells too, and a NaN that is multiplied by the weight 0 is still a NaN.
    """
    room = -(-int(width * GROWTH) // WIDTH_MULTIPLE) * WIDTH_MULTIPLE  # rounded up to a multiple
    buffer = like.new_empty((rows, like.shape[1], room, like.shape[3]))
    buffer[:, :, filled:] = 0
    return buffer


class KVCache:
    """The keys and values of a batch of rows, and the model that computes them.

    Args:
        model: A causal language model.
        rows: How many rows it starts with, all empty.
    """

    def __init__(self, model: Model, rows: int = 0) -> None:
        self._model = model
        self.shared = False
        """Whether its rows are only ever copied."""
        self.lengths = [0] * rows
        """How many tokens each row holds."""
        weight = next(model.parameters())
        self._device, self._dtype = weight.device, weight.dtype
        self._plan = _WritePlan()
        new_layer: Any = partial(_Layer, self._plan)
        self._cache = Cache(layer_class_to_replicate=new_layer)
        self._layers: list[Any] = self._cache.layers

    @property
    def bytes(self) -> int:
        """How much memory the buffers take."""
        tensors = (t for layer in self._layers for t in (layer.keys, layer.values))
        return sum(int(tensor.numel() * tensor.element_size()) for tensor in tensors)

    def extend(self, chunks: Sequence[Sequence[int]], pad_id: int) -> Tensor:
        """Add tokens to each row and return the logits ``_BV`` after the last of them.

        Args:
            chunks: The new tokens of each row; a row without any gets logits that mean nothing.
            pad_id: The token at padding.
        """
        lengths = {len(chunk) for chunk in chunks}
        if len(lengths) * len(chunks) * int(self._model.config.vocab_size) <= MAX_LOGITS:
            return self._forward(chunks, pad_id)
        # Chunks of different lengths end in different columns, each with logits of all rows. Fed
        # apart, the last tokens of all rows stand in one column, the only one with logits.
        if max(lengths) > 1:
            self._forward([chunk[:-1] for chunk in chunks], pad_id, logits=False)
        return self._forward([chunk[-1:] for chunk in chunks], pad_id)

    def _forward(
        self, chunks: Sequence[Sequence[int]], pad_id: int, *, logits: bool = True
    ) -> Tensor:
        width = max(len(chunk) for chunk in chunks)
        padded = [[*chunk, *[pad_id] * (width - len(chunk))] for chunk in chunks]
        counts = [len(chunk) for chunk in chunks]
        last_B = torch.tensor([max(0, count - 1) for count in counts], device=self._device)
        # the columns in which some chunk ends, each once, and for each row which of them is its own
        columns_C, index_B = torch.unique(last_B, return_inverse=True)
        if not logits:
            columns_C = columns_C[:1]
        extra: dict[str, Any] = {}
        if takes_logits_to_keep(self._model):
            extra["logits_to_keep"] = columns_C
        out_BCV = self._model(
            input_ids=torch.tensor(padded, device=self._device),
            past_key_values=self._cache,
            use_cache=True,
            **self._plan_write(counts, width),
            **extra,
        ).logits
        self.lengths = [old + new for old, new in zip(self.lengths, counts, strict=True)]
        if not logits:
            return last_B
        column_B = index_B if extra else last_B
        logits_BV: Tensor = out_BCV[torch.arange(len(chunks), device=self._device), column_B]
        return logits_BV

    def _plan_write(self, counts: list[int], width: int) -> dict[str, Tensor | None]:
        """Plan where the new tokens are written; return their positions and their mask."""
        start_B1 = torch.tensor(self.lengths, device=self._device)[:, None]
        count_B1 = torch.tensor(counts, device=self._device)[:, None]
        step_L = torch.arange(width, device=self._device)
        plan, plan.filled = self._plan, max(self.lengths)
        plan.width = max(old + new for old, new in zip(self.lengths, counts, strict=True))
        plan.row_N, plan.token_N = (step_L < count_B1).nonzero(as_tuple=True)
        plan.column_N = (start_B1 + step_L)[plan.row_N, plan.token_N]
        if plan.filled == 0:
            # All rows are empty: the model's own causal mask is right, and faster.
            return {"position_ids": step_L.expand(len(counts), -1), "attention_mask": None}
        # A row has no gaps, so the column of a token is its rotary position too. Padding repeats
        # the last position of its row: any position does, as long as the model knows it.
        position_BL = (start_B1 + torch.minimum(step_L, count_B1 - 1)).clamp(min=0)
        column_W = torch.arange(plan.width, device=self._device)
        mask_BLW = torch.zeros(
            (*position_BL.shape, plan.width), dtype=self._dtype, device=self._device
        )
        mask_BLW.masked_fill_(column_W > position_BL[:, :, None], torch.finfo(self._dtype).min)
        return {"position_ids": position_BL, "attention_mask": mask_BLW[:, None]}


def takes_logits_to_keep(model: Model) -> bool:
    """Return whether *model* can compute the logits of some columns only."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(base.forward).parameters


class CacheRow(NamedTuple):
    """A row of a cache."""

    cache: KVCache
    """The cache."""
    number: int
    """The number of the row in it."""


def extend_rows(
    rows: Sequence[CacheRow], chunks: Sequence[Sequence[int]], pad_id: int
) -> tuple[list[CacheRow], Tensor]:
    """Add tokens to *rows*; return the rows, which may have moved, and the logits ``_BV``.

    Rows are copied into a cache of their own, unless at least half of one cache is extended.
    """
    cache = rows[0].cache
    same_cache = all(row.cache is cache for row in rows)
    if not same_cache or cache.shared or 2 * len(rows) < len(cache.lengths):
        rows = copy_rows(rows)
        cache = rows[0].cache
    chunk_of_row: list[Sequence[int]] = [()] * len(cache.lengths)
    for row, chunk in zip(rows, chunks, strict=True):
        chunk_of_row[row.number] = chunk
    return list(rows), cache.extend(chunk_of_row, pad_id)[[row.number for row in rows]]


def copy_rows(rows: Sequence[CacheRow], lengths: Sequence[int] | None = None) -> list[CacheRow]:
    """Copy *rows* into a new cache and return them there, in the same order.

    Args:
        rows: The rows.
        lengths: How many tokens of each row are copied, from the first; None copies all.
    """
    new_lengths = list(lengths or [row.cache.lengths[row.number] for row in rows])
    width = max(new_lengths)
    by_cache: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        by_cache.setdefault(id(row.cache), []).append(place)
    # Rows of one cache become neighbours, so that one call copies them all into their slice.
    order = [place for places in by_cache.values() for place in places]
    copy = KVCache(rows[0].cache._model)
    copy.lengths = [new_lengths[place] for place in order]
    parts: list[tuple[KVCache, Tensor, slice]] = []
    start = 0
    for places in by_cache.values():
        numbers = torch.tensor([rows[place].number for place in places], device=copy._device)
        parts.append((rows[places[0]].cache, numbers, slice(start, start + len(places))))
        start += len(places)
    for depth, layer in enumerate(rows[0].cache._layers):
        new_layer = _Layer(copy._plan)
        new_layer.keys = _allocate(layer.keys, len(rows), width, width)
        new_layer.values = _allocate(layer.values, len(rows), width, width)
        new_layer.is_initialized = True
        for cache, numbers, part in parts:
            source = cache._layers[depth]
            _copy_columns(new_layer.keys[part, :, :width], source.keys, numbers)
            _copy_columns(new_layer.values[part, :, :width], source.values, numbers)
        copy._layers.append(new_layer)
    new_number = {place: number for number, place in enumerate(order)}
    return [CacheRow(copy, new_number[place]) for place in range(len(rows))]


def _copy_columns(target: Tensor, source: Tensor, numbers: Tensor) -> None:
    """Copy the rows *numbers* of *source* into *target*, with 0 where they have fewer columns."""
    shared = min(target.shape[2], source.shape[2])
    torch.index_select(source[:, :, :shared], 0, numbers, out=target[:, :, :shared])
    target[:, :, shared:] = 0

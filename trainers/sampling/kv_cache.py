# ruff: noqa: N806, N815
# The capitals name the axes of an array.
"""The key-value cache of many episodes that grow at different speeds.

Each row holds its tokens in its first columns, without gaps, in a buffer that is larger than they
are and grows geometrically: a new token is written in place, and nothing is copied for it. Padding
never enters a row, and what a token sees is a mask over its own row's columns.

The bytes are rows x longest row x 2 x layers x key-value heads x head width x bytes of a number, at
most `SLACK` times that; `GrowingCache.bytes` tells them.

Axes: ``_B`` episodes, ``_W`` columns of the cache, ``_L`` tokens of a chunk, ``_V`` vocabulary,
``_N`` new tokens of all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.packing.micro_batches import keeps_logits

GROWTH = 1.25
"""A full buffer is replaced by one this many times as wide."""

WIDTH_MULTIPLE = 64
"""The width of a buffer is a multiple of this."""

MAX_LOGITS = 1 << 26
"""Logits at several columns of all rows are asked for up to this many numbers."""


def check_cacheable(model: Model) -> None:
    """Raise unless every layer of *model* attends to all that came before.

    Raises:
        InvalidValueError: if some layers slide or have another kind of memory.
    """
    kinds = set(getattr(model.config, "layer_types", None) or ()) - {"full_attention"}
    if kinds:
        raise InvalidValueError(
            f"The model has layers of the kind {sorted(kinds)}; only full attention is sampled from"
        )


class _WritePlan:
    """Where the tokens of one call go; shared by all layers."""

    row_N: Tensor
    column_N: Tensor
    token_N: Tensor
    width = 0
    before = 0


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]  # transformers has untyped parts
    """The keys and values of one layer, written in place."""

    def __init__(self, place: _WritePlan) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._place = place

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        place = self._place
        self.keys = _with_room(self.keys, key_states, place)
        self.values = _with_room(self.values, value_states, place)
        self.is_initialized = True
        self.keys[place.row_N, :, place.column_N] = key_states[place.row_N, :, place.token_N]
        self.values[place.row_N, :, place.column_N] = value_states[place.row_N, :, place.token_N]
        return self.keys[:, :, : place.width], self.values[:, :, : place.width]

    def get_seq_length(self) -> int:
        return self._place.before


def _with_room(buffer: Tensor | None, states: Tensor, place: _WritePlan) -> Tensor:
    """Return *buffer*, or its content in a wider one where it has no room for what comes."""
    if buffer is not None and buffer.shape[2] >= place.width:
        return buffer
    filled = 0 if buffer is None else place.before
    wide = _allocate(states, states.shape[0], place.width, filled)
    if buffer is not None:
        wide[:, :, :filled] = buffer[:, :, :filled]
    return wide


def _allocate(like: Tensor, rows: int, width: int, filled: int) -> Tensor:
    """Return a buffer with room for *width* tokens and some more.

    It is 0 but for the first *filled* columns, which the caller fills: masked cells are read, too.
    """
    room = -(-int(width * GROWTH) // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
    buffer = like.new_empty((rows, like.shape[1], room, like.shape[3]))
    buffer[:, :, filled:] = 0
    return buffer


class KVCache:
    """The cache of a batch of rows, and the model that fills it.

    Args:
        model: A causal language model.
        rows: How many rows it starts with, all empty.
        shared: Whether its rows are only ever copied.
    """

    def __init__(self, model: Model, rows: int = 0, *, shared: bool = False) -> None:
        self._model = model
        self.shared = shared
        """Whether its rows are only ever copied."""
        self.lengths = [0] * rows
        """How many tokens each row holds."""
        first = next(model.parameters())
        self._device, self._dtype = first.device, first.dtype
        self._place = _WritePlan()
        new_layer: Any = partial(_Layer, self._place)
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
            chunks: The new tokens of each row, or none; such a row's logits mean nothing.
            pad_id: The token at padding.
        """
        ends = {len(chunk) for chunk in chunks}
        if len(ends) * len(chunks) * int(self._model.config.vocab_size) <= MAX_LOGITS:
            return self._forward(chunks, pad_id)
        # The last tokens of all rows by themselves stand in one column, the only one with logits.
        if max(ends) > 1:
            self._forward([chunk[:-1] for chunk in chunks], pad_id, logits=False)
        return self._forward([chunk[-1:] for chunk in chunks], pad_id)

    def _forward(
        self, chunks: Sequence[Sequence[int]], pad_id: int, *, logits: bool = True
    ) -> Tensor:
        width = max(len(chunk) for chunk in chunks)
        filled = [[*chunk, *[pad_id] * (width - len(chunk))] for chunk in chunks]
        counts = [len(chunk) for chunk in chunks]
        last_B = torch.tensor([max(0, count - 1) for count in counts], device=self._device)
        columns_C, where_B = torch.unique(last_B, return_inverse=True)
        if not logits:
            columns_C = columns_C[:1]
        extra: dict[str, Any] = {}
        if keeps_logits(self._model):
            extra["logits_to_keep"] = columns_C
        out_BCV = self._model(
            input_ids=torch.tensor(filled, device=self._device),
            past_key_values=self._cache,
            use_cache=True,
            **self._see(counts, width),
            **extra,
        ).logits
        self.lengths = [old + new for old, new in zip(self.lengths, counts, strict=True)]
        if not logits:
            return last_B
        index_B = where_B if extra else last_B
        logits_BV: Tensor = out_BCV[torch.arange(len(chunks), device=self._device), index_B]
        return logits_BV

    def _see(self, counts: list[int], width: int) -> dict[str, Tensor | None]:
        """Plan where the new tokens go; return their positions and what each of them sees."""
        start_B1 = torch.tensor(self.lengths, device=self._device)[:, None]
        count_B1 = torch.tensor(counts, device=self._device)[:, None]
        step_L = torch.arange(width, device=self._device)
        place, place.before = self._place, max(self.lengths)
        place.width = max(old + new for old, new in zip(self.lengths, counts, strict=True))
        place.row_N, place.token_N = (step_L < count_B1).nonzero(as_tuple=True)
        place.column_N = (start_B1 + step_L)[place.row_N, place.token_N]
        if place.before == 0:
            # nothing but rows that begin: the model's own causal mask is right, and faster
            return {"position_ids": step_L.expand(len(counts), -1), "attention_mask": None}
        # padding repeats the last position of its row, so that it is one that the model knows
        position_BL = (start_B1 + torch.minimum(step_L, count_B1 - 1)).clamp(min=0)
        column_W = torch.arange(place.width, device=self._device)
        mask_BLW = torch.zeros(
            (*position_BL.shape, place.width), dtype=self._dtype, device=self._device
        )
        mask_BLW.masked_fill_(column_W > position_BL[:, :, None], torch.finfo(self._dtype).min)
        return {"position_ids": position_BL, "attention_mask": mask_BLW[:, None]}


class CacheRow(NamedTuple):
    """A row of a cache."""

    cache: KVCache
    """The cache."""
    row: int
    """The number of the row."""


def extend_rows(
    rows: Sequence[CacheRow], chunks: Sequence[Sequence[int]], pad_id: int
) -> tuple[list[CacheRow], Tensor]:
    """Add tokens to the rows at *seats*; return where the rows are now, and the logits ``_BV``.

    Rows are copied into a cache of their own, unless most of one cache goes on.
    """
    first = rows[0].cache
    alone = all(seat.cache is first for seat in rows)
    if not alone or first.shared or 2 * len(rows) < len(first.lengths):
        rows = copy_rows(rows)
        first = rows[0].cache
    whole: list[Sequence[int]] = [()] * len(first.lengths)
    for seat, chunk in zip(rows, chunks, strict=True):
        whole[seat.row] = chunk
    return list(rows), first.extend(whole, pad_id)[[seat.row for seat in rows]]


def copy_rows(rows: Sequence[CacheRow], lengths: Sequence[int] | None = None) -> list[CacheRow]:
    """Copy the rows at *seats* into a new cache and return where they are in it.

    Args:
        seats: Which rows.
        lengths: How many tokens of each row are copied, from the first; None copies all.
    """
    of_seat = list(lengths or [seat.cache.lengths[seat.row] for seat in rows])
    width = max(of_seat)
    by_cache: dict[int, list[int]] = {}
    for number, seat in enumerate(rows):
        by_cache.setdefault(id(seat.cache), []).append(number)
    # rows of one cache lie side by side, so that they are copied at once and into their place
    order = [number for numbers in by_cache.values() for number in numbers]
    whole = KVCache(rows[0].cache._model)
    whole.lengths = [of_seat[number] for number in order]
    parts: list[tuple[KVCache, Tensor, slice]] = []
    start = 0
    for numbers in by_cache.values():
        rows = torch.tensor([rows[number].row for number in numbers], device=whole._device)
        parts.append((rows[numbers[0]].cache, rows, slice(start, start + len(numbers))))
        start += len(numbers)
    for depth, layer in enumerate(rows[0].cache._layers):
        copy = _Layer(whole._place)
        copy.keys = _allocate(layer.keys, len(rows), width, width)
        copy.values = _allocate(layer.values, len(rows), width, width)
        copy.is_initialized = True
        for cache, rows, part in parts:
            found = cache._layers[depth]
            _copy_columns(copy.keys[part, :, :width], found.keys, rows)
            _copy_columns(copy.values[part, :, :width], found.values, rows)
        whole._layers.append(copy)
    new_row = {number: row for row, number in enumerate(order)}
    return [CacheRow(whole, new_row[number]) for number in range(len(rows))]


def _copy_columns(buffer: Tensor, found: Tensor, rows: Tensor) -> None:
    """Copy *rows* of *found*, with 0 where they have fewer columns."""
    there = min(buffer.shape[2], found.shape[2])
    torch.index_select(found[:, :, :there], 0, rows, out=buffer[:, :, :there])
    buffer[:, :, there:] = 0

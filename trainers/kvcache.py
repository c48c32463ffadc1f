# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""The key-value cache of many episodes that grow at different speeds.

Rows are padded to a common width; which cells hold a token is a mask, and the position of a token
is counted per row, so that padding changes nothing that the model computes.

Axes: ``_B`` episodes, ``_W`` columns of the cache, ``_L`` tokens of a chunk, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.handles import Model
from agentgym_gen.trainers.tokens import keeps_logits

FULL_ENOUGH = 0.6
"""A cache of which a smaller share holds tokens is compacted."""


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


class GrowingCache:
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
        self._device = next(model.parameters()).device
        self._layers: list[tuple[Tensor, Tensor]] = []
        self.live_BW = torch.zeros((rows, 0), dtype=torch.long, device=self._device)
        """1 at cells that hold a token."""

    def extend(self, chunks: Sequence[Sequence[int]], pad_id: int) -> Tensor:
        """Add tokens to each row and return the logits ``_BV`` after the last of them.

        Args:
            chunks: The new tokens of each row, or none; such a row's logits mean nothing.
            pad_id: The token at padding.
        """
        width = max(len(chunk) for chunk in chunks)
        filled = [[*chunk, *[pad_id] * (width - len(chunk))] for chunk in chunks]
        ids_BL = torch.tensor(filled, device=self._device)
        count_B = torch.tensor([len(chunk) for chunk in chunks], device=self._device)
        new_BL = (torch.arange(width, device=self._device) < count_B[:, None]).long()
        return self._forward(ids_BL, new_BL, (count_B - 1).clamp(min=0))

    def _forward(self, ids_BL: Tensor, new_BL: Tensor, last_B: Tensor) -> Tensor:
        start_B = self.live_BW.sum(dim=1)
        positions_BL = (start_B[:, None] + new_BL.cumsum(dim=1) - 1).clamp(min=0)
        self.live_BW = torch.cat([self.live_BW, new_BL], dim=1)
        columns_C, where_B = torch.unique(last_B, return_inverse=True)
        extra = {"logits_to_keep": columns_C} if keeps_logits(self._model) else {}
        out = self._model(
            input_ids=ids_BL,
            attention_mask=self.live_BW,
            position_ids=positions_BL,
            past_key_values=DynamicCache(self._layers) if self._layers else DynamicCache(),
            use_cache=True,
            **extra,
        )
        self._layers = [(layer.keys, layer.values) for layer in out.past_key_values.layers]
        index_B = where_B if extra else last_B
        logits_BV: Tensor = out.logits[torch.arange(len(ids_BL), device=self._device), index_B]
        return logits_BV

    def select(self, rows: Sequence[int]) -> GrowingCache:
        """Return a cache of *rows*, in this order; a row may be taken more than once."""
        index = torch.tensor(rows, dtype=torch.long, device=self._device)
        chosen = GrowingCache(self._model)
        chosen.live_BW = self.live_BW[index]
        chosen._layers = [(keys[index], values[index]) for keys, values in self._layers]
        return chosen

    def compact(self) -> None:
        """Move the tokens of each row together when too few cells hold one.

        A key carries its own position, so that the column in which it stands does not matter.
        """
        if self.live_BW.numel() == 0 or self.live_BW.float().mean() >= FULL_ENOUGH:
            return
        width = int(self.live_BW.sum(dim=1).max())
        order_BW = torch.argsort(1 - self.live_BW, dim=1, stable=True)[:, :width]
        self.live_BW = self.live_BW.gather(1, order_BW)
        index = order_BW[:, None, :, None]
        self._layers = [(_pick(keys, index), _pick(values, index)) for keys, values in self._layers]


class Seat(NamedTuple):
    """A row of a cache."""

    cache: GrowingCache
    """The cache."""
    row: int
    """The number of the row."""


def feed(
    seats: Sequence[Seat], chunks: Sequence[Sequence[int]], pad_id: int
) -> tuple[list[Seat], Tensor]:
    """Add tokens to the rows at *seats*; return where the rows are now, and the logits ``_BV``.

    Rows are copied into a cache of their own, unless most of one cache goes on.
    """
    first = seats[0].cache
    alone = all(seat.cache is first for seat in seats)
    if alone and not first.shared and 2 * len(seats) >= len(first.live_BW):
        whole: list[Sequence[int]] = [()] * len(first.live_BW)
        for seat, chunk in zip(seats, chunks, strict=True):
            whole[seat.row] = chunk
        first.compact()
        return list(seats), first.extend(whole, pad_id)[[seat.row for seat in seats]]
    cache, places = _together(seats)
    cache.compact()
    turned: list[Sequence[int]] = [()] * len(seats)
    for place, chunk in zip(places, chunks, strict=True):
        turned[place] = chunk
    return [Seat(cache, place) for place in places], cache.extend(turned, pad_id)[places]


def _together(seats: Sequence[Seat]) -> tuple[GrowingCache, list[int]]:
    """Return a cache with copies of the rows at *seats*, and where in it each is."""
    by_cache: dict[int, list[int]] = {}
    for number, seat in enumerate(seats):
        by_cache.setdefault(id(seat.cache), []).append(number)
    parts = [
        seats[numbers[0]].cache.select([seats[number].row for number in numbers])
        for numbers in by_cache.values()
    ]
    places = [0] * len(seats)
    for place, number in enumerate(number for numbers in by_cache.values() for number in numbers):
        places[number] = place
    return parts[0] if len(parts) == 1 else _joined(parts), places


def _joined(caches: Sequence[GrowingCache]) -> GrowingCache:
    width = max(cache.live_BW.shape[1] for cache in caches)
    whole = GrowingCache(caches[0]._model)
    pad = torch.nn.functional.pad
    whole.live_BW = torch.cat(
        [pad(cache.live_BW, (0, width - cache.live_BW.shape[1])) for cache in caches]
    )
    whole._layers = [
        (_stacked([keys for keys, _ in layer], width), _stacked([v for _, v in layer], width))
        for layer in zip(*(cache._layers for cache in caches), strict=True)
    ]
    return whole


def _stacked(parts: Sequence[Tensor], width: int) -> Tensor:
    pad = torch.nn.functional.pad
    return torch.cat([pad(part, (0, 0, 0, width - part.shape[2])) for part in parts])


def _pick(states: Tensor, index: Tensor) -> Tensor:
    return states.gather(2, index.expand(-1, states.shape[1], -1, states.shape[3]))

"""Whether a key-value cache that is filled in pieces gives what the model gives for a whole text.

Layers with a window, or with another memory than attention, do not: some look back at so many
tokens only, in ways of their own, and some keep a state instead of keys and values. Settings name
such layers in many ways, or not at all, so the model is tried.

Axes: ``_P`` the places that are compared, ``_V`` vocabulary.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.models.checks.windows import attention_windows
from agentgym_gen.trainers.models.memory import OUT_OF_MEMORY
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.sampling.kv_cache import KVCache, takes_logits_to_keep

__all__ = ["PROBE_TOKENS", "check_cacheable"]

PROBE_TOKENS = 320
"""How long the sequence is at least: gpt_neo, whose settings name no window, has one of 256."""

BEYOND = 32
"""By how many tokens it is longer than the longest window that the settings name."""

PLACES = 8
"""How many logits at its end are compared; their median counts, because rounding may send a token
to another expert of a mixture."""

SHORTER = 3
"""By how many tokens the second row is shorter: models that ignore the mask or positions differ."""

MAX_DIFFERENCE = 1e-3
"""The largest relative difference of logits in single precision; rounding makes it 1e-5."""

ROUNDINGS = 16
"""With fewer digits, or quantised weights, the largest difference is so many roundings."""

_passed: weakref.WeakKeyDictionary[Model, int] = weakref.WeakKeyDictionary()
"""The models that were tried, and the longest sequence for which that holds."""


def check_cacheable(model: Model, limit: int) -> None:
    """Raise unless *model* gives the same logits for a text in pieces and for the whole text.

    Args:
        model: A causal language model.
        limit: The longest sequence that will be sampled; a window that is not shorter than that
            changes nothing.

    Raises:
        InvalidValueError: if they differ, or the model cannot be fed in pieces.
    """
    if _passed.get(model, -1) >= limit:
        return
    length = _probe_length(model, limit)
    if length > 2 * PLACES + SHORTER:
        difference = _measure(model, length)
        if not difference <= _tolerance(model):
            raise InvalidValueError(
                f"{_name(model)} cannot be sampled from: fed in pieces, a text of {length} tokens "
                f"has logits that differ by {difference:.1%} from those of the whole text. It has "
                "layers with a window, or with another memory than attention to all tokens; set "
                "`max_episode_tokens` to less than the window, or take another model"
            )
    _passed[model] = limit


def _probe_length(model: Model, limit: int) -> int:
    shorter = [window + BEYOND for window in attention_windows(model) if window < limit]
    return min(limit, max([PROBE_TOKENS, *shorter]))


def _tolerance(model: Model) -> float:
    dtypes = {weight.dtype for weight in model.parameters() if weight.is_floating_point()}
    coarsest = max(torch.finfo(dtype).eps for dtype in dtypes)
    if getattr(model.config, "quantization_config", None) is not None:
        coarsest = max(coarsest, torch.finfo(torch.bfloat16).eps)
    return max(MAX_DIFFERENCE, ROUNDINGS * coarsest)


@torch.no_grad()
def _measure(model: Model, length: int) -> float:
    """Return the median relative difference of the last logits, the larger of two rows."""
    rng = stream("cache probe", length, entropy=0)
    vocabulary = int(model.get_input_embeddings().weight.shape[0])
    rows = [rng.integers(vocabulary, size=size).tolist() for size in (length, length - SHORTER)]
    try:
        whole = [_whole(model, ids) for ids in rows]
        pieces = _in_pieces(model, rows)
    except Exception as error:  # a model raises anything where it does not take our arguments
        if isinstance(error, MemoryError) or any(t in str(error).lower() for t in OUT_OF_MEMORY):
            raise
        raise _cannot_be_fed(model, error) from error
    return max(_difference(*pair) for pair in zip(whole, pieces, strict=True))


def _whole(model: Model, ids: Sequence[int]) -> Tensor:
    """Return the last logits ``_PV`` of a plain forward."""
    device = next(model.parameters()).device
    extra: dict[str, Any] = {"logits_to_keep": PLACES} if takes_logits_to_keep(model) else {}
    ids_BT = torch.tensor([ids], device=device)
    logits_PV: Tensor = model(input_ids=ids_BT, use_cache=False, **extra).logits
    return logits_PV[0, -PLACES:].float()


def _in_pieces(model: Model, rows: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return the last logits ``_PV`` of each row, fed as two pieces and then token by token."""
    cache = KVCache(model, len(rows))
    half = min(map(len, rows)) // 2
    cache.extend([ids[:half] for ids in rows], 0)
    cache.extend([ids[half:-PLACES] for ids in rows], 0)
    steps = [
        cache.extend([ids[len(ids) - PLACES + place :][:1] for ids in rows], 0)
        for place in range(PLACES)
    ]
    return [torch.stack([logits_BV[row] for logits_BV in steps]).float() for row in range(2)]


def _difference(whole_PV: Tensor, pieces_PV: Tensor) -> float:
    """Return the median over places of the distance of logits, relative to their size.

    A number that is added to all logits of a place changes no probability, so the mean is taken
    away first.
    """
    whole_PV = whole_PV - whole_PV.mean(dim=-1, keepdim=True)
    pieces_PV = pieces_PV - pieces_PV.mean(dim=-1, keepdim=True)
    distance_P = (whole_PV - pieces_PV).norm(dim=-1) / whole_PV.norm(dim=-1).clamp(min=1e-12)
    return float(distance_P.median())


def _cannot_be_fed(model: Model, error: Exception) -> InvalidValueError:
    attention = getattr(model.config, "_attn_implementation", None)
    remedy = (
        "take another model"
        if attention in ("eager", "sdpa", None)
        else f"its attention is {attention!r}: load it with attn_implementation='sdpa' or 'eager'"
    )
    reason = " ".join(str(error).split())[:200]
    return InvalidValueError(
        f"{_name(model)} cannot be sampled from with a cache of keys and values "
        f"({type(error).__name__}: {reason}); {remedy}"
    )


def _name(model: Model) -> str:
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return f"The model ({type(base).__name__})"

"""How long a sequence of a model may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["UNLIMITED", "longest_sequence"]

UNLIMITED = 1 << 30
"""The limit of a model whose settings name none."""


def longest_sequence(config: Any) -> int:  # noqa: ANN401  (the settings of any model)
    """Return how many tokens a sequence of a model with the settings *config* may have.

    For LongRoPE (arXiv 2402.13753) that is the length before it was extended. A longer sequence has
    other positions from its first token on, in transformers by the longest sequence of a batch: the
    keys that a cache has kept, and the shorter sequences that are scored beside it, are wrong then.
    """
    limit = int(getattr(config, "max_position_embeddings", 0) or UNLIMITED)
    return min([limit, *_original_lengths(config.to_dict() if hasattr(config, "to_dict") else {})])


def _original_lengths(settings: Mapping[str, Any]) -> Iterator[int]:
    """Yield the lengths before LongRoPE that *settings* name, also by layer type."""
    own = settings.get("original_max_position_embeddings")
    parts = [value for value in settings.values() if isinstance(value, Mapping)]
    for part in parts:
        kind = part.get("rope_type", part.get("type"))
        length = part.get("original_max_position_embeddings", own)
        if kind == "longrope" and isinstance(length, int) and length > 0:
            yield length
        yield from _original_lengths(part)

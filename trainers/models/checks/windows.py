"""The windows of attention that a model's settings name, by whatever key."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.trainers.models.types import Model

_NAMES = ("window", "chunk", "local")
_COUNTS = ("layers", "experts")
"""What is counted by other settings with such names: ``max_window_layers``."""


def attention_windows(model: Model) -> list[int]:
    """Return the positive whole numbers in the settings of *model* that may be windows.

    They decide how a model is tried, and that prefixes are not shared in its updates: a number that
    is none costs time.
    """
    return list(_windows(model.config.to_dict()))


def _windows(value: object, key: str = "") -> Iterator[int]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _windows(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _windows(part, key)
    elif type(value) is int and value > 0 and _may_be_window(key):
        yield value


def _may_be_window(key: str) -> bool:
    return any(name in key for name in _NAMES) and not any(name in key for name in _COUNTS)

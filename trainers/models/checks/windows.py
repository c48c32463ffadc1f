"""The windows of attention that a model's settings name, by whatever key."""

from __future__ import annotations

from collections.abc import Iterator

from agentgym_gen.trainers.models.types import Model

_NAMES = ("window", "chunk", "local")


def attention_windows(model: Model) -> list[int]:
    """Return the positive whole numbers in the settings of *model* that may be windows.

    They decide how a model is tried, not whether it is accepted: a number that is none does no
    harm.
    """
    return list(_windows(model.config.to_dict()))


def _windows(value: object, key: str = "") -> Iterator[int]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _windows(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _windows(part, key)
    elif type(value) is int and value > 0 and any(name in key for name in _NAMES):
        yield value

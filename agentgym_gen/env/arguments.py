"""Checks of what callers give to an environment."""

from __future__ import annotations

from numbers import Integral

from agentgym_gen.errors import InvalidValueError


def encodable(text: str) -> str:
    """Return *text* with its lone surrogates replaced: no file could hold them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def checked_integer(name: str, value: object, least: int) -> int:
    """Return *value* as a number.

    Raises:
        InvalidValueError: if it is no whole number from *least* on.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        kind = "positive number" if least else "number from 0 on"
        raise InvalidValueError(f"`{name}` is a {kind} or None, not {value!r}")
    return int(value)

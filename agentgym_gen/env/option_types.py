"""Options of worlds by the types of their parameters: an id has texts, numbers and truth values."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union

from agentgym_gen.errors import InvalidValueError

__all__ = ["typed_options"]

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""How an error calls the values of a parameter."""


def typed_options(factory: Callable[..., object], options: Mapping[str, object]) -> dict[str, Any]:
    """Return *options* with the types that the parameters of *factory* have.

    A number or a truth value becomes a text where a text or a path is wanted, such as that of a
    folder called ``2024``. Parameters without a type, and values that no id can have, are left as
    they are.

    Raises:
        InvalidValueError: if a parameter takes no value of the type that is given.
    """
    types = _types_of(factory)
    return {
        name: _typed(name, value, types[name]) if name in types else value
        for name, value in options.items()
    }


@functools.lru_cache(maxsize=256)
def _types_of(factory: Callable[..., object]) -> dict[str, frozenset[object]]:
    """Return the types of each parameter of the class *factory*, a union as its parts."""
    try:
        hints = typing.get_type_hints(factory.__init__)
    except (NameError, TypeError):  # names that are there for type checkers only
        return {}
    return {name: frozenset(_parts(hint)) for name, hint in hints.items() if name != "return"}


def _parts(hint: object) -> tuple[object, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, UnionType) else (hint,)


def _typed(name: str, value: object, types: frozenset[object]) -> object:
    takes_text = bool(types & {str, Path})
    if type(value) in types or not isinstance(value, str | int):
        return value
    if isinstance(value, str) and takes_text:
        return value
    if type(value) is int and float in types:
        return value
    if takes_text:
        return str(value).lower()  # as an id spells it
    words = [word for kind, word in WORDS.items() if kind in types]
    if types <= {*WORDS, Path, NoneType}:
        raise InvalidValueError(f"`{name}` is {' or '.join(words)}, not {value!r}")
    return value

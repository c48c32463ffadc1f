"""Values of files, checked by pydantic; what does not fit is said in our words.

A type says what is accepted: a TypedDict or a dataclass with hints, ranges by ``Field``. Nothing is
converted but a whole number to a float: the text ``"1"`` is no number. pydantic comes with the
extra ``study``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agentgym_gen.errors import InvalidValueError, missing_extra

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

__all__ = ["FieldError", "Path", "check_value", "dotted", "first_difference", "short_repr"]

Path = tuple[int | str, ...]
"""The keys and indices that lead to a value, from the outermost."""

MAX_CHARS = 60
"""How much of a value an error shows."""


class FieldError(InvalidValueError):
    """A value that does not fit its type.

    Args:
        path: The keys that lead to it.
        message: What is wrong, as the end of a sentence that begins with the key.
    """

    def __init__(self, path: Path, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"`{dotted(path)}` {message}" if path else f"It {message}")

    def __reduce__(self) -> tuple[type[FieldError], tuple[Path, str]]:
        """Pickle by both arguments."""
        return FieldError, (self.path, self.message)


def dotted(path: Path) -> str:
    """Return *path* as it is written: ``turns[2].valid``.

    >>> dotted(("turns", 2, "valid"))
    'turns[2].valid'
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def short_repr(value: object) -> str:
    """Return the beginning of what *value* looks like in Python."""
    # A number of thousands of digits cannot even be printed.
    if isinstance(value, int) and value.bit_length() > 8 * MAX_CHARS:
        return f"a number of {value.bit_length() * 3 // 10:,} digits"
    text = repr(value)
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}..."


def first_difference(old: object, new: object, path: Path = ()) -> tuple[str, object, object]:
    """Return the first key whose value differs between two plans, and both values; None is absent.

    >>> first_difference({"name": "a", "test": {"tasks": 5}}, {"name": "b", "test": {"tasks": 9}})
    ('test.tasks', 5, 9)
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if path or key not in ("name", "about")]
        key = next(key for key in keys if old.get(key) != new.get(key))
        return first_difference(old.get(key), new.get(key), (*path, key))
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        place = next(n for n, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        return first_difference(old[place], new[place], (*path, place))
    return dotted(path), old, new


def check_value(hint: Any, value: object) -> Any:  # noqa: ANN401  (a value of the type)
    """Return *value* as one of the type *hint*.

    Raises:
        FieldError: if it does not fit; of several faults the first is named.
        InvalidValueError: what the ``__post_init__`` of a dataclass raises.
        MissingExtraError: if pydantic is not installed.
    """
    adapter = _adapter(hint)
    from pydantic import ValidationError

    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        # Neither the URL nor the whole input is used, and the input may be huge.
        details = error.errors(include_url=False)[0]
    own_error = details.get("ctx", {}).get("error")
    if isinstance(own_error, InvalidValueError):
        raise own_error
    raise _field_error(details)


@lru_cache(maxsize=64)
def _adapter(hint: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    try:
        from pydantic import ConfigDict, TypeAdapter
    except ImportError as error:
        raise missing_extra("pydantic", "study", "To read a plan or results") from error
    if hasattr(hint, "__pydantic_config__"):
        return TypeAdapter(hint)  # a type with settings of its own
    return TypeAdapter(hint, config=ConfigDict(strict=True, allow_inf_nan=False))


def _field_error(details: ErrorDetails) -> FieldError:
    path, kind = details["loc"], details["type"]
    if kind == "missing" and isinstance(path[-1], int):
        return FieldError(path[:-1], f"is a list of more items, not {short_repr(details['input'])}")
    if kind == "missing":
        return FieldError(path[:-1], f"needs {path[-1]!r}")
    accepted = _ACCEPTED.get(kind)
    limits: Mapping[str, object] = details.get("ctx", {})
    if accepted is None:
        message = f"does not fit: {details['msg']}"
    else:
        message = f"is {accepted if isinstance(accepted, str) else accepted(limits)}"
    return FieldError(path, f"{message}, not {short_repr(details['input'])}")


_Limits = Mapping[str, object]

_ACCEPTED: dict[str, str | Callable[[_Limits], str]] = {
    "bool_type": "true or false",
    "dataclass_type": "a table",
    "dict_type": "a table",
    "mapping_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": lambda limits: f"a text of the form {limits['pattern']}",
    "literal_error": lambda limits: f"one of {limits['expected']}",
    "greater_than_equal": lambda limits: f"{limits['ge']} or more",
    "less_than_equal": lambda limits: f"{limits['le']} or less",
    "too_short": lambda limits: f"a list of at least {limits['min_length']}",
}
"""What is accepted, by the kind of pydantic's error."""

"""Reading a TOML file into records; an error names the file, the line and the key.

A record is a dataclass, whose hints say what is accepted (`agentgym_gen.study.plan.validation`).
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.study.plan.validation import FieldError, check_value, short_repr
from agentgym_gen.system.untrusted_files import MEGABYTE

__all__ = ["MAX_BYTES", "MAX_LINE_CHARS", "KeyPath", "TableReader", "line_of", "parse_toml"]

MAX_BYTES = MEGABYTE
"""The size above which a file is refused."""

MAX_LINE_CHARS = 1000
"""How much of a line is searched for keys."""

MAX_ITEMS = 500
"""The most items of a list: arms are products of lists."""

MAX_NUMBER = 2**53
"""The largest whole number, as in JSON."""

KeyPath = tuple[object, ...]
"""The keys that lead to a value, from the outermost; a number counts the tables of an array."""


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return the table that the TOML *text* spells.

    Raises:
        InvalidValueError: if it is not TOML; *source* is named.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a number of 5,000 digits
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InvalidValueError(f"{source} is not TOML: {why}") from error


@dataclass(frozen=True)
class TableReader:
    """Turns tables into records, and finds the line of a key that is wrong."""

    text: str
    """The TOML."""
    source: str
    """What errors call it."""
    overrides: Mapping[KeyPath, str] = dataclasses.field(default_factory=dict)
    """Keys whose values are not those of the file, each with what errors call its place."""

    def record(self, cls: type[Any], table: object, path: KeyPath) -> Any:  # noqa: ANN401
        """Return a *cls* with the fields of *table*, the value of the key *path*."""
        if not isinstance(table, Mapping):
            raise self.error(path, f"is a table, not {short_repr(table)}")
        hints = typing.get_type_hints(cls)
        fields = dataclasses.fields(cls)
        values = {}
        for key, value in table.items():
            if key not in hints:
                raise self.unknown_key((*path, key), [field.name for field in fields])
            values[key] = self.check(value, hints[key], (*path, key))
        missing = [f.name for f in fields if _is_required(f) and f.name not in values]
        if missing:
            raise self.error(path, f"needs {', '.join(map(repr, missing))}")
        try:
            return cls(**values)
        except InvalidValueError as error:
            key = _key_in(str(error)) or _culprit(cls, values, str(error))
            raise self.located((*path, *key), error) from error

    def check(self, value: object, hint: Any, path: KeyPath) -> Any:  # noqa: ANN401
        """Return *value* as a value of the type *hint*, or raise an error that names *path*."""
        if value is None:
            raise self.error(path[:-1] or path, f"needs {path[-1]!r}")
        try:
            checked = check_value(hint, _frozen(value))
        except FieldError as error:
            raise self.error((*path, *error.path), error.message) from error
        self._check_size(value, path)
        return checked

    def check_count(self, value: object, path: KeyPath) -> int:
        """Return *value* as a whole number above 0, or raise an error that names *path*."""
        number: int = self.check(value, int, path)
        if number < 1:
            raise self.error(path, f"is 1 or more, not {number}")
        return number

    def check_adapter(self, before: Any, after: Any, path: KeyPath) -> None:  # noqa: ANN401
        """Check that a training goes on with the adapter of its warm start, if that made one.

        Args:
            before: The settings of the warm start, an `SFTConfig`.
            after: Those of reinforcement fine-tuning, an `RFTConfig`.
            path: Where the latter are.
        """
        for name in ("lora_rank", "lora_alpha", "lora_targets") if before.lora_rank else ():
            if getattr(before, name) != getattr(after, name):
                raise self.error(
                    (*path, name),
                    f"is {getattr(after, name)!r}, and {getattr(before, name)!r} in the warm "
                    "start, whose adapter is trained on as it is",
                )

    def check_probability(self, value: object, path: KeyPath) -> float:
        """Return *value* as a number from 0 to 1, or raise an error that names *path*."""
        number: float = self.check(value, float, path)
        if not 0 <= number <= 1:
            raise self.error(path, f"is a probability from 0 to 1, not {short_repr(value)}")
        return number

    def _check_size(self, value: object, path: KeyPath) -> None:
        """Check that lists are short, and numbers no larger than a float can count to."""
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            message = f"is a whole number of at most {MAX_NUMBER}, not {short_repr(value)}"
            raise self.error(path, message)
        if isinstance(value, list):
            if len(value) > MAX_ITEMS:
                raise self.error(path, f"has at most {MAX_ITEMS} items, not {len(value):,}")
            for item in value:
                self._check_size(item, path)

    def with_location(self, path: KeyPath, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return what *make* does; its error gets the place of the key *path*."""
        try:
            return make()
        except InvalidValueError as error:
            raise self.located((*path, *_key_in(str(error))), error) from error

    def located(self, path: KeyPath, error: Exception) -> InvalidValueError:
        """Return *error* with the place of the key *path* before it."""
        return InvalidValueError(f"{self.location(path)}: {error}")

    def error(self, path: KeyPath, message: str) -> InvalidValueError:
        """Return the error that the key *path* is wrong, *message* after its place and name."""
        return InvalidValueError(f"{self.location(path)}: `{_dotted(path)}` {message}")

    def unknown_key(self, path: KeyPath, valid_keys: Sequence[str]) -> InvalidValueError:
        """Return the error that there is no key *path*, with the nearest of *valid_keys*."""
        return self.located(path, unknown_name("key", _dotted(path), valid_keys))

    def location(self, path: KeyPath) -> str:
        """Return where the key *path* has its value: the file and the line, or an override."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return self.overrides[path[:length]]
        line = line_of(self.text, path)
        return f"{self.source}, line {line}" if line else self.source


_FIRST_KEY = re.compile(r"`([\w.]+)`")


def _key_in(message: str) -> KeyPath:
    """Return the key that *message* begins with, as many do, or an empty path."""
    key = _FIRST_KEY.match(message)
    return tuple(key[1].split(".")) if key else ()


def _culprit(cls: type[Any], values: Mapping[str, object], message: str) -> KeyPath:
    """Return the key of *values* that leads to *message* on its own, or an empty path."""
    for key, value in values.items():
        try:
            cls(**{key: value})
        except InvalidValueError as error:
            if str(error) == message:
                return (key,)
        except TypeError:  # a field is required
            continue
    return ()


def _frozen(value: object) -> object:
    """Return *value* with tuples in place of lists, as the fields of a plan have them."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str))


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the number of the line at which the key *path* stands in the TOML *text*.

    A key that stands nowhere has the line of the nearest table around it.
    """
    # Reversed, so that of two equal paths the first line counts.
    lines = {key_path: number for number, key_path in reversed(list(_keys(text)))}
    # From the key itself outwards: its table, the table around that, and so on.
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


# Possessive quantifiers (`++`): a pattern that gives nothing back takes linear time on any line.
_PART = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_HEADER = re.compile(rf"\s*+(\[\[?+)\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+\]")
_KEY = re.compile(rf"\s*+({_PART}(?:\s*+\.\s*+{_PART})*+)\s*+=\s*+(.*)")
_INNER = re.compile(rf"(?<![\w-])({_PART})\s*+=")


def _keys(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Yield the line number and the path of every key of *text*, in their order."""
    table: KeyPath = ()
    arrays: dict[str, int] = {}
    for number, full_line in enumerate(text.split("\n"), 1):
        line = full_line[:MAX_LINE_CHARS]
        header = _HEADER.match(line)
        if header:
            table = tuple(_parts(header[2]))
            if header[1] == "[[":
                arrays[header[2]] = arrays.get(header[2], -1) + 1
                table = (*table, arrays[header[2]])
            yield number, table
            continue
        key = _KEY.match(line)
        if key:
            path = (*table, *_parts(key[1]))
            yield number, path
            for inner in _INNER.findall(key[2]) if key[2].startswith("{") else ():
                yield number, (*path, *_parts(inner))


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, dotted)]

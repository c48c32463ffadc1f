"""The records of a large JSON file one after another, with the places where they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import check_file, unreadable

MAX_FILE_BYTES = 2**36
"""The size above which a file is refused; the original's largest has five billion bytes."""

CHUNK_BYTES = 2**24
"""How many bytes are read at a time."""

MAX_RECORD_BYTES = 2**26
"""The most bytes of one record; the longest of the original's has 0.3 million."""

_SPACE = " \t\r\n"
_AFTER = (*_SPACE, ",", ":", "]", "}")
"""What may follow a value; a number may go on where a piece ends."""
_decode = json.JSONDecoder().raw_decode


class JsonRecord(NamedTuple):
    """One item of a list, or one entry of an object."""

    key: str
    """Its key; empty for an item of a list."""
    value: Any
    start: int
    """Where its value begins in the file, in bytes."""
    length: int
    """How many bytes its value takes."""


class _FileWindow:
    """The part of a file that is looked at.

    It is read as Latin-1, so that a letter is a byte: whatever the file's encoding, the signs of
    JSON are those of ASCII. Values with other signs are decoded again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._text, self._offset, self._place = "", 0, 0

    def close(self) -> None:
        self._file.close()

    def next_char(self) -> str:
        """Return the next sign that is no white space, and go past it."""
        while True:
            while self._place < len(self._text):
                self._place += 1
                if self._text[self._place - 1] not in _SPACE:
                    return self._text[self._place - 1]
            if not self._read_chunk():
                raise DataError(f"{self._path} ends in the middle; fetch it again")

    def step_back(self) -> None:
        """Go back to before the last sign."""
        self._place -= 1

    def next_value(self) -> tuple[Any, int, int]:
        """Return the next value, where it begins, and its length."""
        self.next_char()
        self.step_back()
        while True:
            try:
                value, end = _decode(self._text, self._place)
                whole = self._text[end : end + 1] in _AFTER
            except ValueError:
                whole = False
            except RecursionError as error:
                raise DataError(f"{self._path} is nested too deeply") from error
            if whole:
                break
            if len(self._text) - self._place > MAX_RECORD_BYTES or not self._read_chunk():
                raise DataError(f"{self._path} is no JSON; fetch it again")
        raw, start = self._text[self._place : end], self._offset + self._place
        length, self._place = end - self._place, end
        return (value if raw.isascii() else read_value(raw.encode("latin-1"))), start, length

    def _read_chunk(self) -> bool:
        """Read on, and forget what has been read before; say whether there was more."""
        read = self._file.read(CHUNK_BYTES)
        self._text = self._text[self._place :] + read.decode("latin-1")
        self._offset, self._place = self._offset + self._place, 0
        return bool(read)


def read_value(raw: bytes) -> Any:  # noqa: ANN401  (JSON)
    """Return the value that *raw* spells in UTF-8."""
    return json.loads(raw.decode("utf-8", "replace"))


def stream_records(path: Path) -> Iterator[JsonRecord]:
    """Yield the items of the list, or the entries of the object, that *path* holds.

    Raises:
        DataError: if it cannot be read or is neither.
    """
    check_file(path, most=MAX_FILE_BYTES)
    try:
        text = _FileWindow(path)
    except OSError as error:
        raise unreadable(path, "", error) from error
    try:
        yield from _records(text, path)
    finally:
        text.close()


def _records(text: _FileWindow, path: Path) -> Iterator[JsonRecord]:
    opening = text.next_char()
    if opening not in "[{":
        raise DataError(f"{path} holds neither a list nor an object; name WebShop's own file")
    closing = "]" if opening == "[" else "}"
    sign = text.next_char()
    if sign == closing:
        return
    text.step_back()
    while sign != closing:
        key = text.next_value()[0] if opening == "{" else ""
        if opening == "{" and text.next_char() != ":":
            raise DataError(f"{path} is no JSON: a key without a value; fetch it again")
        yield JsonRecord(str(key), *text.next_value())
        sign = text.next_char()
        if sign not in (",", closing):
            raise DataError(f"{path} is no JSON: no comma between two values; fetch it again")

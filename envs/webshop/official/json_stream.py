"""A JSON parser for large files: one record after another, with its position in bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import check_file, read_error

MAX_FILE_BYTES = 2**36
"""The size above which a file is not read; the original's largest has five billion bytes."""

CHUNK_BYTES = 2**24
"""How many bytes are read at a time."""

MAX_RECORD_BYTES = 2**26
"""The most bytes of one record; the longest of the original's has 0.3 million."""

_SPACE = " \t\r\n"
_AFTER = (*_SPACE, ",", ":", "]", "}")
"""What may follow a value: 12 at the end of a chunk may be the beginning of 123."""
_decode = json.JSONDecoder().raw_decode


class JsonRecord(NamedTuple):
    """One item of a list, or one entry of an object."""

    key: str
    """Its key; empty for an item of a list."""
    value: Any
    start: int
    """The position of its value in the file, in bytes."""
    length: int
    """The length of its value in bytes."""


class _FileWindow:
    """The part of a file that is in memory, and a position in it.

    It is decoded as Latin-1, in which each character is one byte, so that positions in the text are
    positions in the file. The syntax of JSON is ASCII in any case; values with other characters are
    decoded again, as UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._text, self._offset, self._position = "", 0, 0

    def close(self) -> None:
        self._file.close()

    def next_char(self) -> str:
        """Return the next character that is no white space, and go past it."""
        while True:
            while self._position < len(self._text):
                self._position += 1
                if self._text[self._position - 1] not in _SPACE:
                    return self._text[self._position - 1]
            if not self._read_chunk():
                raise DataError(f"{self._path} ends in the middle; fetch it again")

    def step_back(self) -> None:
        """Go back to before the last character."""
        self._position -= 1

    def next_value(self) -> tuple[Any, int, int]:
        """Return the next value, its position in the file and its length, and go past it."""
        self.next_char()
        self.step_back()
        while True:
            try:
                value, end = _decode(self._text, self._position)
                is_complete = self._text[end : end + 1] in _AFTER
            except ValueError:
                is_complete = False
            except RecursionError as error:
                raise DataError(f"{self._path} is nested too deeply") from error
            if is_complete:
                break
            if len(self._text) - self._position > MAX_RECORD_BYTES or not self._read_chunk():
                raise DataError(f"{self._path} is no JSON; fetch it again")
        raw, start = self._text[self._position : end], self._offset + self._position
        length, self._position = end - self._position, end
        return (value if raw.isascii() else parse_value(raw.encode("latin-1"))), start, length

    def _read_chunk(self) -> bool:
        """Read on, and drop what stands before the position; say whether there was more."""
        chunk = self._file.read(CHUNK_BYTES)
        self._text = self._text[self._position :] + chunk.decode("latin-1")
        self._offset, self._position = self._offset + self._position, 0
        return bool(chunk)


def parse_value(raw: bytes) -> Any:  # noqa: ANN401  (JSON)
    """Return the value that *raw* spells in UTF-8."""
    return json.loads(raw.decode("utf-8", "replace"))


def stream_records(path: Path) -> Iterator[JsonRecord]:
    """Yield the items of the list, or the entries of the object, that *path* holds.

    Raises:
        DataError: if it cannot be read or is neither.
    """
    check_file(path, max_bytes=MAX_FILE_BYTES)
    try:
        window = _FileWindow(path)
    except OSError as error:
        raise read_error(path, "", error) from error
    try:
        yield from _records(window, path)
    finally:
        window.close()


def _records(window: _FileWindow, path: Path) -> Iterator[JsonRecord]:
    opening = window.next_char()
    if opening not in "[{":
        raise DataError(f"{path} holds neither a list nor an object; name WebShop's own file")
    closing = "]" if opening == "[" else "}"
    char = window.next_char()
    if char == closing:
        return
    window.step_back()
    while char != closing:
        key = window.next_value()[0] if opening == "{" else ""
        if opening == "{" and window.next_char() != ":":
            raise DataError(f"{path} is no JSON: a key without a value; fetch it again")
        yield JsonRecord(str(key), *window.next_value())
        char = window.next_char()
        if char not in (",", closing):
            raise DataError(f"{path} is no JSON: no comma between two values; fetch it again")

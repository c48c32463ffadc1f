"""Untrusted files, read within bounds: nothing in them is executed, and every size has a limit.

A pipe or a device in the place of a file would hang the reader, and a gigabyte of blanks would fill
the memory. A limit is no allocation: memory is taken for what a file has. A Unicode line separator
inside a text does not end a line of JSON. Every fault is a `DataError` that names the file.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from agentgym_gen.errors import DataError

MEGABYTE = 2**20

MAX_BYTES = 1024 * MEGABYTE
"""The size above which a file is refused, unless the caller sets another limit."""

ARRAY_ERRORS = (
    *(OSError, ValueError, KeyError, IndexError, TypeError),
    *(EOFError, MemoryError, zipfile.BadZipFile, zlib.error),
)
"""What numpy raises for a file of arrays that is missing or damaged, or claims a huge array."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""The JSON escape of a surrogate, alone or in a pair."""

_CHUNK_BYTES = MEGABYTE
"""How much is read or unpacked at once."""

MAX_LINE_BYTES = 64 * MEGABYTE
"""The longest line of a file that is read line by line."""


def check_file(path: Path, content: str = "", max_bytes: int = MAX_BYTES) -> None:
    """Raise unless *path* is an ordinary file of at most *max_bytes* bytes.

    Args:
        path: The file.
        content: What it holds, for the message: ``"Questions"``.
        max_bytes: The greatest size.

    Raises:
        DataError: if it does not exist, is a folder, a pipe or a device, or is too large.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise read_error(path, content, error) from error
    _check_status(status, path, content, max_bytes)


def _check_status(status: os.stat_result, path: Path, content: str, max_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise read_error(path, content, f"it is {kind}, not a file")
    if status.st_size > max_bytes:
        reason = f"it has {status.st_size:,} bytes, and {max_bytes:,} are read"
        raise read_error(path, content, reason)


def read_bytes(path: Path, content: str = "", max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of the file *path*; for the arguments see `check_file`.

    Raises:
        DataError: if it cannot be read, or is too large.
    """
    with _open(path, content, max_bytes) as file:
        # `read` takes the memory for as many bytes as are requested, whatever the file has. One
        # more than its size shows that it ends there.
        size = os.fstat(file.fileno()).st_size
        raw = file.read(size + 1)
        return raw if len(raw) <= size else _read_on(file, raw, path, content, max_bytes)


@contextmanager
def _open(path: Path, content: str, max_bytes: int) -> Iterator[BinaryIO]:
    """Open the file *path*, and turn the errors in the block into one that names it.

    Raises:
        DataError: if it cannot be read, is no ordinary file, or there is no memory for it.
    """
    check_file(path, content, max_bytes)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        # What the name stands for may have changed since the check: a pipe must not hang the open.
        with os.fdopen(os.open(path, flags), "rb") as file:
            _check_status(os.fstat(file.fileno()), path, content, max_bytes)
            yield file
    except DataError:
        raise
    except (OSError, MemoryError) as error:
        reason = "there is too little memory for it" if isinstance(error, MemoryError) else error
        raise read_error(path, content, reason) from error


def _read_on(file: BinaryIO, start: bytes, path: Path, content: str, max_bytes: int) -> bytes:
    """Return *start* and the rest of *file*, which has grown, or reports no size, as in /proc.

    Raises:
        DataError: if it has more than *max_bytes* bytes.
    """
    raw = bytearray(start)
    while piece := file.read(_CHUNK_BYTES):
        raw += piece
        if len(raw) > max_bytes:
            raise read_error(path, content, f"it has more than {max_bytes:,} bytes")
    return bytes(raw)


def read_text(path: Path, content: str = "", max_bytes: int = MAX_BYTES) -> str:
    r"""Return the UTF-8 text of the file *path*, with ``\n`` at the end of lines.

    Raises:
        DataError: if it cannot be read, is too large, or is not UTF-8.
    """
    raw = read_bytes(path, content, max_bytes)
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise read_error(path, content, f"it is not UTF-8: {error}") from error
    except MemoryError as error:
        raise read_error(path, content, "there is too little memory for it") from error


def read_lines(
    path: Path, content: str = "", max_bytes: int = MAX_BYTES
) -> Iterator[tuple[int, str]]:
    """Yield the lines of the UTF-8 file *path* that are not blank, each with its number.

    They are those of `numbered_lines` over `read_text`, but one line is in memory at a time.

    Raises:
        DataError: if it cannot be read, is too large, has a line of more than `MAX_LINE_BYTES`, or
            is not UTF-8.
    """
    for line in read_lines_from(path, LinePosition(), content, max_bytes):
        yield line.position.number, line.text


class LinePosition(NamedTuple):
    """Where a line of a file begins."""

    number: int = 1
    """The number of the line."""
    offset: int = 0
    """How many bytes are before it."""


class Line(NamedTuple):
    """A line of a file."""

    position: LinePosition
    """Where it begins."""
    text: str
    """The line without its end."""
    ended: bool
    """Whether it has an end: the last line of a file that is being written may have none."""


def read_lines_from(
    path: Path,
    position: LinePosition,
    content: str = "",
    max_bytes: int = MAX_BYTES,
    *,
    growing: bool = False,
) -> Iterator[Line]:
    """Yield the lines of the UTF-8 file *path* from *position* on that are not blank.

    If the file is *growing*, a last line without an end may end within a character.

    Raises:
        DataError: as those of `read_lines`.
    """
    with _open(path, content, max_bytes) as file:
        number, offset = position
        file.seek(offset)
        while raw := file.readline(MAX_LINE_BYTES + 1):
            here, offset = LinePosition(number, offset), offset + len(raw)
            if offset > max_bytes or len(raw) > MAX_LINE_BYTES:
                reason = f"line {number} or what is before it is too long"
                raise read_error(path, content, reason)
            ended = raw.endswith(b"\n")
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                if growing and not ended and error.reason == "unexpected end of data":
                    return  # the rest of the character is not written yet
                reason = f"line {number}: it is not UTF-8: {error}"
                raise read_error(path, content, reason) from error
            if text.strip():
                yield Line(here, text.removesuffix("\n").removesuffix("\r"), ended)
            number += 1


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of *text* that are not blank, each with its number.

    Only ``\n`` ends a line: JSON may have U+2028 and other separators inside its strings.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def parse_json(text: str, where: str) -> Any:  # noqa: ANN401  (JSON)
    """Return the value of the JSON *text*.

    Beside what is not JSON, four things are refused: a key that occurs twice in an object, NaN and
    Infinity, a lone surrogate, which cannot be written to a file, and a nesting that is too deep.

    Args:
        text: The text.
        where: Where it stands, for the message: ``"line 3 of 'corpus.jsonl'"``.

    Raises:
        DataError: if it is refused, with the reason.
    """
    try:
        value = _STRICT.decode(text)
        if _SURROGATE.search(text):
            # Encoding fails for a lone surrogate; the decoder has joined those in pairs.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"Bad JSON in {where}: {_reason(error)}") from error
    return value


def gunzip(raw: bytes, path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the unpacked content of the gzip file *path*, whose bytes are *raw*.

    Raises:
        DataError: if it is damaged, or unpacks to more than *max_bytes* bytes.
    """
    unpacked = io.BytesIO()
    rest = raw
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            while rest and not member.eof:
                # One byte over the limit is enough to see that it is exceeded.
                limit = min(_CHUNK_BYTES, max_bytes + 1 - unpacked.tell())
                unpacked.write(member.decompress(rest, limit))
                rest = member.unconsumed_tail or member.unused_data
                if unpacked.tell() > max_bytes:
                    raise read_error(path, "", f"it holds more than {max_bytes:,} bytes")
            if not member.eof:
                raise read_error(path, "", "it ends in the middle")
        return unpacked.getvalue()
    except zlib.error as error:
        raise read_error(path, "", error) from error
    except MemoryError as error:
        raise read_error(path, "", "there is too little memory for it") from error


def read_error(path: Path, content: str, reason: object) -> DataError:
    """Return the error for a file that cannot be read.

    Args:
        path: The file.
        content: What it holds, such as ``"Questions"``, or nothing.
        reason: Why it cannot be read: a text or the error of the system.
    """
    explanation = getattr(reason, "strerror", None) or reason
    start = f"{content} {str(path)!r} cannot be read" if content else f"Cannot read {path}"
    return DataError(f"{start}: {explanation}")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "there is too little memory for it"
    if isinstance(error, UnicodeEncodeError):
        return "a text has half a letter, a surrogate without its other half"
    return str(error)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return *pairs* as a dictionary.

    Raises:
        ValueError: if a key occurs twice.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)!r} stands twice in one object")
    return value


def _refuse_constant(name: str) -> Any:  # noqa: ANN401  (JSON)
    raise ValueError(f"{name} is no number of JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)

__all__ = [
    "ARRAY_ERRORS",
    "MAX_BYTES",
    "MAX_LINE_BYTES",
    "MEGABYTE",
    "Line",
    "LinePosition",
    "check_file",
    "gunzip",
    "numbered_lines",
    "parse_json",
    "read_bytes",
    "read_error",
    "read_lines",
    "read_lines_from",
    "read_text",
]

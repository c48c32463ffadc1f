"""Files of others, read within bounds: nothing is executed, and nothing is read without an end.

A pipe or a device in the place of a file would hang the reader, a gigabyte of blanks would fill the
memory, and a line break of Unicode inside a text is not the end of a line of JSON. Every fault is a
`DataError` that names the file.
"""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError

MEGABYTE = 2**20

MOST = 1024 * MEGABYTE
"""The size above which a file is refused, unless its reader says otherwise."""

ARRAY_DAMAGES = (
    *(OSError, ValueError, KeyError, IndexError, TypeError),
    *(EOFError, MemoryError, zipfile.BadZipFile, zlib.error),
)
"""What numpy raises for a file of arrays that is not there, damaged, or claims a huge one."""

_LONE = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON spells one half of a letter beyond the basic plane, alone or not."""

_PIECE = 16 * MEGABYTE


def check_file(path: Path, what: str = "", most: int = MOST) -> None:
    """Raise unless *path* is an ordinary file of at most *most* bytes.

    Args:
        path: The file.
        what: What it holds, for the message: ``"Questions"``.
        most: The greatest size, in bytes.

    Raises:
        DataError: if it is not there, is a folder, a pipe or a device, or is too large.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise unreadable(path, what, error) from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise unreadable(path, what, f"it is {kind}, not a file")
    if found.st_size > most:
        raise unreadable(path, what, f"it has {found.st_size:,} bytes, and {most:,} are read")


def read_bytes(path: Path, what: str = "", most: int = MOST) -> bytes:
    """Return the content of the file *path*; for the arguments see `check_file`.

    Raises:
        DataError: if it cannot be read, or is too large.
    """
    check_file(path, what, most)
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise unreadable(path, what, error) from error
    if len(raw) > most:  # it has grown, or its size is no size: /proc
        raise unreadable(path, what, f"it has more than {most:,} bytes")
    return raw


def read_text(path: Path, what: str = "", most: int = MOST) -> str:
    r"""Return the UTF-8 text of the file *path*, with ``\n`` at the end of lines.

    Raises:
        DataError: if it cannot be read, is too large, or is not UTF-8.
    """
    raw = read_bytes(path, what, most)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(path, what, f"it is not UTF-8: {error}") from error
    return text.replace("\r\n", "\n")


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of *text* that are not blank, each with its number.

    Only ``\n`` ends a line: JSON has U+2028 and others inside its texts.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def parse_json(text: str, where: str) -> Any:  # noqa: ANN401  (JSON)
    """Return the value that the JSON *text* spells.

    Refused are, beside what is no JSON, a key that stands twice in an object, NaN and Infinity,
    half a letter, which could be written to no file, and a nesting that is too deep.

    Args:
        text: The text.
        where: Where it stands, for the message: ``"line 3 of 'corpus.jsonl'"``.

    Raises:
        DataError: if it is refused, saying why.
    """
    try:
        value = _STRICT.decode(text)
        if _LONE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DataError(f"Bad JSON in {where}: {_why(error)}") from error
    return value


def gunzip(raw: bytes, path: Path, most: int = MOST) -> bytes:
    """Return what the gzip *raw*, the content of the file *path*, holds.

    Raises:
        DataError: if it is damaged, or holds more than *most* bytes.
    """
    whole = io.BytesIO()
    rest = raw
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            while rest and not member.eof:
                whole.write(member.decompress(rest, min(_PIECE, most + 1 - whole.tell())))
                rest = member.unconsumed_tail or member.unused_data
                if whole.tell() > most:
                    raise unreadable(path, "", f"it holds more than {most:,} bytes")
            if not member.eof:
                raise unreadable(path, "", "it ends in the middle")
    except zlib.error as error:
        raise unreadable(path, "", error) from error
    return whole.getvalue()


def unreadable(path: Path, what: str, why: object) -> DataError:
    """Return the error of a file that cannot be read: *what* it holds, and *why*."""
    said = getattr(why, "strerror", None) or why
    start = f"{what} {str(path)!r} cannot be read" if what else f"Cannot read {path}"
    return DataError(f"{start}: {said}")


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeEncodeError):
        return "a text has half a letter, a surrogate without its other half"
    return str(error)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return *pairs* as a dictionary.

    Raises:
        ValueError: if a key stands there twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)!r} stands twice in one object")
    return found


def _no_number(name: str) -> Any:  # noqa: ANN401  (JSON)
    raise ValueError(f"{name} is no number of JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)

__all__ = [
    "ARRAY_DAMAGES",
    "MEGABYTE",
    "MOST",
    "check_file",
    "gunzip",
    "lines_of",
    "parse_json",
    "read_bytes",
    "read_text",
    "unreadable",
]

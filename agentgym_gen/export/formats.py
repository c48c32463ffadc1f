"""The formats of exported rows: from a `DemoRow` to a line of a file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from agentgym_gen.export.demos import DemoRow
from agentgym_gen.export.parquet import ParquetRows

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FORMATS", "HashingFile", "RowWriter"]


class RowWriter(Protocol):
    """Writes rows into a file, one after another."""

    def write(self, row: DemoRow) -> None:
        """Add *row*."""

    def close(self) -> None:
        """Write what is left; the file stays open."""


class HashingFile(io.RawIOBase):
    """A file that knows the hash and the size of what was written into it.

    Args:
        file: Where the bytes go; it stays open.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write *data* and return how many bytes it has."""
        written = bytes(data)
        self._file.write(written)
        self._hash.update(written)
        self.size += len(written)
        return len(written)

    @property
    def sha256(self) -> str:
        """The hash of everything so far, in hexadecimal digits."""
        return self._hash.hexdigest()


class _JsonLines:
    def __init__(self, file: HashingFile, convert: Callable[[DemoRow], Mapping[str, Any]]) -> None:
        self._file, self._convert = file, convert

    def write(self, row: DemoRow) -> None:
        line = json.dumps(self._convert(row), ensure_ascii=False) + "\n"
        self._file.write(line.encode())

    def close(self) -> None:
        """Nothing is left."""


def _sharegpt(row: DemoRow) -> dict[str, Any]:
    """Return *row* as LLaMA-Factory's ``sharegpt`` has it."""
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    turns = [{"from": names[m["role"]], "value": m["content"]} for m in row["messages"]]
    return {"conversations": turns, **{key: row[key] for key in ("env_id", "task_id", "interface")}}


FORMATS: dict[str, tuple[str, Callable[[HashingFile], RowWriter]]] = {
    "messages": (".jsonl", lambda file: _JsonLines(file, lambda row: row)),
    "sharegpt": (".jsonl", lambda file: _JsonLines(file, _sharegpt)),
    "parquet": (".parquet", ParquetRows),
}
"""Each format with the ending of its files and its writer."""

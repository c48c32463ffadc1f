"""Rows as Parquet, with pyarrow (the extra ``parquet``)."""

from __future__ import annotations

from typing import Any

from agentgym_gen.errors import missing_extra
from agentgym_gen.export.demos import DemoRow

__all__ = ["ParquetRows"]

GROUP = 500
"""How many rows are kept until they are written together."""


class ParquetRows:
    """Writes rows as Parquet: ``messages`` is a list of records of role and content.

    Args:
        file: What the bytes are written into; it has the method ``write``.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """

    def __init__(self, file: Any) -> None:  # noqa: ANN401  (a file, which pyarrow writes into)
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise missing_extra("pyarrow", "parquet", "The format 'parquet'") from error
        message = pa.struct([("role", pa.string()), ("content", pa.string())])
        texts = [(name, pa.string()) for name in ("env_id", "task_id", "interface")]
        self._schema = pa.schema([("messages", pa.list_(message)), *texts])
        self._sink = pa.PythonFile(file, mode="w")
        self._writer = pq.ParquetWriter(self._sink, self._schema)
        self._rows: list[DemoRow] = []

    def write(self, row: DemoRow) -> None:
        """Add *row*."""
        self._rows.append(row)
        if len(self._rows) >= GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows = []

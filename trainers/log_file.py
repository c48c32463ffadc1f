"""The file of the log: ``log.jsonl`` in the output folder, one row a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agentgym_gen.errors import ResultExistsError
from agentgym_gen.system.files import append_text, open_regular, write_jsonl
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.callbacks import LogRow

__all__ = ["LOG_FILE", "append_row", "remove_log", "replace_rows"]

LOG_FILE = "log.jsonl"
"""Its name."""

_START = b'{"step": '
"""How every log begins."""


def append_row(folder: Path, row: LogRow) -> None:
    """Add *row* to the log in *folder*.

    Raises:
        DataError: if the file cannot be written.
    """
    with _writing(folder) as path:
        append_text(path, json.dumps(row) + "\n")


def replace_rows(folder: Path, rows: Sequence[LogRow]) -> None:
    """Write a log of *rows* in the place of the one in *folder*.

    Raises:
        DataError: if the file cannot be written.
    """
    with _writing(folder) as path:
        write_jsonl(path, rows)


def remove_log(folder: Path) -> None:
    """Remove the log in *folder*, that of a run which was killed before its first checkpoint.

    Raises:
        DataError: if the file cannot be removed.
        ResultExistsError: if it is no log of a training: it is not ours to remove.
    """
    _check_log(folder / LOG_FILE)
    with _writing(folder) as path:
        path.unlink(missing_ok=True)


@contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    path = folder / LOG_FILE
    with checkpoint.writing(path, "the log"):
        folder.mkdir(parents=True, exist_ok=True)
        yield path


def _check_log(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    start = None
    with suppress(OSError), os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        start = file.read(len(_START))
    if start in (b"", _START):
        return
    raise ResultExistsError(
        f"{path} is there and is no log of a training; move it away, or choose another `output_dir`"
    )

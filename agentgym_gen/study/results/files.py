"""Where the files of a results folder lie, and how one is read: by the type of its content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import Cell, ModelId
from agentgym_gen.study.plan.validation import FieldError, check_value
from agentgym_gen.system.untrusted_files import gunzip, numbered_lines, parse_json, read_bytes

__all__ = [
    "CELL",
    "EPISODES",
    "FAILURE",
    "MODEL_DONE",
    "MODEL_HASH",
    "PLAN",
    "TRANSCRIPTS",
    "Row",
    "cell_folder",
    "check_row",
    "column_file",
    "model_folder",
    "read_log",
    "read_record",
    "read_rows",
]

Row = dict[str, Any]
"""The row of an episode, of a cell or of a log, as it stands in its file."""

PLAN = "plan.json"
CELL = "cell.json"
EPISODES = "episodes.jsonl"
TRANSCRIPTS = "transcripts.jsonl.gz"
FAILURE = "failure.json"

MODEL_DONE = "recipe.json"
"""The file that is written last into the folder of a model: with it, the model is complete."""

MODEL_HASH = "model_hash"
"""The key of that file with the hash of the weights."""


def cell_folder(out: Path, cell: Cell) -> Path:
    """Return the folder of *cell* in the results folder *out*."""
    return out / "cells" / cell.name


def model_folder(out: Path, model: ModelId) -> Path:
    """Return the folder of *model* in the results folder *out*."""
    return out / "models" / model.name


def column_file(out: Path, column_label: str) -> Path:
    """Return the file of the tasks of a column."""
    return out / "columns" / f"{column_label}.json"


def check_row(row: object, hint: Any, where: str) -> Row:  # noqa: ANN401  (a type)
    """Return *row*, whose keys have the types of *hint*.

    The types are those of `agentgym_gen.study.results.schema`.

    Raises:
        DataError: if a key is missing or has another value; *where* begins the sentence.
    """
    try:
        checked: Row = check_value(hint, row)
    except FieldError as error:
        raise DataError(f"{where} does not fit its schema: {error}") from error
    return checked


def read_record(path: Path, hint: Any) -> Row:  # noqa: ANN401
    """Return the JSON object in the file *path*, of the type *hint*.

    Raises:
        DataError: if it cannot be read, or is of another type.
    """
    return check_row(parse_json(_text(read_bytes(path), path), str(path)), hint, str(path))


def read_rows(path: Path, hint: Any) -> list[Row]:  # noqa: ANN401
    """Return the lines of the file *path*, which may be packed, each of the type *hint*.

    Raises:
        DataError: if it cannot be read, or a line is of another type.
    """
    raw = read_bytes(path)
    text = _text(gunzip(raw, path) if path.suffix == ".gz" else raw, path)
    rows = []
    for number, line in numbered_lines(text):
        where = f"Line {number} of {path}"
        rows.append(check_row(parse_json(line, where), hint, where))
    return rows


def read_log(path: Path) -> list[Row]:
    """Return the rows of a training log.

    The last line may be incomplete, if the training was killed or is writing: it is left out.

    Raises:
        DataError: if the file cannot be read, or a line is no row of a log.
    """
    from agentgym_gen.study.results.schema import LogRow

    text = _text(read_bytes(path), path)
    rows = []
    for number, line in numbered_lines(text[: text.rfind("\n") + 1]):
        where = f"Line {number} of {path}"
        # Not the strict reader of JSON: a log has NaN for a number that does not exist.
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where} is not JSON: {error}") from error
        rows.append(check_row(row, LogRow, where))
    return rows


def _text(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"Cannot read {path}: it is not UTF-8: {error}") from error

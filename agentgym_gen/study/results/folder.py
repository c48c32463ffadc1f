"""A results folder against its plan: what lies in it is what the plan says, whole and once.

Only the cells of the plan are read: a copy beside them counts for nothing. A cell is complete if
its files have the schema and fit each other, their folder, their column, their model and the plan.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError
from agentgym_gen.ids import EnvId
from agentgym_gen.study.plan.plan import Cell, Plan, label, plan_key
from agentgym_gen.study.plan.validation import short_repr
from agentgym_gen.study.results.files import (
    CELL,
    EPISODES,
    MODEL_DONE,
    PLAN,
    TRANSCRIPTS,
    Row,
    cell_folder,
    column_file,
    model_folder,
    read_record,
    read_rows,
)
from agentgym_gen.system.untrusted_files import read_bytes

__all__ = ["CellFiles", "ResultsFolder", "file_hash", "read_plan_file"]


TRUNCATED_SINCE = 3
"""The first schema whose episodes count truncated turns."""

COLUMN_KEYS = ("env_id", "env_version", "interface", "data_hash", "prompt_hash")
"""The keys that a cell takes from its column."""


@dataclass(frozen=True)
class CellFiles:
    """The rows of a complete cell."""

    row: Row
    """Its own row."""
    episodes: list[Row]
    """Those of its episodes."""


def read_plan_file(out: Path) -> dict[str, Any]:
    """Return what ``plan.json`` of the results folder *out* holds.

    Raises:
        DataError: if the file is missing, or it is not the plan of a study.
    """
    from agentgym_gen.study.results.schema import PlanFile

    path = out / PLAN
    if not path.exists():
        raise DataError(f"{out} holds no study: it has no {PLAN}")
    try:
        record = read_record(path, PlanFile)
    except DataError as error:
        raise DataError(f"Cannot read {path}: it is not the plan of a study: {error}") from error
    key = plan_key(record["plan"])
    if record["key"] != key:
        raise DataError(
            f"Cannot read {path}: its plan was changed, and has the hash {key} instead of "
            f"{record['key']}; put the old one back"
        )
    return record


class ResultsFolder:
    """The files of a study's cells, read and checked.

    Args:
        out: The results folder.
        plan: The plan; None takes that of the folder.

    Raises:
        DataError: if the folder has no plan that can be read.
    """

    def __init__(self, out: Path, plan: Plan | None = None) -> None:
        self.out = out
        record = read_plan_file(out) if plan is None or (out / PLAN).exists() else None
        self.plan = plan or Plan.from_dict(record["plan"] if record else {})
        self._key: str = record["key"] if record else self.plan.key()
        self._columns: dict[str, Row | None] = {}

    def complete_cells(self) -> Iterator[CellFiles]:
        """Yield the cells of the plan that are complete, in the order of their names.

        Raises:
            DataError: if one has results that do not fit.
        """
        hashes: dict[str, str | None] = {}
        for cell in sorted(self.plan.all_cells(), key=lambda cell: cell.name):
            if (cell_folder(self.out, cell) / CELL).exists():
                try:
                    files = self.read(cell)
                except DataError as error:
                    advice = "; run the study again, which makes this cell anew"
                    raise DataError(f"{error}{advice}") from error
                self._check_model(cell, files.row, hashes)
                yield files

    @staticmethod
    def _check_model(cell: Cell, row: Row, hashes: dict[str, str | None]) -> None:
        """Check that all cells of one model were played with the same weights."""
        model_hash = hashes.setdefault(cell.model.name, row["model_hash"])
        if row["model_hash"] != model_hash:
            raise DataError(
                f"The cells of {cell.model.name} were played with different weights, "
                f"{model_hash!r} and {row['model_hash']!r}; remove those that are not of this "
                "study, and run it again"
            )

    def fault(self, cell: Cell) -> str | None:
        """Return what is wrong with the results of *cell*; None if nothing, or it has none yet."""
        if not (cell_folder(self.out, cell) / CELL).exists():
            return None
        try:
            self.read(cell)
        except DataError as error:
            return str(error)
        return None

    def is_complete(self, cell: Cell) -> bool:
        """Return whether *cell* has results, and nothing is wrong with them."""
        return (cell_folder(self.out, cell) / CELL).exists() and self.fault(cell) is None

    def strangers(self) -> list[str]:
        """Return the names of the folders in ``cells/`` that are no cells of the plan."""
        cells = {cell.name for cell in self.plan.all_cells()}
        paths = filter(Path.is_dir, self.out.glob("cells/*/*"))  # a failed job leaves a file
        names = {path.relative_to(self.out / "cells").as_posix() for path in paths}
        return sorted(names - cells)

    def read(self, cell: Cell) -> CellFiles:
        """Return the rows of *cell*.

        Raises:
            DataError: if they are not all there, or something does not fit.
        """
        from agentgym_gen.study.results.schema import CellRow, EpisodeRow

        folder = cell_folder(self.out, cell)
        row = read_record(folder / CELL, CellRow)
        self._compare(folder / CELL, row, self._expected(cell))
        episodes = read_rows(folder / EPISODES, EpisodeRow)
        names = _names(cell) | {"schema": row["schema"]}
        for number, episode in enumerate(episodes, 1):
            self._compare(f"Line {number} of {folder / EPISODES}", episode, names)
            self._check_counts(f"Line {number} of {folder / EPISODES}", episode)
        self._check_grid(folder, cell, row, episodes)
        self._compare(folder / CELL, row, totals(episodes))
        for name, digest in row.get("files", {}).items():
            if name in (EPISODES, TRANSCRIPTS) and file_hash(folder / name) != digest:
                raise DataError(f"{folder / name} is not the file that the cell was written with")
        return CellFiles(row, episodes)

    def _expected(self, cell: Cell) -> Row:
        """Return the keys of the row of *cell* that are known beforehand."""
        test, env_id = self.plan.test, EnvId.parse(cell.column)
        decoding = {
            "temperature": test.temperature,
            "max_new_tokens": test.max_new_tokens,
            "max_turns": test.max_turns,
        }
        keys = {
            **_names(cell),
            "env_id": env_id.plain,
            "env_version": env_id.version,
            "stages": [list(stage.env_ids) for stage in cell.model.stages],
            "split": test.split,
            "samples": test.samples,
            "decoding": decoding,
            "plan": self._key,
        }
        column = self._column(cell.column)
        if column is not None:
            keys |= {key: column[key] for key in COLUMN_KEYS}
        recipe = model_folder(self.out, cell.model) / MODEL_DONE
        if recipe.exists():
            from agentgym_gen.study.results.schema import RecipeFile

            record = read_record(recipe, RecipeFile)
            keys |= {"model_hash": record["model_hash"]} if "model_hash" in record else {}
        return keys

    def _column(self, column: str) -> Row | None:
        """Return the tasks and hashes of *column*, or None if its file is not there."""
        if column not in self._columns:
            path = column_file(self.out, label(column))
            self._columns[column] = read_column(path) if path.exists() else None
        return self._columns[column]

    @staticmethod
    def _compare(where: object, row: Row, expected: Mapping[str, object]) -> None:
        for key, value in expected.items():
            if row.get(key) != value:
                raise DataError(
                    f"{where} does not fit its study: `{key}` is {short_repr(row.get(key))}, and "
                    f"should be {short_repr(value)}"
                )

    @staticmethod
    def _check_counts(where: object, row: Row) -> None:
        if row["schema"] >= TRUNCATED_SINCE and "truncated_turns" not in row:
            raise DataError(f"{where} does not fit its schema: It needs 'truncated_turns'")
        for key in ("invalid_turns", "truncated_turns", "lenient_turns"):
            if row.get(key, 0) > row["turns"]:
                raise DataError(
                    f"{where} does not fit itself: `{key}` is {row[key]}, of {row['turns']} turns"
                )

    def _check_grid(self, folder: Path, cell: Cell, row: Row, episodes: list[Row]) -> None:
        """Check that each task was played once for each sample, and that no other row is there."""
        column = self._column(cell.column)
        played = Counter((episode["task_id"], episode["sample"]) for episode in episodes)
        task_ids = column["task_ids"] if column else list(dict.fromkeys(task for task, _ in played))
        due = Counter(product(task_ids, range(row["samples"])))
        for task_id, sample in (played - due) + (due - played):
            pair = task_id, sample
            raise DataError(
                f"{folder / EPISODES} does not fit its cell: sample {sample} of "
                f"{short_repr(task_id)} is there {played[pair]} times, and should be {due[pair]} "
                "times"
            )
        if len(task_ids) > self.plan.test.tasks:
            raise DataError(
                f"{folder / EPISODES} does not fit the plan: it has {len(task_ids)} tasks, and the "
                f"plan has {self.plan.test.tasks}"
            )


def read_column(path: Path) -> Row:
    """Return the tasks of a column, with its hashes.

    Raises:
        DataError: if the file cannot be read, or names a task twice.
    """
    from agentgym_gen.study.results.schema import ColumnFile

    column = read_record(path, ColumnFile)
    if len(set(column["task_ids"])) < len(column["task_ids"]):
        raise DataError(f"{path} names a task twice")
    return column


def totals(episodes: list[Row]) -> Row:
    """Return the keys of a cell that count its *episodes*."""
    counts: Row = {
        "episodes": len(episodes),
        "tasks": len({row["task_id"] for row in episodes}),
        "successes": sum(row["success"] for row in episodes),
    }
    turns = sum(row["turns"] for row in episodes)
    if all("truncated_turns" in row for row in episodes):
        truncated = sum(row["truncated_turns"] for row in episodes)
        counts["truncated_rate"] = round(truncated / max(1, turns), 6)
    return counts


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the file *path*.

    Raises:
        DataError: if it cannot be read.
    """
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _names(cell: Cell) -> Row:
    """Return the keys that name *cell* in each of its rows."""
    return {
        "cell": cell.name,
        "arm": cell.model.arm,
        "seed": cell.model.seed,
        "column": cell.column,
    }

"""The folder of an evaluation: what was played with which model, and how every episode went.

    eval.json                what was evaluated: the model, the settings, columns, versions
    episodes.jsonl           one row an episode, in the schema of a study
    transcripts.jsonl.gz     the texts of the episodes, in the same order
    transcripts.jsonl        the same of episodes that were played since, until the run ends
    report.html              the page

A row is that of a study (`agentgym_gen.study.results.rows`): ``arm`` is the label of the model,
``column`` the environment id with its interface, ``seed`` 0; it has ``env_id`` and ``split``, too.
So `agentgym_gen.study.analysis` reads it. Rows are appended as their episodes end, so that a killed
run loses only the episodes that were being played. A run that ends puts them in order: the files of
a finished evaluation do not depend on when it was killed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.evaluation.soundness import (
    check_row,
    check_text,
    has_sound_machines,
    has_sound_settings,
)
from agentgym_gen.ids import EnvId
from agentgym_gen.study.plan.plan import ROW_SCHEMA
from agentgym_gen.study.results.rows import Row
from agentgym_gen.system.files import atomic_write, write_error, write_json, write_jsonl
from agentgym_gen.system.untrusted_files import (
    gunzip,
    numbered_lines,
    parse_json,
    read_bytes,
    read_text,
)

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

__all__ = [
    "EPISODES",
    "NEW_TRANSCRIPTS",
    "OPENING_HASH",
    "RECORD",
    "SCHEMA",
    "TRANSCRIPTS",
    "Column",
    "EpisodeKey",
    "Evaluation",
    "append_episode",
    "finish",
    "key_of",
    "repair",
    "write_record",
]

SCHEMA = 1
"""The version of ``eval.json``; it rises when a key changes its meaning."""

RECORD = "eval.json"
EPISODES = "episodes.jsonl"
TRANSCRIPTS = "transcripts.jsonl.gz"
NEW_TRANSCRIPTS = "transcripts.jsonl"
OPENING_HASH = "opening_hash"
"""The key of a row with the hash of the first observation, by which tasks are told apart."""


class EpisodeKey(NamedTuple):
    """Names one episode of an evaluation."""

    column: str
    """The environment id with its interface."""
    task_id: str
    """The task."""
    sample: int
    """Which of the episodes of the task it is."""


@dataclass(frozen=True)
class Column:
    """An environment and an interface, and the tasks that are played in it."""

    env_id: str
    """The environment's registered id, without the interface."""
    interface: str
    """The interface, as text."""
    task_ids: tuple[str, ...]
    """The tasks, in the order in which they were sampled."""
    samples: int = 1
    """How often each task is played."""

    @property
    def name(self) -> str:
        """The environment id with its interface, the key ``column`` of rows.

        >>> Column("rftgen/TextCraft-easy-v0", "symbols+json", ()).name
        'rftgen/TextCraft-easy-v0?interface=symbols+json'
        """
        if self.interface == "native":
            return self.env_id
        parsed = EnvId.parse(self.env_id)
        return str(parsed.replace(query=(*parsed.query, ("interface", self.interface))))

    @property
    def label(self) -> str:
        """A readable name of environment and interface: ``TextCraft-easy-symbols+json``."""
        return EnvId.parse(self.name).label

    def as_dict(self) -> dict[str, Any]:
        """Return the column as it stands in ``eval.json``."""
        return {
            "column": self.name,
            "env_id": self.env_id,
            "interface": self.interface,
            "samples": self.samples,
            "task_ids": list(self.task_ids),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Column:
        """Return the column that *value*, of ``eval.json``, describes."""
        return cls(
            env_id=value["env_id"],
            interface=value["interface"],
            task_ids=tuple(value["task_ids"]),
            samples=int(value["samples"]),
        )

    def episode_keys(self) -> list[EpisodeKey]:
        """Return the names of its episodes, in their order."""
        return [
            EpisodeKey(self.name, task_id, sample)
            for task_id in self.task_ids
            for sample in range(self.samples)
        ]


class Evaluation:
    """What a folder holds of the evaluation of a model; `open` reads it.

    Args:
        path: The folder.
        record: The content of ``eval.json``.
        rows: The rows of the episodes that were played.
    """

    def __init__(self, path: Path, record: Mapping[str, Any], rows: Iterable[Row]) -> None:
        self.path = path
        """The folder."""
        self.record: Mapping[str, Any] = dict(record)
        """The content of ``eval.json``: model, settings, columns, panel, versions."""
        self.columns = tuple(map(Column.from_dict, record["columns"]))
        """What is played, in the order of the rows."""
        self._rows = list(rows)

    @classmethod
    def open(cls, path: str | Path) -> Evaluation:
        """Return the evaluation in the folder *path*, which may still be running.

        Raises:
            DataError: if there is none, or a file of it cannot be read.
        """
        folder = Path(path)
        if not (folder / RECORD).exists():
            why = f"it has no {RECORD}" if folder.exists() else "there is no such folder"
            raise DataError(f"{folder} holds no evaluation: {why}")
        record = _read_record(folder / RECORD)
        rows = _read_lines(folder / EPISODES) if (folder / EPISODES).exists() else []
        checked = [check_row(row, folder / EPISODES) for row in rows]
        return cls(folder, record, _in_order(record, checked))

    def __repr__(self) -> str:
        """Return the model, the folder, and how many episodes were played."""
        progress = f"{len(self._rows)} of {self.number} episodes"
        return f"<Evaluation of {self.label!r} in {str(self.path)!r}: {progress}>"

    @property
    def label(self) -> str:
        """The label of the model, which is the ``arm`` of its rows."""
        return str(self.record["model"]["label"])

    @property
    def number(self) -> int:
        """How many episodes the evaluation has when it is complete."""
        return sum(len(column.episode_keys()) for column in self.columns)

    @property
    def complete(self) -> bool:
        """Whether every episode was played."""
        return len(self._rows) == self.number

    def rows(self) -> list[Row]:
        """Return the rows in the order of columns, tasks and samples, whatever was played first."""
        return [dict(row) for row in self._rows]

    def transcripts(self, column: str | None = None) -> list[Row]:
        """Return the texts of the episodes, in the order of the rows.

        Args:
            column: The column whose episodes are returned; None returns those of all.

        Raises:
            DataError: if they cannot be read.
        """
        texts = _read_transcripts(self.path)
        keys = [key_of(row) for row in self._rows if column in (None, row["column"])]
        return [texts[key] for key in keys if key in texts]

    def episodes(self) -> pd.DataFrame:
        """Return the rows as a data frame.

        Raises:
            MissingExtraError: if pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise missing_extra("pandas", "study", "A data frame") from error
        return pd.DataFrame(self.rows())


def key_of(row: Mapping[str, Any]) -> EpisodeKey:
    """Return the name of the episode of *row*, a row or a transcript."""
    return EpisodeKey(row["column"], row["task_id"], row["sample"])


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write ``eval.json`` into the folder *path*.

    Raises:
        DataError: if the folder cannot be written.
    """
    write_json(path / RECORD, {"schema": SCHEMA, "row_schema": ROW_SCHEMA, **record})


def append_episode(path: Path, row: Row, transcript: Row) -> None:
    """Append an episode that has ended to the files in the folder *path*.

    The transcript comes first, so that a row has one whenever the process is killed.

    Raises:
        DataError: if the folder cannot be written.
    """
    for name, value in ((NEW_TRANSCRIPTS, transcript), (EPISODES, row)):
        line = json.dumps(value, ensure_ascii=False) + "\n"
        try:
            with (path / name).open("ab") as file:
                file.write(line.encode("utf-8"))
        except OSError as error:
            raise write_error(path / name, error) from error


def repair(path: Path) -> None:
    """Remove incomplete last lines, which a killed run leaves, so that lines can be appended.

    Raises:
        DataError: if a file cannot be read or written.
    """
    for name in (EPISODES, NEW_TRANSCRIPTS):
        if not (path / name).exists():
            continue
        raw = read_bytes(path / name)
        end = raw.rfind(b"\n") + 1
        if end < len(raw):
            with atomic_write(path / name) as file:
                file.write(raw[:end])


def finish(path: Path) -> None:
    """Put rows and transcripts of the folder *path* into the order of the columns.

    Raises:
        DataError: if a file cannot be read or written.
    """
    rows = Evaluation.open(path).rows()
    texts = _read_transcripts(path)
    lines = "".join(_line(texts[key]) for key in map(key_of, rows) if key in texts)
    with atomic_write(path / TRANSCRIPTS) as file:
        # mtime=0: gzip would write the time, and the same episodes would not be the same bytes
        file.write(gzip.compress(lines.encode("utf-8"), mtime=0))
    write_jsonl(path / EPISODES, rows)
    (path / NEW_TRANSCRIPTS).unlink(missing_ok=True)


def _line(value: Row) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _read_transcripts(folder: Path) -> dict[EpisodeKey, Row]:
    """Return the texts of all episodes; an episode that was played again has its last ones."""
    texts: dict[EpisodeKey, Row] = {}
    path = folder / TRANSCRIPTS
    if path.exists():
        rows = _parse_lines(gunzip(read_bytes(path), path), path)
        texts |= {key_of(row): check_text(row, path) for row in rows}
    if (folder / NEW_TRANSCRIPTS).exists():
        path = folder / NEW_TRANSCRIPTS
        texts |= {key_of(row): check_text(row, path) for row in _read_lines(path)}
    return texts


def _read_lines(path: Path) -> list[Row]:
    """Return the rows of the file *path*; an incomplete last line is left out."""
    text = read_bytes(path)
    return _parse_lines(text[: text.rfind(b"\n") + 1], path)


def _parse_lines(raw: bytes, path: Path) -> list[Row]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"Cannot read {path}: it is not UTF-8: {error}") from error
    rows = []
    for number, line in numbered_lines(text):
        row = parse_json(line, f"line {number} of {path}")
        names = [row.get(name) if isinstance(row, dict) else None for name in EpisodeKey._fields]
        if not all(isinstance(name, str | int) for name in names):
            raise DataError(f"Line {number} of {path} names no episode: {line[:60]!r}")
        rows.append(row)
    return rows


def _in_order(record: Mapping[str, Any], rows: Iterable[Row]) -> list[Row]:
    """Return the last row of each episode of *record*, in the order of the columns."""
    by_key = {key_of(row): row for row in rows}
    keys = [
        key for column in map(Column.from_dict, record["columns"]) for key in column.episode_keys()
    ]
    return [by_key[key] for key in keys if key in by_key]


def _read_record(path: Path) -> dict[str, Any]:
    record = parse_json(read_text(path), str(path))
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise DataError(f"Cannot read {path}: it is not the record of an evaluation")
    if record["schema"] > SCHEMA:
        raise DataError(
            f"{path} is of schema {record['schema']}, and this version reads up to {SCHEMA}; "
            "install a newer agentgym-gen"
        )
    try:
        is_sound = _is_sound(record)
    except (LookupError, TypeError, ValueError, AttributeError):
        is_sound = False
    if not is_sound:
        raise DataError(f"Cannot read {path}: it is not the record of an evaluation")
    return record


def _is_sound(record: Mapping[str, Any]) -> bool:
    """Return whether what is read of *record* is there and has its type; it may raise instead."""
    columns = [Column.from_dict(column) for column in record["columns"]]
    names = [record["model"]["label"], *(column.label for column in columns)]
    names += [task_id for column in columns for task_id in column.task_ids]
    settings, panel = record["settings"], record.get("panel")
    if panel is not None:
        names += [panel["name"], panel["hash"], *panel["left_out"]]
    return (
        all(isinstance(name, str) for name in names)
        and has_sound_settings(settings)
        and has_sound_machines(record["made_with"])
        and {"version", "prompt_hash"} <= record.keys()
    )

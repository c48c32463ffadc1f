"""The files of a cell: written atomically, and read again.

    cells/<arm>.s<seed>/<column>/
        episodes.jsonl         one row an episode
        transcripts.jsonl.gz   the texts of the episodes, in the same order
        cell.json              the row of the cell; written last, so that a cell with it is complete
        failure.json           instead of all these: why there are no results

The keys are documented in ``docs/study.md``; `ROW_SCHEMA` is their version.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import ROW_SCHEMA, Cell, ModelId
from agentgym_gen.study.results.failures import failure_modes
from agentgym_gen.system.files import atomic_write, write_json, write_jsonl
from agentgym_gen.system.untrusted_files import gunzip, numbered_lines, read_bytes, read_text

__all__ = [
    "Row",
    "cell_folder",
    "is_complete",
    "make_episode_row",
    "make_transcript",
    "model_folder",
    "read_cells",
    "read_curves",
    "read_episodes",
    "read_failures",
    "read_jsonl",
    "read_transcripts",
    "write_cell",
]

Row = dict[str, Any]
"""The row of an episode, of a cell or of a log, as it stands in its file."""

_KEY_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("cell", "arm", "column", "task_id", "interface"), (str,)),
    **dict.fromkeys(("seed", "sample", "turns", "invalid_turns"), (int,)),
    **dict.fromkeys(("score", "reward"), (int, float)),
    "success": (bool,),
    "failures": (list,),
}
"""The types of the keys of an episode row; a key may be absent."""

_REQUIRED_KEYS = ("arm", "column", "seed", "task_id", "success", "score")
"""The keys that every episode row needs, because the analysis reads them."""

EPISODES, TRANSCRIPTS, CELL, FAILURE = (
    *("episodes.jsonl", "transcripts.jsonl.gz"),
    *("cell.json", "failure.json"),
)


def cell_folder(out: Path, cell: Cell) -> Path:
    """Return the folder of *cell* in the results folder *out*."""
    return out / "cells" / cell.name


def model_folder(out: Path, model: ModelId) -> Path:
    """Return the folder of *model* in the results folder *out*."""
    return out / "models" / model.name


def is_complete(out: Path, cell: Cell) -> bool:
    """Return whether *out* holds all results of *cell*."""
    return (cell_folder(out, cell) / CELL).is_file()


def write_cell(
    out: Path, cell: Cell, keys: Mapping[str, Any], trajectories: Sequence[Trajectory]
) -> None:
    """Write the results of *cell*; *keys* are those of its row besides names and totals.

    Raises:
        DataError: if the folder cannot be written.
    """
    folder = cell_folder(out, cell)
    (folder / FAILURE).unlink(missing_ok=True)
    rows = [make_episode_row(cell, trajectory) for trajectory in trajectories]
    transcripts = [make_transcript(trajectory) for trajectory in trajectories]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in transcripts)
    # mtime=0: gzip would write the time, and the same episodes would not be the same bytes.
    with atomic_write(folder / TRANSCRIPTS) as file:
        file.write(gzip.compress(lines.encode("utf-8"), mtime=0))
    write_jsonl(folder / EPISODES, rows)
    write_json(folder / CELL, {"schema": ROW_SCHEMA, **_cell_keys(cell), **keys, **_totals(rows)})


def _cell_keys(cell: Cell) -> Row:
    return {
        "cell": cell.name,
        "arm": cell.model.arm,
        "seed": cell.model.seed,
        "column": cell.column,
    }


def _totals(rows: Sequence[Row]) -> Row:
    return {
        "episodes": len(rows),
        "tasks": len({row["task_id"] for row in rows}),
        "successes": sum(row["success"] for row in rows),
    }


def make_episode_row(cell: Cell, trajectory: Trajectory) -> Row:
    """Return the row of one test episode."""
    observations = [*(turn.observation for turn in trajectory.turns), trajectory.last_observation]
    return {
        "schema": ROW_SCHEMA,
        **_cell_keys(cell),
        "task_id": trajectory.task_id,
        "sample": trajectory.sample,
        "interface": trajectory.interface,
        "success": trajectory.success,
        "score": round(trajectory.score, 6),
        "reward": round(trajectory.total_reward, 6),
        "turns": len(trajectory.turns),
        "invalid_turns": trajectory.invalid_turns,
        "action_tokens": trajectory.action_tokens,
        "observation_chars": sum(map(len, observations)),
        "end_reason": trajectory.end_reason,
        "failures": list(failure_modes(trajectory)),
    }


def make_transcript(trajectory: Trajectory) -> Row:
    """Return the texts of one episode, turn by turn."""
    return {
        "task_id": trajectory.task_id,
        "sample": trajectory.sample,
        "success": trajectory.success,
        "end_reason": trajectory.end_reason,
        "turns": [
            {
                "observation": turn.observation,
                "completion": turn.completion.text,
                "action": turn.action,
                "reward": round(turn.reward, 6),
                "valid": turn.valid,
            }
            for turn in trajectory.turns
        ],
        "last_observation": trajectory.last_observation,
    }


def read_episodes(out: Path) -> list[Row]:
    """Return the episode rows of every complete cell in *out*, in the order of their names.

    Raises:
        DataError: if there are none, or a line is no row of this schema.
    """
    paths = [path.with_name(EPISODES) for path in _complete_cells(out)]
    rows = [_check_episode(row, path) for path in paths for row in read_jsonl(path)]
    if not rows:
        raise DataError(f"No results in {out}; run the study first")
    return rows


def _check_episode(row: Row, path: Path) -> Row:
    bad_keys = [key for key in _REQUIRED_KEYS if key not in row]
    # An absent key has a value of its type: `str()`, `int()` and so on.
    bad_keys += [
        key for key, types in _KEY_TYPES.items() if not isinstance(row.get(key, types[0]()), types)
    ]
    if bad_keys:
        key = bad_keys[0]
        raise DataError(f"A row of {path} has no sound {key!r}: {row.get(key)!r}")
    return row


def read_cells(out: Path) -> list[Row]:
    """Return the cell row of every complete cell in *out*, in the order of their names."""
    return [_check_schema(_read_object(path), str(path)) for path in _complete_cells(out)]


def read_failures(out: Path) -> list[Row]:
    """Return the failure row of every cell and training in *out* that failed."""
    return [_read_object(path) for path in sorted(out.glob(f"*/**/{FAILURE}"))]


def read_transcripts(out: Path, cell_name: str) -> list[Row]:
    """Return the transcripts of the cell called *cell_name*.

    Raises:
        DataError: if they cannot be read.
    """
    path = out / "cells" / cell_name / TRANSCRIPTS
    if ".." in path.parts[len(out.parts) :] or Path(cell_name).is_absolute():
        raise DataError(f"The cell {cell_name!r} does not lie in {out}")
    try:
        text = gunzip(read_bytes(path), path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"Cannot read {path}: {error}") from error
    return [
        _parse_object(line, f"Line {number} of {path}") for number, line in numbered_lines(text)
    ]


def read_curves(out: Path) -> dict[str, list[Row]]:
    """Return the training log of every model in *out* that has one, by the model's name."""
    return {
        path.parent.name: read_jsonl(path, schema=None)
        for path in sorted(out.glob("models/*/log.jsonl"))
    }


def _complete_cells(out: Path) -> Iterator[Path]:
    yield from sorted(out.glob(f"cells/*/*/{CELL}"))


def _read_object(path: Path) -> Row:
    return _parse_object(read_text(path), str(path))


def _parse_object(text: str, where: str) -> Row:
    # Not the strict reader of JSON: a trainer's log has NaN for a number that does not exist.
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{where} holds no JSON object")
    return value


def read_jsonl(path: Path, schema: int | None = ROW_SCHEMA) -> list[Row]:
    """Return the rows of the file *path*; those of a log have no schema, which is None.

    The last line of a log may be incomplete, if its training was killed or is writing: it is left
    out.

    Raises:
        DataError: if the file cannot be read, or a line is no row of the schema.
    """
    text = read_text(path)
    if schema is None:
        text = text[: text.rfind("\n") + 1]
    rows: list[Row] = []
    for number, line in numbered_lines(text):
        where = f"Line {number} of {path}"
        row = _parse_object(line, where)
        rows.append(row if schema is None else _check_schema(row, where))
    return rows


def _check_schema(row: Row, where: str) -> Row:
    if row.get("schema") != ROW_SCHEMA:
        raise DataError(f"{where} is not a row of schema {ROW_SCHEMA}")
    return row

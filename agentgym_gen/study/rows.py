"""What a study leaves behind: the files of a cell, written whole or not at all, and read again.

    cells/<arm>.s<seed>/<column>/
        episodes.jsonl         one row an episode
        transcripts.jsonl.gz   what was said, in the same order
        cell.json              the row of the cell; written last, so that a cell with it is whole
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
from agentgym_gen.study.failures import failure_modes
from agentgym_gen.study.plan import ROW_SCHEMA, Cell, ModelId
from agentgym_gen.system.files import atomic_write, write_json, write_jsonl
from agentgym_gen.system.untrusted_files import gunzip, numbered_lines, read_bytes, read_text

Row = dict[str, Any]
"""One episode, or one cell, as it was written."""

_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("cell", "arm", "column", "task_id", "interface"), (str,)),
    **dict.fromkeys(("seed", "sample", "turns", "invalid_turns"), (int,)),
    **dict.fromkeys(("score", "reward"), (int, float)),
    "success": (bool,),
    "failures": (list,),
}
"""What the keys of an episode row hold, where they are there."""

_NEEDED = ("arm", "column", "seed", "task_id", "success", "score")
"""What the analysis of an episode row reads."""

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


def is_whole(out: Path, cell: Cell) -> bool:
    """Return whether *cell* has all its results."""
    return (cell_folder(out, cell) / CELL).is_file()


def write_cell(
    out: Path, cell: Cell, about: Mapping[str, Any], played: Sequence[Trajectory]
) -> None:
    """Write the results of *cell*; *about* goes into the row of the cell.

    Raises:
        DataError: if the folder cannot be written.
    """
    folder = cell_folder(out, cell)
    (folder / FAILURE).unlink(missing_ok=True)
    rows = [episode_row(cell, trajectory) for trajectory in played]
    told = "".join(json.dumps(transcript(t), ensure_ascii=False) + "\n" for t in played)
    # Without the time of writing, so that the same episodes are the same file.
    with atomic_write(folder / TRANSCRIPTS) as file:
        file.write(gzip.compress(told.encode("utf-8"), mtime=0))
    write_jsonl(folder / EPISODES, rows)
    write_json(folder / CELL, {"schema": ROW_SCHEMA, **_names(cell), **about, **_sums(rows)})


def _names(cell: Cell) -> Row:
    return {
        "cell": cell.name,
        "arm": cell.model.arm,
        "seed": cell.model.seed,
        "column": cell.column,
    }


def _sums(rows: Sequence[Row]) -> Row:
    return {
        "episodes": len(rows),
        "tasks": len({row["task_id"] for row in rows}),
        "successes": sum(row["success"] for row in rows),
    }


def episode_row(cell: Cell, trajectory: Trajectory) -> Row:
    """Return the row of one test episode."""
    seen = [*(turn.observation for turn in trajectory.turns), trajectory.last_observation]
    return {
        "schema": ROW_SCHEMA,
        **_names(cell),
        "task_id": trajectory.task_id,
        "sample": trajectory.sample,
        "interface": trajectory.interface,
        "success": trajectory.success,
        "score": round(trajectory.score, 6),
        "reward": round(trajectory.total_reward, 6),
        "turns": len(trajectory.turns),
        "invalid_turns": trajectory.invalid_turns,
        "action_tokens": trajectory.action_tokens,
        "observation_chars": sum(map(len, seen)),
        "end_reason": trajectory.end_reason,
        "failures": list(failure_modes(trajectory)),
    }


def transcript(trajectory: Trajectory) -> Row:
    """Return what was said in one episode."""
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
    """Return the episode rows of every whole cell in *out*, in the order of their names.

    Raises:
        DataError: if there are none, or a line is no row of this schema.
    """
    paths = [path.with_name(EPISODES) for path in _whole(out)]
    rows = [_checked_episode(row, path) for path in paths for row in read_jsonl(path)]
    if not rows:
        raise DataError(f"No results in {out}; run the study first")
    return rows


def _checked_episode(row: Row, path: Path) -> Row:
    wrong = [key for key in _NEEDED if key not in row]
    wrong += [
        key for key, kinds in _KINDS.items() if not isinstance(row.get(key, kinds[0]()), kinds)
    ]
    if wrong:
        raise DataError(f"A row of {path} has no sound {wrong[0]!r}: {row.get(wrong[0])!r}")
    return row


def read_cells(out: Path) -> list[Row]:
    """Return the cell rows of every whole cell in *out*, in the order of their names."""
    return [_checked(_load(path), str(path)) for path in _whole(out)]


def read_failures(out: Path) -> list[Row]:
    """Return what is known of every cell and training in *out* that failed."""
    return [_load(path) for path in sorted(out.glob(f"*/**/{FAILURE}"))]


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
    return [_object(line, f"Line {number} of {path}") for number, line in numbered_lines(text)]


def read_curves(out: Path) -> dict[str, list[Row]]:
    """Return the training log of every model in *out* that has one, by the model's name."""
    return {
        path.parent.name: read_jsonl(path, -1) for path in sorted(out.glob("models/*/log.jsonl"))
    }


def _whole(out: Path) -> Iterator[Path]:
    yield from sorted(out.glob(f"cells/*/*/{CELL}"))


def _load(path: Path) -> Row:
    return _object(read_text(path), str(path))


def _object(text: str, where: str) -> Row:
    # Not the strict reader: a trainer's log has NaN where a number is none.
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{where} holds no JSON object")
    return found


def read_jsonl(path: Path, schema: int = ROW_SCHEMA) -> list[Row]:
    """Return the rows of the file *path*; a negative *schema* takes any: the file is a log.

    The last line of a log may be half-written, when its run was killed or is writing.

    Raises:
        DataError: if it cannot be read, or a line is no row of the schema.
    """
    text = read_text(path)
    if schema < 0:
        text = text[: text.rfind("\n") + 1]
    rows: list[Row] = []
    for number, line in numbered_lines(text):
        where = f"Line {number} of {path}"
        row = _object(line, where)
        rows.append(row if schema < 0 else _checked(row, where))
    return rows


def _checked(row: Row, where: str) -> Row:
    if row.get("schema") != ROW_SCHEMA:
        raise DataError(f"{where} is not a row of schema {ROW_SCHEMA}")
    return row

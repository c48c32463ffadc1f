"""The files of a cell: written atomically, and read again.

    cells/<arm>.s<seed>/<column>/
        episodes.jsonl         one row an episode
        transcripts.jsonl.gz   the texts of the episodes, in the same order
        cell.json              the row of the cell; written last, so that a cell with it is complete
        failure.json           instead of all these: why there are no results

The keys are documented in ``docs/study.md``; `ROW_SCHEMA` is their version, and
`agentgym_gen.study.results.schema` has their types. What is read is checked against the plan, by
`agentgym_gen.study.results.folder`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import ROW_SCHEMA, Cell, Plan
from agentgym_gen.study.results.failures import failure_modes
from agentgym_gen.study.results.files import (
    CELL,
    EPISODES,
    FAILURE,
    TRANSCRIPTS,
    Row,
    cell_folder,
    model_folder,
    read_log,
    read_record,
    read_rows,
)
from agentgym_gen.study.results.folder import ResultsFolder, file_hash, totals
from agentgym_gen.system.files import atomic_write, write_json, write_jsonl

__all__ = [
    "FAILURE",
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
    "read_transcripts",
    "write_cell",
]


def is_complete(out: Path, cell: Cell, plan: Plan | None = None) -> bool:
    """Return whether *out* holds all results of *cell*, and they fit *plan*.

    Args:
        out: The results folder.
        cell: A cell of the plan.
        plan: The plan; None takes that of the folder.
    """
    return ResultsFolder(out, plan).is_complete(cell)


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
    hashes = {"files": {name: file_hash(folder / name) for name in (EPISODES, TRANSCRIPTS)}}
    row = {"schema": ROW_SCHEMA, **_cell_keys(cell), **keys, **totals(rows), **hashes}
    write_json(folder / CELL, row)


def _cell_keys(cell: Cell) -> Row:
    return {
        "cell": cell.name,
        "arm": cell.model.arm,
        "seed": cell.model.seed,
        "column": cell.column,
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
        "truncated_turns": trajectory.truncated_turns,
        "lenient_turns": trajectory.lenient_turns,
        "action_tokens": trajectory.action_tokens,
        "observation_chars": sum(map(len, observations)),
        "end_reason": trajectory.end_reason,
        "failures": list(failure_modes(trajectory)),
    }


def make_transcript(trajectory: Trajectory) -> Row:
    """Return the texts of one episode, turn by turn.

    ``error``, ``lenient`` and ``truncated`` are there only where there is something to say.
    """
    return {
        "task_id": trajectory.task_id,
        "sample": trajectory.sample,
        "success": trajectory.success,
        "end_reason": trajectory.end_reason,
        **({"error": trajectory.error} if trajectory.error else {}),
        "turns": [_turn_texts(turn) for turn in trajectory.turns],
        "last_observation": trajectory.last_observation,
    }


def _turn_texts(turn: Turn) -> Row:
    marks = {"lenient": turn.lenient, "truncated": turn.completion.truncated}
    return {
        "observation": turn.observation,
        "completion": turn.completion.text,
        "action": turn.action,
        "reward": round(turn.reward, 6),
        "valid": turn.valid,
        **{name: True for name, is_marked in marks.items() if is_marked},
    }


def read_episodes(out: Path, plan: Plan | None = None) -> list[Row]:
    """Return the episode rows of every complete cell of *plan* in *out*, by the names of cells.

    Args:
        out: The results folder.
        plan: The plan; None takes that of the folder.

    Raises:
        DataError: if there are none, or a cell has results that do not fit; they are named.
    """
    folder = ResultsFolder(out, plan)
    rows = [row for cell in folder.complete_cells() for row in cell.episodes]
    if not rows:
        raise DataError(f"No results in {out}; run the study first")
    return rows


def read_cells(out: Path, plan: Plan | None = None) -> list[Row]:
    """Return the row of every complete cell of *plan* in *out*, in the order of their names.

    Raises:
        DataError: if a cell has results that do not fit; they are named.
    """
    return [cell.row for cell in ResultsFolder(out, plan).complete_cells()]


def read_failures(out: Path) -> list[Row]:
    """Return the failure row of every cell and training in *out* that failed.

    Raises:
        DataError: if one cannot be read.
    """
    from agentgym_gen.study.results.schema import FailureFile

    return [read_record(path, FailureFile) for path in sorted(out.glob(f"*/**/{FAILURE}"))]


def read_transcripts(out: Path, cell_name: str) -> list[Row]:
    """Return the transcripts of the cell called *cell_name*.

    Raises:
        DataError: if they cannot be read.
    """
    from agentgym_gen.study.results.schema import TranscriptRow

    path = out / "cells" / cell_name / TRANSCRIPTS
    if ".." in path.parts[len(out.parts) :] or Path(cell_name).is_absolute():
        raise DataError(f"The cell {cell_name!r} does not lie in {out}")
    return read_rows(path, TranscriptRow)


def read_curves(out: Path) -> dict[str, list[Row]]:
    """Return the training log of every model in *out* that has one, by the model's name.

    Raises:
        DataError: if a log cannot be read.
    """
    return {path.parent.name: read_log(path) for path in sorted(out.glob("models/*/log.jsonl"))}

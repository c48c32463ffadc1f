"""What a path holds: an evaluation, a study, or trajectories as lines of JSON.

A source yields its episodes in order, each with its position, from which it can begin again: so the
viewer need not keep texts in memory. Only an evaluation keeps its own, whose order is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.agents.trajectory_files import read_trajectory_lines
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.evaluation.results import (
    EPISODES,
    NEW_TRANSCRIPTS,
    RECORD,
    Evaluation,
    key_of,
)
from agentgym_gen.study.plan.plan import Cell
from agentgym_gen.study.results.files import CELL, PLAN, cell_folder
from agentgym_gen.study.results.folder import ResultsFolder
from agentgym_gen.study.results.rows import Row, read_transcripts
from agentgym_gen.viewer.episodes import ViewedEpisode, from_line, from_row

__all__ = ["TRAJECTORIES", "Source", "open_sources"]

TRAJECTORIES = "trajectories.jsonl"
"""The file of a training's folder with its episodes; a calibration has ``STEM.trajectories.jsonl``.
"""

ENDINGS = (".jsonl", ".ndjson")
"""The endings of a file of trajectories."""

ACCEPTED = (
    "name a folder that `agentgym-gen eval`, `study run` or a training has written, a folder of "
    f"such folders, or a file of trajectories ({', '.join(ENDINGS)})"
)


class Source(Protocol):
    """Episodes of one path."""

    name: str
    """What the viewer calls it."""
    notes: list[str]
    """What was left out, in sentences."""

    def read(self, position: Any = None) -> Iterator[tuple[Any, ViewedEpisode]]:  # noqa: ANN401
        """Yield the episodes from *position*, or all, each with its own position.

        Raises:
            DataError: if a file cannot be read.
        """


class EvaluationSource:
    """The episodes of a folder of ``agentgym-gen eval``, as far as they were played.

    Args:
        path: The folder.
        name: What it is called.

    Raises:
        DataError: if it cannot be read.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        evaluation = Evaluation.open(path)
        self._rows = evaluation.rows()
        self._texts = {key_of(text): text for text in evaluation.transcripts()}
        self.notes: list[str] = []
        if not evaluation.complete:
            played = f"{len(self._rows)} of {evaluation.number} episodes were played"
            self.notes.append(f"{name} is not finished: {played}.")

    def read(self, position: int | None = None) -> Iterator[tuple[int, ViewedEpisode]]:
        """Yield the episodes in the order of columns, tasks and samples."""
        for number, row in enumerate(self._rows[position or 0 :], position or 0):
            text = self._texts.get(key_of(row))
            yield number, from_row(self.name, row, text, self._path)


class StudySource:
    """The episodes of the complete cells of a study.

    Args:
        path: Its folder.
        name: What it is called.

    Raises:
        DataError: if it has no plan that can be read.
        MissingExtraError: if what reads results is not installed.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        self._folder = ResultsFolder(path)
        self._cells: list[Cell] = []
        self.notes: list[str] = []
        for cell in sorted(self._folder.plan.all_cells(), key=lambda cell: cell.name):
            fault = self._folder.fault(cell)
            if fault is not None:
                self.notes.append(f"Left out: {fault}.")
            elif (cell_folder(path, cell) / CELL).exists():
                self._cells.append(cell)
        self._read_cell = lru_cache(maxsize=8)(self._episodes)

    def read(
        self, position: tuple[int, int] | None = None
    ) -> Iterator[tuple[tuple[int, int], ViewedEpisode]]:
        """Yield the episodes cell by cell."""
        first, row = position or (0, 0)
        for number in range(first, len(self._cells)):
            episodes = self._read_cell(number)
            for place in range(row if number == first else 0, len(episodes)):
                yield (number, place), episodes[place]

    def _episodes(self, number: int) -> list[ViewedEpisode]:
        cell = self._cells[number]
        texts = {_key(text): text for text in read_transcripts(self._path, cell.name)}
        seed = str(cell.model.seed)
        return [
            from_row(self.name, row, texts.get(_key(row)), cell.name, seed=seed)
            for row in self._folder.read(cell).episodes
        ]


def _key(row: Row) -> tuple[str, int]:
    return row["task_id"], row["sample"]


class TrajectorySource:
    """The lines of a file of trajectories, which may be of any size.

    Args:
        path: The file.
        name: What it is called.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        self.notes: list[str] = []

    def read(self, position: Any = None) -> Iterator[tuple[Any, ViewedEpisode]]:  # noqa: ANN401
        """Yield the episodes line by line."""
        for place, line in read_trajectory_lines(self._path, position):
            yield place, from_line(self.name, line)


def open_sources(paths: Sequence[str | Path]) -> list[Source]:
    """Return the sources of *paths*, each called by the shortest end of its path that tells it.

    Args:
        paths: Folders of ``eval``, of a study or of a training, folders of such folders, the stem
            of a calibration, or files of trajectories.

    Raises:
        DataError: if one of them is none of these, or a file cannot be read.
        InvalidValueError: if there is none, or one is named twice.
    """
    places = [place for path in paths for place in _places(Path(path))]
    resolved = [place.resolve() for place in places]
    twice = [place for place in resolved if resolved.count(place) > 1]
    if twice or not places:
        reason = f"{twice[0]} is named twice; name each path once" if twice else "No path is named"
        raise InvalidValueError(reason)
    return [_open(place, name) for place, name in zip(places, _names(resolved), strict=True)]


def _places(path: Path) -> list[Path]:
    """Return what is to be opened of *path*: itself, or what lies in it.

    Raises:
        DataError: if it holds no episodes.
    """
    played = Path(f"{path}.{TRAJECTORIES}")
    if path.is_dir():
        own = _own_place(path)
        children = sorted(child for child in path.iterdir() if child.is_dir())
        places = [own] if own else [place for child in children if (place := _own_place(child))]
        if places:
            return places
        raise DataError(f"{path} holds no conversations; {ACCEPTED}")
    if path.suffix in ENDINGS and path.exists():
        if folder := _run_of(path):
            raise DataError(f"{path} has the rows of a run; open its folder: {folder}")
        return [path]
    if played.exists():
        return [played]
    if not path.exists():
        raise DataError(f"There is no {path}; {ACCEPTED}")
    raise DataError(f"{path} holds no conversations; {ACCEPTED}")


def _run_of(path: Path) -> Path | None:
    """Return the folder of the evaluation or the study that wrote the file *path*, or None."""
    if path.name not in (EPISODES, NEW_TRANSCRIPTS):
        return None
    if (path.parent / RECORD).exists():
        return path.parent
    # STUDY/cells/MODEL/COLUMN/episodes.jsonl
    return path.absolute().parents[3] if (path.parent / CELL).exists() else None


def _own_place(folder: Path) -> Path | None:
    if (folder / RECORD).exists() or (folder / PLAN).exists():
        return folder
    return folder / TRAJECTORIES if (folder / TRAJECTORIES).exists() else None


def _open(path: Path, name: str) -> Source:
    if (path / RECORD).exists():
        return EvaluationSource(path, name)
    return StudySource(path, name) if path.is_dir() else TrajectorySource(path, name)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of *paths* that differ, without the usual name of a file."""
    parts = [path.parts[:-1] if path.name == TRAJECTORIES else path.parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(own[-length:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]

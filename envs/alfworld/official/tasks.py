"""The official games as tasks, with an index of every game's tier, task type and room.

The index of a split is made when it is first needed and kept in the user's cache folder.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from agentgym_gen.envs.alfworld.house import House
from agentgym_gen.envs.alfworld.official.archive import (
    SPLIT_FOLDERS,
    Archive,
    cached_games,
    fingerprint,
)
from agentgym_gen.envs.alfworld.official.game_reader import read_game
from agentgym_gen.envs.alfworld.tiers import TaskFilter, measure_difficulty
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.system.files import cache_folder, write_json
from agentgym_gen.system.untrusted_files import read_text
from agentgym_gen.world import SPLITS, Task, TaskId, Tasks

INDEX_VERSION = 1
"""Rises when the rule of tiers or the format of the index changes."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One game of the index; the names of the fields are the keys in the index file."""

    key: str
    """Its path: ``valid_seen/<task>/<trial>``."""
    tier: str = ""
    """Its tier; empty if it cannot be played."""
    type: str = ""
    """Its task type, by our short name."""
    room: str = ""
    """Its room type."""
    fault: str = ""
    """Why it cannot be played."""


class OfficialTasks(Tasks[House]):
    """The games of a folder; the key of a task is the game's path, ``valid_seen/<task>/<trial>``.

    Games of ``valid_train`` are a fourth split of this name, if the folder has them.

    Args:
        folder: The folder with the games, or a zip archive of it.
        task_filter: Which games are tasks.

    Raises:
        DataError: if there is no such folder or archive.
    """

    env = "alfworld"

    def __init__(self, folder: Path, task_filter: TaskFilter) -> None:
        if not folder.exists():
            raise DataError(f"No folder or archive {str(folder)!r} with ALFWorld's official games")
        self._archive = Archive(folder.resolve())
        has_valid_train = self._archive.has("valid_train")
        self.splits = (*SPLITS, "valid_train") if has_valid_train else SPLITS
        self._task_filter = task_filter

    def size(self, tier: str, split: str) -> int:
        """Return how many games of *split* are of *tier* and match the filter.

        Raises:
            DataError: if the folder has no games of the split.
            InvalidValueError: if no game is of the tier and matches the filter.
        """
        return len(self._entries(tier, split))

    def find(self, task_id: str) -> Task[House]:
        """Return the game with the id *task_id*.

        Raises:
            InvalidValueError: if the id is malformed, of another tier than the game, or does not
                match the filter.
            DataError: if there is no such game, or it cannot be played.
        """
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name(f"environment of task {str(task_id)!r}:", parsed.env, [self.env])
        self._check(parsed.tier, parsed.split)
        if not parsed.key.startswith(f"{SPLIT_FOLDERS[parsed.split]}/"):
            raise InvalidValueError(
                f"Malformed task id {task_id!r}; the key of an official game of the split "
                f"{parsed.split!r} begins with '{SPLIT_FOLDERS[parsed.split]}/'"
            )
        task = Task(parsed, self.generate(parsed, 0))
        difficulty = measure_difficulty(task.content)
        if difficulty is None or difficulty.tier != parsed.tier:
            tier = difficulty.tier if difficulty else "no tier"
            raise InvalidValueError(f"Task id {task_id!r} is of {tier}, not {parsed.tier!r}")
        self._task_filter.check(task_id, task.content.goal.type, task.content.room)
        return task

    def generate(self, task_id: TaskId, index: int) -> House:
        """Return the household of the game that the key of *task_id* names."""
        return read_house(self._archive, task_id.key)

    def file_text(self, task_id: TaskId) -> str:
        """Return the text of the game file that the key of *task_id* names.

        Raises:
            DataError: if there is no such game or it cannot be read.
        """
        return self._archive.read(task_id.key)

    def faults(self, split: str) -> dict[str, str]:
        """Return why games of *split* cannot be played, by the key of the game."""
        index = load_index(self._archive, split)
        return {entry.key: entry.fault for entry in index if entry.fault}

    def _key(self, tier: str, split: str, index: int) -> str:
        return self._entries(tier, split)[index].key

    def _entries(self, tier: str, split: str) -> tuple[IndexEntry, ...]:
        entries = _select_entries(self._archive, split, tier, self._task_filter)
        if not entries:
            faults = len(self.faults(split))
            raise InvalidValueError(
                f"None of the games of {SPLIT_FOLDERS[split]!r} in "
                f"{str(self._archive.folder)!r} is of {tier!r} and passes {self._task_filter}; "
                f"{faults} of them cannot be played"
            )
        return entries


@functools.lru_cache(maxsize=64)
def _select_entries(
    archive: Archive, split: str, tier: str, task_filter: TaskFilter
) -> tuple[IndexEntry, ...]:
    return tuple(
        entry
        for entry in load_index(archive, split)
        if entry.tier == tier and task_filter.matches(entry.type, entry.room)
    )


@functools.lru_cache(maxsize=128)
def read_house(archive: Archive, key: str) -> House:
    """Return the household of the game *key*.

    Raises:
        DataError: if there is no such game or it is broken; the error names it and its folder.
    """
    try:
        return read_game(archive.read(key))
    except InvalidValueError as error:
        raise DataError(
            f"Game {key!r} of {str(archive.folder)!r} cannot be played: {error}"
        ) from error


@functools.lru_cache(maxsize=16)
def load_index(archive: Archive, split: str) -> tuple[IndexEntry, ...]:
    """Return the index of *split*, from the cache folder if the games are unchanged."""
    games_hash = fingerprint(archive, split)
    path = cache_folder() / f"alfworld-{INDEX_VERSION}-{games_hash[:32]}.json"
    try:
        return tuple(IndexEntry(**game) for game in json.loads(read_text(path))["games"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        entries = tuple(_make_entry(archive, key) for key in cached_games(archive, split))
        _write_index(path, entries)
        return entries


def _write_index(path: Path, entries: tuple[IndexEntry, ...]) -> None:
    try:
        write_json(path, {"games": [asdict(entry) for entry in entries]})
    except DataError:
        return  # in a read-only home the index is only made again at the next start


def _make_entry(archive: Archive, key: str) -> IndexEntry:
    try:
        house = read_game(archive.read(key))
    except (DataError, InvalidValueError) as error:
        return IndexEntry(key, fault=str(error))
    difficulty = measure_difficulty(house)
    if difficulty is None:
        return IndexEntry(key, fault="the expert found no way to win it")
    return IndexEntry(key, difficulty.tier, house.goal.type, house.room)

"""The tasks of ALFWorld: generated households in three tiers, or the official games."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path

from agentgym_gen.envs.alfworld.generator import TaskSpec, generate_house, is_for_validation
from agentgym_gen.envs.alfworld.house import ROOMS, House
from agentgym_gen.envs.alfworld.official.tasks import OfficialTasks
from agentgym_gen.envs.alfworld.tiers import TaskFilter, measure_difficulty
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.world import TIERS, Task, TaskId, Tasks

_PICK = tuple(TaskSpec("pick", room) for room in ROOMS)
_LOOK = tuple(TaskSpec("look", room) for room in ("bedroom", "livingroom") * 2)
_TWO = tuple(TaskSpec("two", room) for room in ROOMS)
_TREAT = (
    *(TaskSpec("clean", room) for room in ("bathroom", "kitchen") * 2),
    *(TaskSpec("heat", "kitchen"),) * 4,
    *(TaskSpec("cool", "kitchen"),) * 4,
)

SPEC_CYCLES: Mapping[str, tuple[TaskSpec, ...]] = {
    "easy": (*_PICK, *_LOOK),
    "medium": (*(spec._replace(hidden=True) for spec in (*_PICK, *_LOOK)), *_TREAT),
    "hard": (*_TWO, *(spec._replace(hidden=True) for spec in _TREAT)),
}
"""The specs of every tier, repeated over and over: task types are equally frequent."""

CYCLE_REPEATS = 6_250
"""How often a cycle is repeated."""

MAX_DRAWS = 10_000
"""How many households are generated before giving up, which never happens."""


class GeneratedTasks(Tasks[House]):
    """Households generated from the task's own random stream.

    Task *index* has the spec ``index % len(cycle)`` of its tier's cycle, so that a filter knows its
    tasks without generating them.

    Args:
        task_filter: Which tasks are played; a task keeps its id.

    Raises:
        InvalidValueError: if there is no such task in any tier.
    """

    env = "alfworld"

    def __init__(self, task_filter: TaskFilter) -> None:
        self._task_filter = task_filter
        self.tiers = tuple(tier for tier in TIERS if self._cycle_positions(tier))
        if not self.tiers:
            raise InvalidValueError(f"No task type is played in such a room: {task_filter}")

    def size(self, tier: str, split: str) -> int:
        """Return how many tasks match the filter."""
        return len(self._cycle_positions(tier)) * CYCLE_REPEATS

    def make(self, tier: str, split: str, index: int) -> Task[House]:
        """Return task *index* of those of *tier* and *split* that match the filter.

        Raises:
            UnknownNameError: if there is no such tier or split.
            InvalidValueError: if the index is outside ``0 .. size - 1``.
        """
        task_id = self.task_id(tier, split, index)
        return Task(task_id, _cached_house(task_id, int(task_id.key)))

    def find(self, task_id: str) -> Task[House]:
        """Return the task with the id *task_id*.

        Raises:
            InvalidValueError: if the id is malformed, no task has it, or it does not match the
                filter.
        """
        tier, split, number = self._parse_id(task_id)
        task = GeneratedTasks(TaskFilter()).make(tier, split, number)
        spec = SPEC_CYCLES[tier][number % len(SPEC_CYCLES[tier])]
        self._task_filter.check(task_id, spec.type, spec.room)
        return task

    def generate(self, task_id: TaskId, index: int) -> House:
        """Return the first household of the task's stream that is of its tier and its split."""
        spec = SPEC_CYCLES[task_id.tier][index % len(SPEC_CYCLES[task_id.tier])]
        family = "unseen" if task_id.split == "test" else "seen"
        rng = task_id.stream("household")
        for _ in range(MAX_DRAWS):
            house = generate_house(spec, family, rng)
            if house is not None and _belongs(house, task_id):
                return house
        raise InvalidValueError(
            f"No household of {task_id} in {MAX_DRAWS} draws; report this as a bug"
        )

    def _parse_id(self, task_id: str) -> tuple[str, str, int]:
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name(f"environment of task {str(task_id)!r}:", parsed.env, [self.env])
        key = parsed.key
        if not (key.isascii() and key.isdigit() and len(key) < 10 and str(int(key)) == key):
            raise InvalidValueError(
                f"Malformed task id {task_id!r}; its last part is an index, but is {key!r}; "
                "ids of official games need `data_dir`"
            )
        return parsed.tier, parsed.split, int(key)

    def _key(self, tier: str, split: str, index: int) -> str:
        # Task `index` of the filtered tasks: count whole cycles, then positions within a cycle.
        positions = self._cycle_positions(tier)
        repeat, offset = divmod(index, len(positions))
        return str(repeat * len(SPEC_CYCLES[tier]) + positions[offset])

    def _cycle_positions(self, tier: str) -> list[int]:
        cycle = SPEC_CYCLES[tier]
        return [
            position
            for position, spec in enumerate(cycle)
            if self._task_filter.matches(spec.type, spec.room)
        ]


@functools.lru_cache(maxsize=128)
def _cached_house(task_id: TaskId, number: int) -> House:
    return GeneratedTasks(TaskFilter()).generate(task_id, number)


def _belongs(house: House, task_id: TaskId) -> bool:
    if task_id.split != "test" and is_for_validation(house) != (task_id.split == "valid"):
        return False
    difficulty = measure_difficulty(house)
    return difficulty is not None and difficulty.tier == task_id.tier


def open_tasks(games: str, data_dir: str | Path | None, task_filter: TaskFilter) -> Tasks[House]:
    """Return the generated tasks, or the official games.

    Args:
        games: ``generated`` or ``official``; with a *data_dir* the official ones are played.
        data_dir: The folder of the official games; None takes that of ``ALFWORLD_DATA``.
        task_filter: Which tasks are played.

    Raises:
        UnknownNameError: if *games* is neither.
        DataError: if the official games are to be played and there is no folder.
    """
    if games not in ("generated", "official"):
        raise unknown_name("kind of games", games, ["generated", "official"])
    if games == "generated" and data_dir is None:
        return GeneratedTasks(task_filter)
    folder = data_dir or os.environ.get("ALFWORLD_DATA")
    if not folder:
        raise DataError(
            "No folder with ALFWorld's official games; name it with `data_dir` or in the "
            "environment variable ALFWORLD_DATA"
        )
    return OfficialTasks(Path(folder), task_filter)

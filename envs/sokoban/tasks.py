"""The tasks of Sokoban: generated levels in three tiers, or the levels of a Boxoban folder."""

from __future__ import annotations

import functools
from pathlib import Path

from agentgym_gen.envs.sokoban.board import Level
from agentgym_gen.envs.sokoban.generator import LevelSpec, generate_level
from agentgym_gen.envs.sokoban.official.tasks import BoxobanTasks
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import TaskId, Tasks

LEVEL_SPECS = {
    "easy": LevelSpec(
        sizes=((6, 6),),
        boxes=(1,),
        pushes=(2, 5),
        walk_steps=(14, 30),
        flips=(2, 5),
        min_floor=11,
        pulls_per_box=10,
        max_states=2_000,
    ),
    "medium": LevelSpec(
        sizes=((7, 7), (7, 8), (8, 7), (8, 8)),
        boxes=(2, 3),
        pushes=(6, 13),
        walk_steps=(16, 36),
        flips=(1, 4),
        min_floor=16,
        pulls_per_box=10,
        max_states=4_000,
    ),
    "hard": LevelSpec(
        sizes=((10, 10),),
        boxes=(4,),
        pushes=(14, 40),
        walk_steps=(36, 60),
        flips=(0, 3),
        min_floor=32,
        pulls_per_box=10,
        max_states=4_000,
    ),
}
"""The specification of each tier's levels; the bands of pushes do not overlap."""

TASKS_PER_SPLIT = 100_000
"""The number of generated tasks in every split of every tier."""


class GeneratedTasks(Tasks[Level]):
    """Levels generated from the task's own random stream; a level's hash decides its split."""

    env = "sokoban"

    def size(self, tier: str, split: str) -> int:
        """Return how many tasks there are: the same number in every tier and split."""
        return TASKS_PER_SPLIT

    def generate(self, task_id: TaskId, index: int) -> Level:
        """Return the first level of the task's stream that is of its tier and its split."""
        return _cached_level(task_id)


@functools.lru_cache(maxsize=4096)
def _cached_level(task_id: TaskId) -> Level:
    """Return the level of *task_id*, kept because training plays each task several times."""
    return generate_level(LEVEL_SPECS[task_id.tier], task_id.split, task_id.stream("level"))


def open_tasks(levels_dir: str | Path | None) -> Tasks[Level]:
    """Return the generated tasks, or those of the folder *levels_dir*.

    Raises:
        InvalidValueError: if *levels_dir* is no path.
        DataError: if the folder is missing.
    """
    if levels_dir is None:
        return GeneratedTasks()
    if not isinstance(levels_dir, str | Path):
        raise InvalidValueError(f"`levels_dir` is a path or None, not {levels_dir!r}")
    return BoxobanTasks(Path(levels_dir))

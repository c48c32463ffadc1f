"""DeepMind's Boxoban levels (Guez et al. 2018) as tasks, from a folder in their own layout.

The folder ``unfiltered`` has three splits. ``medium`` has no test split and ``hard`` has no splits:
there a level belongs to a split by its number in its file.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from agentgym_gen.envs.sokoban.board import Level
from agentgym_gen.envs.sokoban.official.level_files import (
    BOXOBAN_LAYOUT,
    level_files,
    level_numbers,
    read_level,
)
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.world import SPLITS, TIERS, Task, TaskId, Tasks


@dataclass(frozen=True)
class Section:
    """The place of the levels of one split of one tier."""

    folder: str
    """The folder, relative to the one the user names."""
    modulus: int = 1
    """The divisor of a level's number."""
    remainders: tuple[int, ...] = (0,)
    """The remainders of the levels that belong to the split."""

    def numbers(self, path: Path) -> tuple[int, ...]:
        """Return the numbers of the levels in *path* that belong to the split."""
        return tuple(n for n in level_numbers(path) if n % self.modulus in self.remainders)


SECTIONS = {
    ("easy", "train"): Section("unfiltered/train"),
    ("easy", "valid"): Section("unfiltered/valid"),
    ("easy", "test"): Section("unfiltered/test"),
    ("medium", "train"): Section("medium/train"),
    ("medium", "valid"): Section("medium/valid", 2, (0,)),
    ("medium", "test"): Section("medium/valid", 2, (1,)),
    ("hard", "train"): Section("hard", 5, (0, 1, 2)),
    ("hard", "valid"): Section("hard", 5, (3,)),
    ("hard", "test"): Section("hard", 5, (4,)),
}
"""The sections by tier and split."""


class BoxobanTasks(Tasks[Level]):
    """The levels of a Boxoban folder.

    The key of a task is the file's stem and the level's number: ``000-17``. There is a tier for
    every folder that exists.

    Args:
        levels_dir: The folder.

    Raises:
        DataError: if it is missing or has none of Boxoban's folders.
    """

    env = "sokoban"

    def __init__(self, levels_dir: Path) -> None:
        if not levels_dir.is_dir():
            raise DataError(
                f"No folder {str(levels_dir)!r}; `levels_dir` is a folder with Boxoban's levels "
                f"in {BOXOBAN_LAYOUT}"
            )
        # The caches below outlive a change of the working directory: a relative path would not.
        self._levels_dir = levels_dir.resolve()
        self.tiers = tuple(tier for tier in TIERS if self._has(tier))
        if not self.tiers:
            raise DataError(
                f"No levels in {str(levels_dir)!r}; Boxoban's layout is {BOXOBAN_LAYOUT}"
            )

    def size(self, tier: str, split: str) -> int:
        """Return how many levels the files of *split* of *tier* hold.

        Raises:
            DataError: if there is no such file, or one of them holds no level.
        """
        return self._ends(tier, split)[-1]

    def find(self, task_id: str) -> Task[Level]:
        """Return the task with the id *task_id*.

        Raises:
            InvalidValueError: if the id is malformed or no level has it.
            DataError: if a file is missing or broken.
        """
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name(f"environment of task {str(task_id)!r}:", parsed.env, [self.env])
        self._check(parsed.tier, parsed.split)
        return Task(parsed, self.generate(parsed, 0))

    def generate(self, task_id: TaskId, index: int) -> Level:
        """Return the level that the key of *task_id* names; *index* is not used."""
        stem, _, number = task_id.key.rpartition("-")
        section = SECTIONS[task_id.tier, task_id.split]
        for path in self._files(task_id.tier, task_id.split):
            if path.stem == stem and number in map(str, section.numbers(path)):
                return read_level(path, int(number))
        raise InvalidValueError(
            f"No level for task id {str(task_id)!r}; its last part is the stem of a file in "
            f"{section.folder!r} and the number of a level of this split, such as '000-17'"
        )

    def _key(self, tier: str, split: str, index: int) -> str:
        """Return the key of level *index*, counting through the files in order."""
        # `ends` are running totals of levels: the file is the first whose total exceeds the index.
        ends = self._ends(tier, split)
        file = bisect_right(ends, index)
        path = self._files(tier, split)[file]
        number = SECTIONS[tier, split].numbers(path)[index - (ends[file - 1] if file else 0)]
        return f"{path.stem}-{number}"

    def _files(self, tier: str, split: str) -> tuple[Path, ...]:
        return level_files(self._levels_dir / SECTIONS[tier, split].folder)

    def _has(self, tier: str) -> bool:
        folders = {self._levels_dir / SECTIONS[tier, split].folder for split in SPLITS}
        return any(folder.is_dir() for folder in folders)

    def _ends(self, tier: str, split: str) -> tuple[int, ...]:
        return section_ends(self._levels_dir, SECTIONS[tier, split])


@cache
def section_ends(levels_dir: Path, section: Section) -> tuple[int, ...]:
    """Return, for each file of *section*, how many levels there are up to its end."""
    files = level_files(levels_dir / section.folder)
    return tuple(accumulate(len(section.numbers(path)) for path in files))

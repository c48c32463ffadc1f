"""DeepMind's Boxoban levels (Guez et al. 2018), read from a folder in their own layout.

``unfiltered`` has the three splits itself. ``medium`` has no test split and ``hard`` no split at
all: their levels are dealt out by the number that each has in its file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path

from agentgym_gen.envs.sokoban.board import (
    BOX,
    BOX_ON_TARGET,
    FLOOR,
    PLAYER,
    PLAYER_ON_TARGET,
    TARGET,
    WALL,
    Level,
    Position,
    flood,
)
from agentgym_gen.envs.sokoban.expert import solve_position
from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.system.untrusted_files import MEGABYTE, read_text
from agentgym_gen.world import SPLITS, TIERS, Task, TaskId, Tasks

BOXOBAN_LAYOUT = "unfiltered/{train,valid,test}/*.txt, medium/{train,valid}/*.txt and hard/*.txt"

FAST_WEIGHT = 3
FAST_LIMIT = 200_000
"""The second search, for a level that the push-optimal one cannot solve in its limit."""

FILE_SYMBOLS = "# .*$@+"
"""The symbols of level files."""

_SYMBOLS = str.maketrans(
    FILE_SYMBOLS, WALL + FLOOR + TARGET + BOX_ON_TARGET + BOX + PLAYER + PLAYER_ON_TARGET
)
_HEADER = re.compile(r"^; *([0-9]{1,9})(?![0-9])[^\n]*\n", re.MULTILINE)

MAX_FILE_BYTES = 64 * MEGABYTE
"""The size above which a file holds no levels; Boxoban's have 0.1 million bytes."""

MAX_SIDE = 32
"""The most rows and columns of a level; Boxoban's have ten."""

MAX_BOXES = 8
"""The most boxes of a level; Boxoban's have four. More would be searched for minutes, in vain."""


@dataclass(frozen=True)
class Section:
    """Where the levels of one split of one tier are."""

    folder: str
    """The folder, relative to the one the user names."""
    modulus: int = 1
    """What the level's number is divided by."""
    remainders: tuple[int, ...] = (0,)
    """The remainders that belong to the split."""

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
    """The levels of a Boxoban folder; a key is a file's stem and a level's number: ``000-17``.

    It has the tiers whose folders are there.

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
        # What is read is kept for the process, which may go to another folder.
        self._levels_dir = levels_dir.resolve()
        self.tiers = tuple(tier for tier in TIERS if self._has(tier))
        if not self.tiers:
            raise DataError(f"No levels in {str(levels_dir)!r}; Boxoban's layout is {BOXOBAN_LAYOUT}")

    def size(self, tier: str, split: str) -> int:
        """Return how many levels the files of *split* of *tier* hold.

        Raises:
            DataError: if there is no such file, or one of them holds no level.
        """
        return self._ends(tier, split)[-1]

    def find(self, task_id: str) -> Task[Level]:
        """Return the task called *task_id*.

        Raises:
            InvalidValueError: if the id is malformed or no level has it.
            DataError: if a file is missing or broken.
        """
        parsed = TaskId.parse(task_id)
        if parsed.env != self.env:
            raise unknown_name("environment in task id", parsed.env, [self.env], f"{task_id!r}")
        self._check(parsed.tier, parsed.split)
        return Task(parsed, self.generate(parsed, 0))

    def generate(self, task_id: TaskId, index: int) -> Level:
        """Return the level that the key of *task_id* names; *index* is not needed."""
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
        """Return the name of level *index*, counted through the files in order."""
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
    """Return how many levels of *section* there are up to the end of each of its files."""
    files = level_files(levels_dir / section.folder)
    return tuple(accumulate(len(section.numbers(path)) for path in files))


@cache
def level_files(folder: Path) -> tuple[Path, ...]:
    """Return the level files of *folder*, by name.

    Raises:
        DataError: if there is none.
    """
    files = tuple(sorted(folder.glob("*.txt")))
    if not files:
        raise DataError(f"No level file {str(folder / '*.txt')!r}; Boxoban's layout is {BOXOBAN_LAYOUT}")
    return files


@cache
def level_numbers(path: Path) -> tuple[int, ...]:
    """Return the numbers of the levels in *path*, in order.

    Raises:
        DataError: if the file cannot be read, holds no level, or holds a number twice.
    """
    numbers = tuple(int(number) for number in _HEADER.findall(_text(path)))
    if not numbers:
        raise DataError(f"Level file {str(path)!r} holds no level; each begins with a line '; 0'")
    if len(set(numbers)) < len(numbers):
        raise DataError(f"Level file {str(path)!r} holds two levels of the same number")
    return numbers


@lru_cache(maxsize=16)
def _boards(path: Path) -> dict[int, tuple[str, ...]]:
    parts = _HEADER.split(_text(path))[1:]
    return {
        int(number): tuple(board.strip("\n").split("\n"))
        for number, board in zip(parts[::2], parts[1::2], strict=True)
    }


def _text(path: Path) -> str:
    return read_text(path, "Level file", MAX_FILE_BYTES)


def read_level(path: Path, number: int) -> Level:
    """Return level *number* of the file *path*, solved.

    Raises:
        DataError: if the level is broken or the expert cannot solve it.
    """
    board = _boards(path)[number]
    width = max(map(len, board))
    if max(width, len(board)) > MAX_SIDE:
        raise DataError(
            f"Level {number} of {str(path)!r} cannot be played: it is {width} x {len(board)}, and "
            f"{MAX_SIDE} x {MAX_SIDE} is the largest"
        )
    rows = tuple(row.translate(_SYMBOLS).ljust(width, WALL) for row in board)
    fault = _fault(board, rows)
    moves = None if fault else _solve(Position.parse(rows))
    if moves is None:
        fault = fault or "the expert found no solution"
        raise DataError(f"Level {number} of {str(path)!r} cannot be played: {fault}")
    return Level(rows, moves)


def _fault(board: tuple[str, ...], rows: tuple[str, ...]) -> str:
    """Return what is wrong with a level, or nothing."""
    strange = "".join(sorted(set("".join(board)) - set(FILE_SYMBOLS)))
    if strange:
        return f"unknown symbols {strange!r}; known are {FILE_SYMBOLS!r}"
    position = Position.parse(rows)
    if position.player.bit_count() != 1:
        return f"it has {position.player.bit_count()} players instead of one"
    if not position.boxes or position.boxes.bit_count() != position.targets.bit_count():
        return f"{position.boxes.bit_count()} boxes, {position.targets.bit_count()} targets"
    if position.boxes.bit_count() > MAX_BOXES:
        return f"{position.boxes.bit_count()} boxes, and {MAX_BOXES} are the most"
    if position.boxes == position.targets:
        return "it is solved already"
    return "" if _is_enclosed(position, len(rows)) else "the player can walk off the board"


def _is_enclosed(position: Position, height: int) -> bool:
    width = position.width
    board = (1 << height * width) - 1
    row = (1 << width) - 1
    column = sum(1 << width * number for number in range(height))
    edge = row | row << width * (height - 1) | column | column << width - 1
    return not flood(position.player, board & ~position.walls, width) & edge


def _solve(position: Position) -> str | None:
    optimal = solve_position(position)
    if optimal is not None:
        return optimal
    return solve_position(position, limit=FAST_LIMIT, weight=FAST_WEIGHT)

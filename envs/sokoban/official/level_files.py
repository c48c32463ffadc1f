"""Reading DeepMind's level files: many levels a file, each with a number in its header line."""

from __future__ import annotations

import re
from functools import cache, lru_cache
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
from agentgym_gen.envs.sokoban.solver import solve_position
from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import MEGABYTE, read_text

BOXOBAN_LAYOUT = "unfiltered/{train,valid,test}/*.txt, medium/{train,valid}/*.txt and hard/*.txt"

FAST_WEIGHT = 3
FAST_LIMIT = 200_000
"""The second search, for a level that the push-optimal one cannot solve within its limit."""

FILE_SYMBOLS = "# .*$@+"
"""The symbols of level files."""

_SYMBOLS = str.maketrans(
    FILE_SYMBOLS, WALL + FLOOR + TARGET + BOX_ON_TARGET + BOX + PLAYER + PLAYER_ON_TARGET
)
_HEADER = re.compile(r"^; *([0-9]{1,9})(?![0-9])[^\n]*\n", re.MULTILINE)

MAX_FILE_BYTES = 64 * MEGABYTE
"""The size above which a file is not read; Boxoban's have 0.1 million bytes."""

MAX_SIDE = 32
"""The most rows and columns of a level; Boxoban's have ten."""

MAX_BOXES = 8
"""The most boxes of a level; Boxoban's have four. With more, the search takes minutes in vain."""


@cache
def level_files(folder: Path) -> tuple[Path, ...]:
    """Return the level files of *folder*, by name.

    Raises:
        DataError: if there is none.
    """
    files = tuple(sorted(folder.glob("*.txt")))
    if not files:
        raise DataError(
            f"No level file {str(folder / '*.txt')!r}; Boxoban's layout is {BOXOBAN_LAYOUT}"
        )
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
    """Return the board of every level in *path*, by number."""
    # Splitting at the headers leaves what is before the first one, then number and board in turn.
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
    """Return what is wrong with a level, or an empty text."""
    unknown_symbols = "".join(sorted(set("".join(board)) - set(FILE_SYMBOLS)))
    if unknown_symbols:
        return f"unknown symbols {unknown_symbols!r}; known are {FILE_SYMBOLS!r}"
    position = Position.parse(rows)
    if position.player.bit_count() != 1:
        return f"it has {position.player.bit_count()} players instead of one"
    if not position.boxes or position.boxes.bit_count() != position.targets.bit_count():
        return f"{position.boxes.bit_count()} boxes, {position.targets.bit_count()} targets"
    if position.boxes.bit_count() > MAX_BOXES:
        return f"{position.boxes.bit_count()} boxes, and {MAX_BOXES} are the most"
    if position.boxes == position.targets:
        return "it is solved already"
    if not _is_enclosed(position.player, position, len(rows)):
        return "the player can walk off the board"
    # The search follows a box from its target backwards, and would not end outside of the board.
    if not _is_enclosed(position.boxes | position.targets, position, len(rows)):
        return "a box or a target is not enclosed by walls"
    return ""


def _is_enclosed(squares: int, position: Position, height: int) -> bool:
    """Return whether walls stand between *squares* and the edge of the board."""
    width = position.width
    board = (1 << height * width) - 1  # a bit for every square
    row = (1 << width) - 1  # the squares of the first row
    column = sum(1 << width * number for number in range(height))  # those of the first column
    edge = row | row << width * (height - 1) | column | column << width - 1
    return not flood(squares, board & ~position.walls, width) & edge


def _solve(position: Position) -> str | None:
    optimal = solve_position(position)
    if optimal is not None:
        return optimal
    return solve_position(position, limit=FAST_LIMIT, weight=FAST_WEIGHT)

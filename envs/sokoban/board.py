"""Levels and positions: the symbols of a board, its squares as bits, and its symmetries.

A square has the number ``row * width + column``. A set of squares is one whole number, a bit board,
in which bit ``n`` stands for square ``n``. So ``&`` is the intersection, ``|`` the union, and one
shift moves all squares of a set at once: by 1 to the next column, by ``width`` to the next row.

A shift can carry a square over the edge of a row into the next one. That does no harm: walls
enclose all squares that the player can reach, so that only walls are carried over, and no result
keeps walls.

>>> position = Position.parse(["#####", "#PXO#", "#####"])
>>> f"{position.boxes:b}"  # square 7: row 1, column 2
'10000000'
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WALL, FLOOR, TARGET, BOX_ON_TARGET, BOX, PLAYER, PLAYER_ON_TARGET = "#_O√XPS"

DIRECTIONS = "udlr"
"""Up, down, left, right: the order in which directions are numbered everywhere."""

SPLIT_SHARES = (("train", 0.6), ("valid", 0.2), ("test", 0.2))
"""The share of all levels that belongs to each split."""


@dataclass(frozen=True)
class Level:
    """The initial world of one task: a board and a solution, which proves that it can be solved.

    The hash of a task comes from the `repr` of this record, so that its names must never change.
    """

    rows: tuple[str, ...]
    """The board, one text per row."""
    solution: str
    """Moves that win: ``udlr`` is a step, ``UDLR`` a push."""

    @property
    def pushes(self) -> int:
        """How many pushes the solution has."""
        return sum(move.isupper() for move in self.solution)


@dataclass(frozen=True)
class Position:
    """Where everything is: a set of squares for each kind of thing."""

    width: int
    """How many squares a row has."""
    walls: int
    """The squares that are walls."""
    targets: int
    """The squares that boxes have to be pushed onto."""
    boxes: int
    """The squares with a box."""
    player: int
    """The player's square, as a set of one."""

    @classmethod
    def parse(cls, rows: Sequence[str]) -> Position:
        """Return the position that *rows* of equal length show."""
        cells = "".join(rows)
        return cls(
            width=len(rows[0]),
            walls=_squares(cells, WALL),
            targets=_squares(cells, TARGET + BOX_ON_TARGET + PLAYER_ON_TARGET),
            boxes=_squares(cells, BOX + BOX_ON_TARGET),
            player=_squares(cells, PLAYER + PLAYER_ON_TARGET),
        )

    def rows(self, height: int) -> tuple[str, ...]:
        """Return the *height* rows that show this position."""
        cells = (self._symbol(1 << square) for square in range(height * self.width))
        text = "".join(cells)
        return tuple(text[start : start + self.width] for start in range(0, len(text), self.width))

    def _symbol(self, square: int) -> str:
        on_target = bool(square & self.targets)
        if square & self.walls:
            return WALL
        if square & self.boxes:
            return BOX_ON_TARGET if on_target else BOX
        if square & self.player:
            return PLAYER_ON_TARGET if on_target else PLAYER
        return TARGET if on_target else FLOOR


def _squares(cells: str, symbols: str) -> int:
    return sum(1 << square for square, symbol in enumerate(cells) if symbol in symbols)


def offsets(width: int) -> tuple[int, int, int, int]:
    """Return what each direction adds to the number of a square."""
    return -width, width, -1, 1


def shift(squares: int, offset: int) -> int:
    """Return the set *squares*, with each square moved by *offset*."""
    return squares << offset if offset > 0 else squares >> -offset


def iter_squares(squares: int) -> Iterator[int]:
    """Yield the squares of a set, each as a set of one, in the order of their numbers."""
    while squares:
        lowest = squares & -squares  # in two's complement this keeps the lowest bit only
        yield lowest
        squares ^= lowest


def flood(start: int, free: int, width: int) -> int:
    """Return all squares that are connected to *start* through *free* squares."""
    reached = start
    while True:
        # Every square of the set spreads to its four neighbours in the same step.
        row = reached | reached << 1 | reached >> 1
        spread = (row | reached << width | reached >> width) & free | start
        if spread == reached:
            return reached
        reached = spread


def route(start: int, goal: int, free: int, width: int) -> str | None:
    """Return the shortest walk from *start* to *goal* through *free* squares, or None."""
    steps = tuple(zip(DIRECTIONS, offsets(width), strict=True))
    walks = {start: ""}  # also the set of visited squares of the breadth-first search
    queue = deque([start])
    while queue:
        square = queue.popleft()
        if square == goal:
            return walks[square]
        for letter, offset in steps:
            neighbour = shift(square, offset)
            if neighbour & free and neighbour not in walks:
                walks[neighbour] = walks[square] + letter
                queue.append(neighbour)
    return None


def canonical_form(rows: Sequence[str]) -> str:
    """Return the smallest text of the 8 rotations and mirrors of *rows*, without the player.

    Two levels that differ only by a rotation, a mirror or the player's place have the same one.
    """
    without_player = [row.replace(PLAYER, FLOOR).replace(PLAYER_ON_TARGET, TARGET) for row in rows]
    # Transposed or not, times mirrored or not, times upside down or not: all 8 symmetries.
    transposed = ["".join(column) for column in zip(*without_player, strict=True)]
    symmetries = []
    for board in (without_player, transposed):
        mirrored = [row[::-1] for row in board]
        symmetries += [board, board[::-1], mirrored, mirrored[::-1]]
    return min("\n".join(symmetry) for symmetry in symmetries)


def split_of(rows: Sequence[str]) -> str:
    """Return the split of a level; its rotations and mirrors are in the same one."""
    digest = hashlib.sha256(canonical_form(rows).encode()).digest()
    # The hash as a number from 0 to 1: the shares of the splits lie one after the other on it.
    remainder = int.from_bytes(digest[:8], "big") / 2**64
    for split, share in SPLIT_SHARES:
        if remainder < share:
            return split
        remainder -= share
    return SPLIT_SHARES[-1][0]

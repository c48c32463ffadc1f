"""Levels and positions: the symbols of a board, its squares as bits, and its symmetries.

A square is a number, ``row * width + column``, and a set of squares is one whole number with a
bit per square: floods, pushes and deadlocks of a whole board are then a few shifts. Boards are
enclosed by walls, so that no shift leaves them.
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
"""How much of all levels each split holds."""


@dataclass(frozen=True)
class Level:
    """The initial world of one task: a board and the solution that proves it solvable."""

    rows: tuple[str, ...]
    """The board, one text a row."""
    solution: str
    """Moves that win: ``udlr`` a step, ``UDLR`` a push."""

    @property
    def pushes(self) -> int:
        """How many pushes the solution has."""
        return sum(move.isupper() for move in self.solution)


@dataclass(frozen=True)
class Position:
    """Where everything is, as sets of squares."""

    width: int
    """How many squares a row has."""
    walls: int
    """The squares that are walls."""
    targets: int
    """The squares that boxes have to be pushed onto."""
    boxes: int
    """The squares with a box."""
    player: int
    """The square, as a set of one, with the player."""

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
    """Return *squares*, each moved by *offset*."""
    return squares << offset if offset > 0 else squares >> -offset


def iter_squares(squares: int) -> Iterator[int]:
    """Yield the squares of a set, each as a set of one, in the order of their numbers."""
    while squares:
        lowest = squares & -squares
        yield lowest
        squares ^= lowest


def flood(start: int, free: int, width: int) -> int:
    """Return all squares that are connected to *start* through *free* squares."""
    reached = start
    while True:
        row = reached | reached << 1 | reached >> 1
        grown = (row | reached << width | reached >> width) & free | start
        if grown == reached:
            return reached
        reached = grown


def route(start: int, goal: int, free: int, width: int) -> str | None:
    """Return the shortest walk from *start* to *goal* through *free* squares, or None."""
    steps = tuple(zip(DIRECTIONS, offsets(width), strict=True))
    walks = {start: ""}
    queue = deque([start])
    while queue:
        square = queue.popleft()
        if square == goal:
            return walks[square]
        for letter, offset in steps:
            beside = shift(square, offset)
            if beside & free and beside not in walks:
                walks[beside] = walks[square] + letter
                queue.append(beside)
    return None


def canonical_form(rows: Sequence[str]) -> str:
    """Return the smallest text of the 8 rotations and mirrors of *rows*, without the player.

    Two levels that differ by a rotation, a mirror or the player's place alone have the same one.
    """
    unmanned = [row.replace(PLAYER, FLOOR).replace(PLAYER_ON_TARGET, TARGET) for row in rows]
    turned = ["".join(column) for column in zip(*unmanned, strict=True)]
    faces = []
    for board in (unmanned, turned):
        mirrored = [row[::-1] for row in board]
        faces += [board, board[::-1], mirrored, mirrored[::-1]]
    return min("\n".join(face) for face in faces)


def split_of(rows: Sequence[str]) -> str:
    """Return the split that a level belongs to, in all its rotations and mirrors."""
    digest = hashlib.sha256(canonical_form(rows).encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    for split, share in SPLIT_SHARES:
        if place < share:
            return split
        place -= share
    return SPLIT_SHARES[-1][0]

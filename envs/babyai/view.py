"""What the player sees: the square of seven by seven cells ahead, without what walls hide.

The same cells as in minigrid's picture (`MiniGridEnv.gen_obs_grid`), computed without drawing it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

VIEW_SIZE = 7
"""The width and depth of the view; the player stands in the middle of its nearest row."""

DIRECTION_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""The step of each direction, in columns and rows: right, down, left, up."""

HALF_WIDTH = VIEW_SIZE // 2
"""How many columns of the view are on each side of the player."""

Position = tuple[int, int]
"""A column and a row of the level."""


class Thing(NamedTuple):
    """Something in view that is no wall."""

    name: str
    """What it is called: ``red ball``, ``grey closed door``."""
    kind: str
    """Its type: ``ball``, ``box``, ``key`` or ``door``."""
    colour: str
    state: str
    """``open``, ``closed`` or ``locked`` for a door, else empty."""
    position: Position
    ahead: int
    """How many steps ahead."""
    right: int
    """How many steps to the right; negative to the left."""

    @property
    def distance(self) -> int:
        """How many steps away it is."""
        return self.ahead + abs(self.right)


class View(NamedTuple):
    """What is in view in one state."""

    things: tuple[Thing, ...]
    """The things, the nearest first; at one distance the farther row first, then from the left."""
    cells: frozenset[Position]
    """The positions in view, those of walls and the player's own included."""
    walls: frozenset[Position]
    """The cells in view that are walls."""
    barrier: tuple[str, int] | None
    """The nearest wall or box straight ahead and its distance, or None."""

    @property
    def is_dark(self) -> bool:
        """Whether not even a wall is in view."""
        return not self.things and not self.walls


def _offsets() -> tuple[tuple[tuple[Position, ...], ...], ...]:
    """Return, for each direction and row of the view, the offsets of its cells from left to right.

    The vector to the right is (-dy, dx): the direction (dx, dy) turned by a quarter.
    """
    return tuple(
        tuple(
            tuple(
                (dx * ahead - dy * right, dy * ahead + dx * right)
                for right in range(-HALF_WIDTH, HALF_WIDTH + 1)
            )
            for ahead in range(VIEW_SIZE)
        )
        for dx, dy in DIRECTION_STEPS
    )


_OFFSETS = _offsets()


@functools.lru_cache(maxsize=4096)
def _spread(visible: int, clear: int) -> tuple[int, int]:
    """Return which cells of a row are visible, and which of the next row are visible from it.

    Sight spreads from a cell that is visible and *clear* to its neighbours in the row and to the
    three cells before it, first to the right and then to the left, as in minigrid's `process_vis`.

    Args:
        visible: The cells of the row that are visible from the row before: bit *i* is column *i*
            of the view, from the left.
        clear: The cells that can be seen through, in the same bits.
    """
    beyond = 0
    # The bits that are set here count for the columns that follow, so the order of both loops
    # matters.
    for column in range(VIEW_SIZE - 1):
        if visible & clear & 1 << column:
            visible |= 2 << column  # the neighbour to the right
            beyond |= 3 << column  # the cell ahead and the one to its right
    for column in range(VIEW_SIZE - 1, 0, -1):
        if visible & clear & 1 << column:
            visible |= 1 << column - 1  # the neighbour to the left
            beyond |= 3 << column - 1  # the cell ahead and the one to its left
    return visible, beyond


def look(grid: Any, x: int, y: int, facing: int) -> View:  # noqa: ANN401  (minigrid's Grid)
    """Return the view of *grid* from column *x* and row *y* in direction *facing*."""
    rows = list(visible_rows(grid, x, y, facing))
    visible: list[Position] = []
    walls: list[Position] = []
    things: list[Thing] = []
    barriers: list[tuple[str, int]] = []
    # From the farthest row to the nearest: the stable sort below keeps that order at one distance.
    for ahead in range(len(rows) - 1, -1, -1):
        for right, position, cell in rows[ahead]:
            visible.append(position)
            if cell is None or (ahead == 0 == right):  # empty, or the player's own cell
                continue
            kind = cell.type
            if kind == "wall":
                walls.append(position)
            else:
                things.append(_thing(cell, position, ahead, right))
            if right == 0 and kind in ("wall", "box"):
                barriers.append((kind, ahead))
    things.sort(key=lambda thing: thing.distance)
    barrier = barriers[-1] if barriers else None
    return View(tuple(things), frozenset(visible), frozenset(walls), barrier)


def visible_rows(
    grid: Any,  # noqa: ANN401  (minigrid's Grid)
    x: int,
    y: int,
    facing: int,
) -> Iterator[list[tuple[int, Position, Any]]]:
    """Yield the rows in view, the nearest first: offset to the right, position, and content."""
    cells, width, height = grid.grid, grid.width, grid.height
    visible = 1 << HALF_WIDTH  # in the nearest row sight starts at the player, in the middle
    for offsets in _OFFSETS[facing]:
        clear = 0
        row: list[tuple[int, Position, Any]] = []
        for column, (dx, dy) in enumerate(offsets):
            grid_x, grid_y = position = x + dx, y + dy
            if 0 <= grid_x < width and 0 <= grid_y < height:
                cell = cells[grid_y * width + grid_x]
                row.append((column - HALF_WIDTH, position, cell))
                if cell is None or cell.see_behind():
                    clear |= 1 << column
            else:  # outside the level: nothing is there, and nobody sees through it
                row.append((column - HALF_WIDTH, position, None))
        visible, beyond = _spread(visible, clear)
        yield [entry for column, entry in enumerate(row) if visible >> column & 1]
        if not beyond:
            return
        visible = beyond


def _thing(
    cell: Any,  # noqa: ANN401  (a WorldObj)
    position: Position,
    ahead: int,
    right: int,
) -> Thing:
    state = ""
    if cell.type == "door":
        state = "open" if cell.is_open else "locked" if cell.is_locked else "closed"
    return Thing(
        _name(cell.color, state, cell.type), cell.type, cell.color, state, position, ahead, right
    )


@functools.lru_cache(maxsize=1024)
def _name(*words: str) -> str:
    return " ".join(filter(None, words))

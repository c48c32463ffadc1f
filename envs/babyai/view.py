"""What the player sees: the square of seven by seven cells ahead, without what walls hide.

The same cells as in minigrid's picture (`MiniGridEnv.gen_obs_grid`), found without drawing it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

SIZE = 7
"""The width and depth of the view; the player stands in the middle of its nearest row."""

STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""The step of each direction, in columns and rows: right, down, left, up."""

HALF = SIZE // 2

Place = tuple[int, int]
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
    place: Place
    ahead: int
    """How many steps ahead."""
    right: int
    """How many steps to the right; negative to the left."""

    @property
    def distance(self) -> int:
        """How many steps away it is."""
        return self.ahead + abs(self.right)


class View(NamedTuple):
    """What is seen at one moment."""

    things: tuple[Thing, ...]
    """The things, the nearest first; at one distance the farther row first, then from the left."""
    seen: frozenset[Place]
    """The cells in view, walls and the player's own included."""
    walls: frozenset[Place]
    """Those that are walls."""
    barrier: tuple[str, int] | None
    """The nearest wall or box straight ahead and its distance, or None."""

    @property
    def is_dark(self) -> bool:
        """Whether not even a wall is in view."""
        return not self.things and not self.walls


def _offsets() -> tuple[tuple[tuple[Place, ...], ...], ...]:
    """Return, for each direction and row of the view, the cells from left to right."""
    return tuple(
        tuple(
            tuple(
                (dx * ahead - dy * right, dy * ahead + dx * right)
                for right in range(-HALF, HALF + 1)
            )
            for ahead in range(SIZE)
        )
        for dx, dy in STEPS
    )


_OFFSETS = _offsets()


@functools.lru_cache(maxsize=4096)
def _spread(seen: int, clear: int) -> tuple[int, int]:
    """Return what of a row is seen at last, and what of the next row is seen from it.

    Sight spreads from a cell that is seen and *clear* to its neighbours in the row and to the
    three cells before it, first to the right and then to the left, as in minigrid's `process_vis`.

    Args:
        seen: The cells of the row that are seen from the row before, as bits.
        clear: The cells that can be seen through, as bits.
    """
    beyond = 0
    for at in range(SIZE - 1):
        if seen & clear & 1 << at:
            seen |= 2 << at
            beyond |= 3 << at
    for at in range(SIZE - 1, 0, -1):
        if seen & clear & 1 << at:
            seen |= 1 << at - 1
            beyond |= 3 << at - 1
    return seen, beyond


def look(grid: Any, x: int, y: int, facing: int) -> View:  # noqa: ANN401  (minigrid's Grid)
    """Return what is seen of *grid* from column *x* and row *y* in direction *facing*."""
    rows = list(sight_rows(grid, x, y, facing))
    seen: list[Place] = []
    walls: list[Place] = []
    things: list[Thing] = []
    barriers: list[tuple[int, str]] = []
    for ahead in range(len(rows) - 1, -1, -1):
        for right, place, cell in rows[ahead]:
            seen.append(place)
            if cell is None or (ahead == 0 == right):
                continue
            kind = cell.type
            if kind == "wall":
                walls.append(place)
            else:
                things.append(_thing(cell, place, ahead, right))
            if right == 0 and kind in ("wall", "box"):
                barriers.append((ahead, kind))
    things.sort(key=_distance)
    nearest = barriers[-1] if barriers else None
    barrier = None if nearest is None else (nearest[1], nearest[0])
    return View(tuple(things), frozenset(seen), frozenset(walls), barrier)


def sight_rows(
    grid: Any,  # noqa: ANN401  (minigrid's Grid)
    x: int,
    y: int,
    facing: int,
) -> Iterator[list[tuple[int, Place, Any]]]:
    """Yield the cells in view, row by row from the nearest: how far right, where, and what."""
    cells, width, height = grid.grid, grid.width, grid.height
    seen = 1 << HALF
    for offsets in _OFFSETS[facing]:
        clear = 0
        row: list[tuple[int, Place, Any]] = []
        for at, (across, down) in enumerate(offsets):
            column, line = x + across, y + down
            if 0 <= column < width and 0 <= line < height:
                cell = cells[line * width + column]
                row.append((at - HALF, (column, line), cell))
                if cell is None or cell.see_behind():
                    clear |= 1 << at
            else:
                row.append((at - HALF, (column, line), None))
        seen, beyond = _spread(seen, clear)
        yield [one for one in row if seen >> one[0] + HALF & 1]
        if not beyond:
            return
        seen = beyond


def _thing(
    cell: Any,  # noqa: ANN401  (a WorldObj)
    place: Place,
    ahead: int,
    right: int,
) -> Thing:
    state = ""
    if cell.type == "door":
        state = "open" if cell.is_open else "locked" if cell.is_locked else "closed"
    return Thing(
        _name(cell.color, state, cell.type), cell.type, cell.color, state, place, ahead, right
    )


@functools.lru_cache(maxsize=1024)
def _name(*words: str) -> str:
    return " ".join(filter(None, words))


def _distance(thing: Thing) -> int:
    return thing.ahead + abs(thing.right)

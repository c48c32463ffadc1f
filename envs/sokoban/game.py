"""The rules and the state of one board in play: a move pushes or walks, as in gym-sokoban."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

from agentgym_gen.envs.sokoban.board import (
    BOX,
    BOX_ON_TARGET,
    DIRECTIONS,
    FLOOR,
    PLAYER,
    PLAYER_ON_TARGET,
    TARGET,
    WALL,
)
from agentgym_gen.world import copy_sharing

PLAYER_ENTERS = {
    FLOOR: PLAYER,
    TARGET: PLAYER_ON_TARGET,
    BOX: PLAYER,
    BOX_ON_TARGET: PLAYER_ON_TARGET,
}
PLAYER_LEAVES = {PLAYER: FLOOR, PLAYER_ON_TARGET: TARGET}
BOX_ENTERS = {FLOOR: BOX, TARGET: BOX_ON_TARGET}
"""The new symbol of a square, by its old one, when a player or a box enters or leaves it."""

PLAYERS = PLAYER + PLAYER_ON_TARGET
BOXES = BOX + BOX_ON_TARGET
FREE = FLOOR + TARGET
TARGETS = TARGET + BOX_ON_TARGET + PLAYER_ON_TARGET

Place = tuple[int, int]
"""A row and a column, from 0."""

_BOXES = re.compile(f"[{BOXES}]")
_TARGETS = re.compile(f"[{TARGETS}]")


class Game:
    """A board in play; each move changes at most three squares.

    Walls enclose the player, so that no move looks beyond the board.

    Args:
        rows: The board at the start.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self.text = "\n".join(rows)
        """The board as it is now, its rows joined by line breaks."""
        self.box_count = sum(map(self.text.count, BOXES))
        """The number of boxes."""
        self.boxes_on_targets = self.text.count(BOX_ON_TARGET)
        """The number of boxes that are on targets."""
        self._squares = list(self.text)
        self._player = next(i for i, symbol in enumerate(self.text) if symbol in PLAYERS)
        stride = len(rows[0]) + 1  # in `text` a line break ends every row
        self._places = [divmod(square, stride) for square in range(len(self.text))]
        self.targets_at = self._places_of(_TARGETS)
        """The row and the column, from 0, of every target."""
        self.boxes_at = self._places_of(_BOXES)
        """The row and the column, from 0, of every box."""
        self._offsets = dict(zip(DIRECTIONS, (-stride, stride, -1, 1), strict=True))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a copy that shares what follows from the size of the board."""
        return copy_sharing(self, memo, "_places", "_offsets")

    def obstacle(self, direction: str) -> str:
        """Return why the player cannot go in *direction*, or an empty text if it can."""
        neighbour = self._player + self._offsets[direction]
        symbol = self._squares[neighbour]
        if symbol in FREE:
            return ""
        if symbol == WALL:
            return "a wall is in the way"
        if self._squares[neighbour + self._offsets[direction]] in FREE:
            return ""
        return "something behind the box blocks it"

    @property
    def player_at(self) -> Place:
        """The row and the column of the player."""
        return self._places[self._player]

    def move(self, direction: str) -> str:
        """Go in *direction*, which must be free, and return its letter, upper case for a push."""
        squares, offset = self._squares, self._offsets[direction]
        here = self._player
        there, beyond = here + offset, here + 2 * offset
        symbol = squares[there]
        if symbol in BOXES:
            squares[beyond] = BOX_ENTERS[squares[beyond]]
            self.boxes_on_targets += (squares[beyond] == BOX_ON_TARGET) - (symbol == BOX_ON_TARGET)
            direction = direction.upper()
        squares[there] = PLAYER_ENTERS[symbol]
        squares[here] = PLAYER_LEAVES[squares[here]]
        self._player = there
        self.text = "".join(squares)
        if symbol in BOXES:
            self.boxes_at = self._places_of(_BOXES)
        return direction

    def _places_of(self, symbols: re.Pattern[str]) -> tuple[Place, ...]:
        return tuple([self._places[match.start()] for match in symbols.finditer(self.text)])

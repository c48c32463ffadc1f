"""The rules: one board that is played on, push or move as in gym-sokoban."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping, Sequence

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
from agentgym_gen.world import Drawing

PLAYER_CAME = {
    FLOOR: PLAYER,
    TARGET: PLAYER_ON_TARGET,
    BOX: PLAYER,
    BOX_ON_TARGET: PLAYER_ON_TARGET,
}
PLAYER_LEFT = {PLAYER: FLOOR, PLAYER_ON_TARGET: TARGET}
BOX_CAME = {FLOOR: BOX, TARGET: BOX_ON_TARGET}
"""What a square shows after somebody came to it or left it."""

PLAYERS = PLAYER + PLAYER_ON_TARGET
BOXES = BOX + BOX_ON_TARGET
FREE = FLOOR + TARGET
TARGETS = TARGET + BOX_ON_TARGET + PLAYER_ON_TARGET


class Game:
    """A board in play; each move changes at most three squares.

    The player is on a square that walls enclose, so that no move looks beyond the board.

    Args:
        rows: The board at the start.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self.text = "\n".join(rows)
        """The board as it is now, its rows joined by line breaks."""
        self.boxes = sum(map(self.text.count, BOXES))
        """How many boxes there are."""
        self.on_targets = self.text.count(BOX_ON_TARGET)
        """How many of them are on targets."""
        self._squares = list(self.text)
        self._player = next(i for i, symbol in enumerate(self.text) if symbol in PLAYERS)
        self._targets = _places(self.text, _TARGETS)
        stride = len(rows[0]) + 1
        self._offsets = dict(zip(DIRECTIONS, (-stride, stride, -1, 1), strict=True))

    def obstacle(self, direction: str) -> str:
        """Return why the player cannot go in *direction*, or nothing if it can."""
        beside = self._player + self._offsets[direction]
        symbol = self._squares[beside]
        if symbol in FREE:
            return ""
        if symbol == WALL:
            return "a wall is in the way"
        if self._squares[beside + self._offsets[direction]] in FREE:
            return ""
        return "something behind the box blocks it"

    def facts(self) -> Facts:
        """Return the board as it is now as plain data."""
        return Facts(self.text, self._player, self._targets)

    def move(self, direction: str) -> str:
        """Go in *direction*, which must be free, and return its letter, upper case for a push."""
        squares, offset = self._squares, self._offsets[direction]
        here = self._player
        there, beyond = here + offset, here + 2 * offset
        pushed = squares[there]
        if pushed in BOXES:
            squares[beyond] = BOX_CAME[squares[beyond]]
            self.on_targets += (squares[beyond] == BOX_ON_TARGET) - (pushed == BOX_ON_TARGET)
            direction = direction.upper()
        squares[there] = PLAYER_CAME[pushed]
        squares[here] = PLAYER_LEFT[squares[here]]
        self._player = there
        self.text = "".join(squares)
        return direction


class Facts(Mapping[str, object]):
    """A board as plain data, worked out when somebody asks: few interfaces do.

    Args:
        text: The board.
        player: Where the player is in it.
        targets: The rows and columns of the targets.
    """

    def __init__(self, text: str, player: int, targets: list[list[int]]) -> None:
        self._text, self._player, self._targets = text, player, targets
        self._worked_out: dict[str, object] = {}

    def __getitem__(self, key: str) -> object:
        """Return one fact."""
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the facts."""
        return iter(self._facts)

    def __len__(self) -> int:
        """Return how many facts there are."""
        return len(self._facts)

    def __bool__(self) -> bool:
        """Return True, without working anything out."""
        return True

    def items(self) -> ItemsView[str, object]:
        """Return the facts with their names, quicker than a mapping does by itself."""
        return self._facts.items()

    @property
    def _facts(self) -> dict[str, object]:
        if not self._worked_out:
            self._worked_out = {
                "grid": Drawing(self._text),
                "player": list(divmod(self._player, self._text.index("\n") + 1)),
                "boxes": _places(self._text, _BOXES),
                "targets": self._targets,
            }
        return self._worked_out


_BOXES = re.compile(f"[{BOXES}]")
_TARGETS = re.compile(f"[{TARGETS}]")


def _places(text: str, symbols: re.Pattern[str]) -> list[list[int]]:
    """Return the row and the column, from 0, of every square of *text* that shows *symbols*."""
    stride = text.index("\n") + 1
    return [list(divmod(found.start(), stride)) for found in symbols.finditer(text)]

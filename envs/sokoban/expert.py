"""The expert: it keeps the plan of an episode up to date while the player moves."""

from __future__ import annotations

from agentgym_gen.envs.sokoban.board import DIRECTIONS, Position, offsets, route, shift
from agentgym_gen.envs.sokoban.solver import solve_position

OPPOSITE = {"u": "d", "d": "u", "l": "r", "r": "l"}
"""The step that undoes a step."""


class PlanTracker:
    """The expert's plan in one episode: the moves that are left to win.

    While the player follows the plan, nothing is computed. After a step off the plan the pushes
    stay, and only the walk to the next push is computed again. After a push off the plan the level
    is solved again. A position without a solution is not solved again: no move can repair it.

    Args:
        moves: A solution of the level: ``udlr`` a step, ``UDLR`` a push.
    """

    def __init__(self, moves: str) -> None:
        self._moves: str | None = moves
        self._is_push_off_plan = False
        self._is_walk_off_plan = False

    def record_move(self, move: str) -> None:
        """Update the plan after the player made *move*."""
        if self._moves is None or self._is_push_off_plan:
            return
        if self._moves.startswith(move):
            self._moves = self._moves[1:]
        elif move.islower():
            # Going back first makes the plan valid again; `remaining_moves` shortens the detour.
            self._moves = OPPOSITE[move] + self._moves
            self._is_walk_off_plan = True
        else:
            self._is_push_off_plan = True

    def remaining_moves(self, position: Position) -> str | None:
        """Return moves that win from *position*, where the player is, or None."""
        if self._is_push_off_plan:
            self._moves = solve_position(position)
        elif self._is_walk_off_plan and self._moves is not None:
            self._moves = _with_shortest_walk(position, self._moves)
        self._is_push_off_plan = self._is_walk_off_plan = False
        return self._moves


def _with_shortest_walk(position: Position, moves: str) -> str:
    """Return *moves* with the shortest walk to their first push."""
    # Steps are lower case, pushes upper case: stripping the steps leaves the first push onwards.
    walk_length = len(moves) - len(moves.lstrip(DIRECTIONS))
    if walk_length == len(moves):
        return ""
    steps = dict(zip(DIRECTIONS, offsets(position.width), strict=True))
    goal = position.player
    for letter in moves[:walk_length]:
        goal = shift(goal, steps[letter])
    free = ~position.walls & ~position.boxes
    return (route(position.player, goal, free, position.width) or "") + moves[walk_length:]

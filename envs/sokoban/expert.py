"""The expert: push-optimal A* over boxes and the region that the player can reach.

A state is the set of boxes and the set of squares within the player's reach; an edge is one push.
The heuristic is the cheapest assignment of boxes to targets by push distance in the empty room,
which is admissible and consistent: with `weight` 1 the first solution has the fewest pushes. Left
out of the literature's solvers: freeze deadlocks beyond full 2x2 blocks, corral pruning, macros.
"""

from __future__ import annotations

import heapq
from collections import deque

from agentgym_gen.envs.sokoban.board import (
    DIRECTIONS,
    Position,
    flood,
    offsets,
    route,
    shift,
    iter_squares,
)

IMPOSSIBLE = 1_000_000
"""A push distance that no level has: the box cannot get there."""

MAX_STATES = 20_000
"""How many states the expert looks at before it gives up."""

OPPOSITE = {"u": "d", "d": "u", "l": "r", "r": "l"}
"""The step that takes a step back."""

Push = tuple[int, int]
"""A box's square, as a set of one, and the number of the direction it is pushed in."""

PushChain = tuple["Trail", Push] | None
"""The pushes of a state, the last one first."""

HeapEntry = tuple[int, int, int, int, int, int, PushChain]
"""Estimated pushes in all, pushes left at least, tie-breaker, pushes done, boxes, player, trail."""


class Solver:
    """A* for one room; positions of the same room share its tables.

    Args:
        width: How many squares a row has.
        walls: The squares that are walls.
        targets: The squares that boxes have to be pushed onto.
    """

    def __init__(self, width: int, walls: int, targets: int) -> None:
        self._width = width
        self._walls = walls
        self._targets = targets
        self._offsets = offsets(width)
        tables = [self._distances_to(target) for target in iter_squares(targets)]
        self._costs = {
            square: tuple(table.get(square, IMPOSSIBLE) for table in tables)
            for square in {square: None for table in tables for square in table}
        }
        self._live_squares = sum(self._costs)
        self._bounds: dict[int, int] = {}

    def lower_bound(self, boxes: int) -> int:
        """Return a number of pushes that no solution from *boxes* can undercut."""
        known = self._bounds.get(boxes)
        if known is None:
            known = self._bounds[boxes] = self._cheapest_assignment(boxes)
        return known

    def solve(
        self, boxes: int, player: int, *, limit: int = MAX_STATES, weight: int = 1
    ) -> tuple[Push, ...] | None:
        """Return pushes that win, or None if there are none within *limit* states.

        Args:
            boxes: The squares with a box.
            player: The player's square, as a set of one.
            limit: How many states to look at.
            weight: The factor of the heuristic: 1 finds the fewest pushes, more finds faster.
        """
        floor = ~self._walls
        rest = self.lower_bound(boxes)
        heap: list[HeapEntry] = [(weight * rest, rest, 0, 0, boxes, player, None)]
        seen: set[tuple[int, int]] = set()
        number = 0
        while heap and heap[0][1] < IMPOSSIBLE and len(seen) < limit:
            _, rest, _, done, boxes, player, trail = heapq.heappop(heap)
            if rest == 0:
                return _unchain(trail)
            reach = flood(player, floor & ~boxes, self._width)
            if (boxes, reach) in seen:
                continue
            seen.add((boxes, reach))
            for push, after in self._pushes(boxes, reach):
                rest = self.lower_bound(after)
                if rest < IMPOSSIBLE:
                    number -= 1
                    estimate = done + 1 + weight * rest
                    heapq.heappush(
                        heap, (estimate, rest, number, done + 1, after, push[0], (trail, push))
                    )
        return None

    def _pushes(self, boxes: int, reach: int) -> list[tuple[Push, int]]:
        open_squares = self._live_squares & ~boxes
        found = []
        for direction, offset in enumerate(self._offsets):
            pushable = boxes & shift(reach, offset) & shift(open_squares, -offset)
            for box in iter_squares(pushable):
                after = boxes ^ box | shift(box, offset)
                if not self._is_blocked(after):
                    found.append(((box, direction), after))
        return found

    def _is_blocked(self, boxes: int) -> bool:
        """Return whether a 2x2 block of walls and boxes holds a box off its target for ever."""
        width = self._width
        full = self._walls | boxes
        corners = full & full >> 1
        corners &= corners >> width
        blocks = corners | corners << 1
        return bool((blocks | blocks << width) & boxes & ~self._targets)

    def _distances_to(self, target: int) -> dict[int, int]:
        distances = {target: 0}
        queue = deque([target])
        while queue:
            square = queue.popleft()
            for offset in self._offsets:
                box, player = shift(square, -offset), shift(square, -2 * offset)
                if not (box | player) & self._walls and box not in distances:
                    distances[box] = distances[square] + 1
                    queue.append(box)
        return distances

    def _cheapest_assignment(self, boxes: int) -> int:
        best = {0: 0}
        for box in iter_squares(boxes):
            costs = self._costs.get(box, ())
            longer: dict[int, int] = {}
            for taken, cost in best.items():
                for number, extra in enumerate(costs):
                    target = 1 << number
                    if extra < IMPOSSIBLE and not taken & target:
                        together = taken | target
                        longer[together] = min(cost + extra, longer.get(together, IMPOSSIBLE))
            best = longer
        return min(best.values(), default=IMPOSSIBLE)


def _unchain(trail: PushChain) -> tuple[Push, ...]:
    pushes = []
    while trail is not None:
        trail, push = trail
        pushes.append(push)
    return tuple(reversed(pushes))


def moves_from_pushes(position: Position, pushes: tuple[Push, ...]) -> str:
    """Return *pushes* with the walks between them: ``udlr`` a step, ``UDLR`` a push."""
    boxes, player, moves = position.boxes, position.player, ""
    steps = offsets(position.width)
    for box, direction in pushes:
        offset = steps[direction]
        free = ~position.walls & ~boxes
        walk = route(player, shift(box, -offset), free, position.width)
        if walk is None:
            raise ValueError(f"The box on {box:#x} cannot be pushed {DIRECTIONS[direction]!r}")
        moves += walk + DIRECTIONS[direction].upper()
        boxes, player = boxes ^ box | shift(box, offset), box
    return moves


def solve_position(position: Position, *, limit: int = MAX_STATES, weight: int = 1) -> str | None:
    """Return moves that win from *position*, or None if there are none within *limit* states."""
    solver = Solver(position.width, position.walls, position.targets)
    pushes = solver.solve(position.boxes, position.player, limit=limit, weight=weight)
    return None if pushes is None else moves_from_pushes(position, pushes)


class PlanTracker:
    """The expert's memory in one episode: the moves that are left to win.

    While the player follows them, nothing is computed. After a stray walk the pushes stay and
    only the way to the next one is found anew; after a stray push the level is solved again.
    A position without a solution is never solved again, since no move can mend it.

    Args:
        moves: A solution of the level: ``udlr`` a step, ``UDLR`` a push.
    """

    def __init__(self, remaining_moves: str) -> None:
        self._moves: str | None = remaining_moves
        self._is_push_off_plan = False
        self._is_walk_off_plan = False

    def record_move(self, move: str) -> None:
        """Take note that the player made *move*."""
        if self._moves is None or self._is_push_off_plan:
            return
        if self._moves.startswith(move):
            self._moves = self._moves[1:]
        elif move.islower():
            self._moves = OPPOSITE[move] + self._moves
            self._is_walk_off_plan = True
        else:
            self._is_push_off_plan = True

    def moves(self, position: Position) -> str | None:
        """Return moves that win from *position*, where the player is, or None."""
        if self._is_push_off_plan:
            self._moves = solve_position(position)
        elif self._is_walk_off_plan and self._moves is not None:
            self._moves = _with_shortest_walk(position, self._moves)
        self._is_push_off_plan = self._is_walk_off_plan = False
        return self._moves


def _with_shortest_walk(position: Position, moves: str) -> str:
    """Return *moves* with the shortest walk to their first push."""
    walk = len(moves) - len(moves.lstrip(DIRECTIONS))
    if walk == len(moves):
        return ""
    steps = dict(zip(DIRECTIONS, offsets(position.width), strict=True))
    stand = position.player
    for letter in moves[:walk]:
        stand = shift(stand, steps[letter])
    free = ~position.walls & ~position.boxes
    return (route(position.player, stand, free, position.width) or "") + moves[walk:]

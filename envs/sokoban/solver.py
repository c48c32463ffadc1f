"""The solver: push-optimal A* over boxes and the region that the player can reach.

A state is the set of boxes and the set of squares within the player's reach; an edge is one push.
The heuristic is the cheapest assignment of boxes to targets by push distance in the empty room. It
is admissible and consistent, so that with `weight` 1 the first solution has the fewest pushes. Left
out of the literature's solvers: freeze deadlocks beyond full 2x2 blocks, corral pruning, macros.

Sets of squares are whole numbers with a bit per square (see `board`).
"""

from __future__ import annotations

import heapq
from collections import deque

from agentgym_gen.envs.sokoban.board import (
    DIRECTIONS,
    Position,
    flood,
    iter_squares,
    offsets,
    route,
    shift,
)

IMPOSSIBLE = 1_000_000
"""A push distance that no level has: the box cannot get there."""

MAX_STATES = 20_000
"""How many states the expert expands before it gives up."""

Push = tuple[int, int]
"""A box's square, as a set of one, and the number of the direction it is pushed in."""

PushChain = tuple["PushChain", Push] | None
"""The pushes that led to a state, as a linked list from the last one; states share the tails."""

HeapEntry = tuple[int, int, int, int, int, int, PushChain]
"""Estimate, heuristic, tie-breaker, cost so far, boxes, player and pushes; ordered by the first."""


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
        # For every square: the push distances of a box on it, one for each target.
        self._costs = {
            square: tuple(table.get(square, IMPOSSIBLE) for table in tables)
            for square in {square: None for table in tables for square in table}
        }
        # The squares from which a box can reach some target. Each key is one bit, and no two are
        # equal, so that the sum is their union.
        self._live_squares = sum(self._costs)
        self._lower_bounds: dict[int, int] = {}

    def lower_bound(self, boxes: int) -> int:
        """Return a number of pushes that no solution from *boxes* can undercut."""
        bound = self._lower_bounds.get(boxes)
        if bound is None:
            bound = self._lower_bounds[boxes] = self._cheapest_assignment(boxes)
        return bound

    def solve(
        self, boxes: int, player: int, *, limit: int = MAX_STATES, weight: int = 1
    ) -> tuple[Push, ...] | None:
        """Return pushes that win, or None if there are none within *limit* states.

        Args:
            boxes: The squares with a box.
            player: The player's square, as a set of one.
            limit: How many states to expand.
            weight: The factor of the heuristic: 1 finds the fewest pushes, more finds faster.
        """
        floor = ~self._walls
        heuristic = self.lower_bound(boxes)
        heap: list[HeapEntry] = [(weight * heuristic, heuristic, 0, 0, boxes, player, None)]
        closed: set[tuple[int, int]] = set()
        tie_breaker = 0
        while heap and heap[0][1] < IMPOSSIBLE and len(closed) < limit:
            _, heuristic, _, cost, boxes, player, chain = heapq.heappop(heap)
            if heuristic == 0:
                return _pushes_in_order(chain)
            reach = flood(player, floor & ~boxes, self._width)
            if (boxes, reach) in closed:
                continue
            closed.add((boxes, reach))
            for push, next_boxes in self._pushes(boxes, reach):
                heuristic = self.lower_bound(next_boxes)
                if heuristic < IMPOSSIBLE:
                    # It falls with every entry: among equals the newest is expanded first. It
                    # differs in every entry, so that no comparison reaches the chain.
                    tie_breaker -= 1
                    estimate = cost + 1 + weight * heuristic
                    # After a push the player stands where the box was.
                    player_after = push[0]
                    heapq.heappush(
                        heap,
                        (
                            estimate,
                            heuristic,
                            tie_breaker,
                            cost + 1,
                            next_boxes,
                            player_after,
                            (chain, push),
                        ),
                    )
        return None

    def _pushes(self, boxes: int, reach: int) -> list[tuple[Push, int]]:
        """Return every useful push, with the boxes after it."""
        free_squares = self._live_squares & ~boxes
        pushes = []
        for direction, offset in enumerate(self._offsets):
            # All boxes at once: the player stands behind the box (`reach`, moved one square ahead,
            # covers it), and the square in front is free (moved one square back, it covers it).
            pushable = boxes & shift(reach, offset) & shift(free_squares, -offset)
            for box in iter_squares(pushable):
                next_boxes = boxes ^ box | shift(box, offset)
                if not self._is_deadlock(next_boxes):
                    pushes.append(((box, direction), next_boxes))
        return pushes

    def _is_deadlock(self, boxes: int) -> bool:
        """Return whether a 2x2 block of walls and boxes holds a box off its target for ever."""
        width = self._width
        full = self._walls | boxes
        # A bit stays if its square and the one right of it are full, then if the pair below is
        # full, too: what is left are the upper left squares of full 2x2 blocks.
        corners = full & full >> 1
        corners &= corners >> width
        # Spread every corner to the four squares of its block.
        blocks = corners | corners << 1
        return bool((blocks | blocks << width) & boxes & ~self._targets)

    def _distances_to(self, target: int) -> dict[int, int]:
        """Return the pushes that a box needs from every square to *target* in the empty room.

        A breadth-first search backwards from the target, over pulls: the box comes from the square
        behind it, and the player needs the square behind that one.
        """
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
        """Return the least sum of distances over all assignments of *boxes* to targets.

        Box by box, `cheapest` has the least cost for every set of targets that are taken; bit
        `number` of the set stands for target `number`.
        """
        cheapest = {0: 0}
        for box in iter_squares(boxes):
            distances = self._costs.get(box, ())
            extended: dict[int, int] = {}
            for taken_targets, cost in cheapest.items():
                for number, distance in enumerate(distances):
                    target = 1 << number
                    if distance < IMPOSSIBLE and not taken_targets & target:
                        targets = taken_targets | target
                        total = min(cost + distance, extended.get(targets, IMPOSSIBLE))
                        extended[targets] = total
            cheapest = extended
        return min(cheapest.values(), default=IMPOSSIBLE)


def _pushes_in_order(chain: PushChain) -> tuple[Push, ...]:
    """Return the pushes of *chain*, the first one first."""
    pushes = []
    while chain is not None:
        chain, push = chain
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

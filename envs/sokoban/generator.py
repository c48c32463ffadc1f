"""Generated levels, by playing backwards: boxes start on their targets and are pulled away.

A random walk carves a room, and random squares of it are then flipped between floor and wall. A
pulled box can be pushed back, so that every candidate is solvable; the solver finds how many pushes
it needs at least. A candidate is accepted if it belongs to the split of the task, which is checked
first because it is cheap, and if its fewest pushes are in the tier's band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agentgym_gen.envs.sokoban.board import (
    Level,
    Position,
    flood,
    iter_squares,
    offsets,
    shift,
    split_of,
)
from agentgym_gen.envs.sokoban.solver import Solver, moves_from_pushes

TURN_CHANCE = 0.4
"""The probability that a step of the carving walk changes its direction."""

ON_TARGET_COST = 4
"""How many pushes of distance a box on a target is worth when positions are compared."""

BRUSHES = (
    ((0, -1), (0, 0), (0, 1)),
    ((-1, 0), (0, 0), (1, 0)),
    ((0, 0), (0, 1), (1, 0)),
    ((0, 0), (0, 1), (1, 0), (1, 1)),
)
"""The squares, relative to the walk's own, that one step of it clears."""

STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""The directions of the walk."""


@dataclass(frozen=True)
class LevelSpec:
    """The specification of a tier's levels."""

    sizes: tuple[tuple[int, int], ...]
    """Heights and widths, one of which is sampled."""
    boxes: tuple[int, ...]
    """Numbers of boxes, one of which is sampled."""
    pushes: tuple[int, int]
    """The band: the least and the greatest number of pushes of the best solution."""
    walk_steps: tuple[int, int]
    """The least and the greatest number of steps of the carving walk."""
    flips: tuple[int, int]
    """The least and the greatest number of squares that are then flipped between floor and wall."""
    min_floor: int
    """The least number of squares that are not walls."""
    pulls_per_box: int
    """How many pulls are made for each box."""
    max_states: int
    """How many states the solver may expand; a level that needs more is rejected."""


def generate_level(spec: LevelSpec, split: str, rng: np.random.Generator) -> Level:
    """Return a level of *spec* that belongs to *split*, generated from *rng* alone."""
    while True:
        height, width = spec.sizes[int(rng.integers(len(spec.sizes)))]
        solved = _generate_solved_room(height, width, spec, rng)
        if solved is None:
            continue
        solver = Solver(width, solved.walls, solved.targets)
        start = _pull_away(solved, solver, spec.pulls_per_box, rng)
        level = _accept(start, height, solver, spec, split)
        if level is not None:
            return level


def _accept(
    start: Position, height: int, solver: Solver, spec: LevelSpec, split: str
) -> Level | None:
    """Return the level that begins with *start*, or None if it is rejected."""
    low, high = spec.pushes
    if start.boxes & start.targets or solver.lower_bound(start.boxes) > high:
        return None
    rows = start.rows(height)
    if split_of(rows) != split:
        return None
    pushes = solver.solve(start.boxes, start.player, limit=spec.max_states)
    if pushes is None or not low <= len(pushes) <= high:
        return None
    return Level(rows, moves_from_pushes(start, pushes))


def _generate_solved_room(
    height: int, width: int, spec: LevelSpec, rng: np.random.Generator
) -> Position | None:
    """Return a room with its boxes on their targets, or None if it has too little floor."""
    box_count = spec.boxes[int(rng.integers(len(spec.boxes)))]
    floor = _carve(height, width, int(rng.integers(*spec.walk_steps, endpoint=True)), rng)
    floor = _roughen(floor, height, width, int(rng.integers(*spec.flips, endpoint=True)), rng)
    squares = list(iter_squares(floor))
    if len(squares) < spec.min_floor:
        return None
    # Different squares at random: the first is the player's, the others are the boxes'.
    player, *boxes = (squares[int(i)] for i in rng.permutation(len(squares))[: box_count + 1])
    targets = sum(boxes)  # of different single bits the sum is the union
    walls = (1 << height * width) - 1 & ~floor  # all squares of the board that are not floor
    return Position(width, walls, targets, boxes=targets, player=player)


def _carve(height: int, width: int, steps: int, rng: np.random.Generator) -> int:
    """Return the floor that a random walk of *steps* steps clears."""
    turns = (rng.random(steps) < TURN_CHANCE).tolist()
    directions = rng.integers(len(STEPS), size=steps).tolist()
    brushes = rng.integers(len(BRUSHES), size=steps).tolist()
    row, column = int(rng.integers(1, height - 1)), int(rng.integers(1, width - 1))
    floor, step = 0, STEPS[directions[0]]
    for turn, direction, brush in zip(turns, directions, brushes, strict=True):
        step = STEPS[direction] if turn else step
        row = min(max(row + step[0], 1), height - 2)
        column = min(max(column + step[1], 1), width - 2)
        for down, right in BRUSHES[brush]:
            if 0 < row + down < height - 1 and 0 < column + right < width - 1:
                floor |= 1 << (row + down) * width + column + right
    return floor


def _roughen(floor: int, height: int, width: int, flips: int, rng: np.random.Generator) -> int:
    """Return the largest connected part of *floor* after random squares of it are flipped."""
    rows = rng.integers(1, height - 1, size=flips).tolist()
    columns = rng.integers(1, width - 1, size=flips).tolist()
    for row, column in zip(rows, columns, strict=True):
        floor ^= 1 << row * width + column
    parts = []
    while floor:
        # Start from the lowest bit of what is left, and remove the part that is connected to it.
        parts.append(flood(floor & -floor, floor, width))
        floor ^= parts[-1]
    return max(parts, key=int.bit_count, default=0)


def _pull_away(
    solved: Position, solver: Solver, pulls_per_box: int, rng: np.random.Generator
) -> Position:
    """Return the position whose boxes are farthest from the targets, after random pulls.

    The pulls start from *solved*. Of two random ones, the one that leaves the boxes farther away is
    made. A box that is still on a target counts against a position.
    """

    def distance(boxes: int) -> int:
        return solver.lower_bound(boxes) - ON_TARGET_COST * (boxes & solved.targets).bit_count()

    boxes, width, floor = solved.boxes, solved.width, ~solved.walls
    reach = flood(solved.player, floor & ~boxes, width)
    farthest = (distance(boxes), boxes, reach)
    for chances in rng.random((pulls_per_box * boxes.bit_count(), 2)).tolist():
        pulls = _possible_pulls(boxes, reach, width)
        if not pulls:
            break
        candidates = [pulls[int(chance * len(pulls))] for chance in chances]
        boxes, player = max(candidates, key=lambda pull: distance(pull[0]))
        reach = flood(player, floor & ~boxes, width)
        farthest = max(farthest, (distance(boxes), boxes, reach))
    _, boxes, reach = farthest
    squares = list(iter_squares(reach))
    return replace(solved, boxes=boxes, player=squares[int(rng.integers(len(squares)))])


def _possible_pulls(boxes: int, reach: int, width: int) -> list[tuple[int, int]]:
    """Return the boxes and the player after every possible pull.

    The player stands next to a box and steps back. Both squares are within reach, because the
    second is next to the first.
    """
    pulls = []
    for offset in offsets(width):
        # All boxes at once: a box is pullable if one and two squares ahead of it are within reach.
        pullable = boxes & shift(reach, -offset) & shift(reach, -2 * offset)
        for box in iter_squares(pullable):
            pulls.append((boxes ^ box | shift(box, offset), shift(box, 2 * offset)))
    return pulls

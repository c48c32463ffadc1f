"""Levels from play backwards: boxes start on their targets and are pulled away.

A room is carved by a random walk and then roughened. What was pulled can be pushed back, so every
candidate is solvable; the solver then says how many pushes it really needs. A candidate counts
only if it belongs to the wanted split, which is checked first because it is cheap, and if its
fewest pushes are in the tier's band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agentgym_gen.envs.sokoban.board import (
    Level,
    Position,
    flood,
    offsets,
    shift,
    iter_squares,
    split_of,
)
from agentgym_gen.envs.sokoban.expert import Solver, moves_from_pushes

TURN_CHANCE = 0.4
"""How often the carving walk changes its direction."""

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
    """What the levels of a tier are like."""

    sizes: tuple[tuple[int, int], ...]
    """Heights and widths, one of which is drawn."""
    boxes: tuple[int, ...]
    """Numbers of boxes, one of which is drawn."""
    pushes: tuple[int, int]
    """The band: the least and the greatest number of pushes that the best solution may have."""
    walk_steps: tuple[int, int]
    """The least and the greatest number of steps of the carving walk."""
    flips: tuple[int, int]
    """The least and the greatest number of squares that are then turned from floor to wall, or
    from wall to floor."""
    min_floor: int
    """The least number of squares that are no walls."""
    pulls_per_box: int
    """How many pulls are made for each box."""
    max_states: int
    """How many states the solver may look at; a level that needs more is not taken."""


def generate_level(recipe: LevelSpec, split: str, rng: np.random.Generator) -> Level:
    """Return a level of *recipe* that belongs to *split*, drawn from *rng* alone."""
    while True:
        height, width = recipe.sizes[int(rng.integers(len(recipe.sizes)))]
        solved = _generate_solved_room(height, width, recipe, rng)
        if solved is None:
            continue
        solver = Solver(width, solved.walls, solved.targets)
        start = _pull_away(solved, solver, recipe.pulls_per_box, rng)
        level = _accept(start, height, solver, recipe, split)
        if level is not None:
            return level


def _accept(
    start: Position, height: int, solver: Solver, recipe: LevelSpec, split: str
) -> Level | None:
    low, high = recipe.pushes
    if start.boxes & start.targets or solver.lower_bound(start.boxes) > high:
        return None
    rows = start.rows(height)
    if split_of(rows) != split:
        return None
    pushes = solver.solve(start.boxes, start.player, limit=recipe.max_states)
    if pushes is None or not low <= len(pushes) <= high:
        return None
    return Level(rows, moves_from_pushes(start, pushes))


def _generate_solved_room(height: int, width: int, recipe: LevelSpec, rng: np.random.Generator) -> Position | None:
    """Return a room with its boxes on their targets, or None if it has too little floor."""
    number = recipe.boxes[int(rng.integers(len(recipe.boxes)))]
    floor = _carve(height, width, int(rng.integers(*recipe.walk_steps, endpoint=True)), rng)
    floor = _roughen(floor, height, width, int(rng.integers(*recipe.flips, endpoint=True)), rng)
    squares = list(iter_squares(floor))
    if len(squares) < recipe.min_floor:
        return None
    chosen = [squares[int(i)] for i in rng.permutation(len(squares))[: number + 1]]
    targets = sum(chosen[1:])
    walls = (1 << height * width) - 1 & ~floor
    return Position(width, walls, targets, boxes=targets, player=chosen[0])


def _carve(height: int, width: int, steps: int, rng: np.random.Generator) -> int:
    """Return the floor that a random walk of *steps* clears."""
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
        parts.append(flood(floor & -floor, floor, width))
        floor ^= parts[-1]
    return max(parts, key=int.bit_count, default=0)


def _pull_away(
    solved: Position, solver: Solver, pulls: int, rng: np.random.Generator
) -> Position:
    """Return the farthest position that random pulls from *solved* reach.

    Of two random pulls the one that leaves the boxes farther from the targets is made; a box that
    is still on a target counts against a position.
    """

    def farness(boxes: int) -> int:
        return solver.lower_bound(boxes) - ON_TARGET_COST * (boxes & solved.targets).bit_count()

    boxes, width, floor = solved.boxes, solved.width, ~solved.walls
    reach = flood(solved.player, floor & ~boxes, width)
    farthest = (farness(boxes), boxes, reach)
    for draws in rng.random((pulls * boxes.bit_count(), 2)).tolist():
        options = _pulls(boxes, reach, width)
        if not options:
            break
        drawn = [options[int(draw * len(options))] for draw in draws]
        boxes, player = max(drawn, key=lambda option: farness(option[0]))
        reach = flood(player, floor & ~boxes, width)
        farthest = max(farthest, (farness(boxes), boxes, reach))
    _, boxes, reach = farthest
    squares = list(iter_squares(reach))
    return replace(solved, boxes=boxes, player=squares[int(rng.integers(len(squares)))])


def _pulls(boxes: int, reach: int, width: int) -> list[tuple[int, int]]:
    """Return the boxes and the player after every possible pull.

    The player stands beside a box and steps back; both squares are within reach, because the
    second is beside the first.
    """
    found = []
    for offset in offsets(width):
        pullable = boxes & shift(reach, -offset) & shift(reach, -2 * offset)
        for box in iter_squares(pullable):
            found.append((boxes ^ box | shift(box, offset), shift(box, 2 * offset)))
    return found

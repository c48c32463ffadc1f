"""Shortest paths to things in view, as minigrid's actions: what macro actions consist of.

The search runs over poses: a cell and a direction. From each, AgentGym tries to go forward, then to
turn left, then right; the first pose that faces the target (or stands on it) ends the path.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from agentgym_gen.envs.babyai.view import DIRECTION_STEPS, Position

LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE = range(6)
"""minigrid's numbers of its actions."""

ActionSequence = tuple[int, ...]
"""minigrid's actions in order."""

Pose = tuple[int, int, int]
"""A column, a row and a direction."""


class Paths(NamedTuple):
    """The paths from one pose, by their target."""

    facing: dict[Position, ActionSequence]
    """Those that end before a cell and face it."""
    onto: dict[Position, ActionSequence]
    """Those that end on a cell."""


def next_pose(pose: Pose, action: int) -> Pose:
    """Return the pose after a turn or a free step forward."""
    x, y, direction = pose
    if action == FORWARD:
        dx, dy = DIRECTION_STEPS[direction]
        return x + dx, y + dy, direction
    turn = 1 if action == RIGHT else 3  # three quarter turns to the right are one to the left
    return x, y, (direction + turn) % 4


def shortest_paths(
    start: Pose,
    free: Collection[Position],
    facing: Collection[Position],
    onto: Collection[Position],
) -> Paths:
    """Return the shortest paths through *free* cells, as far as there are any.

    Args:
        start: The player's pose.
        free: The cells that can be walked on.
        facing: The cells to be faced.
        onto: The cells to be stood on.
    """
    paths = Paths({}, {})
    missing = len(facing) + len(onto)
    actions_to: dict[Pose, ActionSequence] = {start: ()}
    queue = [start]
    for pose in queue:  # the queue grows while it is read: a breadth-first search
        actions = actions_to[pose]
        x, y, direction = pose
        dx, dy = DIRECTION_STEPS[direction]
        front = (x + dx, y + dy)
        if front in facing and front not in paths.facing:
            paths.facing[front] = actions
            missing -= 1
        if (x, y) in onto and (x, y) not in paths.onto:
            paths.onto[x, y] = actions
            missing -= 1
        if not missing:
            break
        ahead = (*front, direction)
        left, right = (x, y, (direction + 3) % 4), (x, y, (direction + 1) % 4)
        if front in free and ahead not in actions_to:
            actions_to[ahead] = (*actions, FORWARD)
            queue.append(ahead)
        if left not in actions_to:
            actions_to[left] = (*actions, LEFT)
            queue.append(left)
        if right not in actions_to:
            actions_to[right] = (*actions, RIGHT)
            queue.append(right)
    return paths

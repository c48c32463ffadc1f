"""AgentGym's path search, whose paths are not always the shortest and may lead nowhere."""

from __future__ import annotations

from collections.abc import Collection

from agentgym_gen.envs.babyai.paths import (
    FORWARD,
    LEFT,
    RIGHT,
    ActionSequence,
    Paths,
    Pose,
    next_pose,
)
from agentgym_gen.envs.babyai.view import DIRECTION_STEPS, HALF_WIDTH, VIEW_SIZE, Position


def agentgym_paths(
    start: Pose,
    blocked: Collection[Position],
    facing: Collection[Position],
    onto: Collection[Position],
) -> Paths:
    """Return the paths that AgentGym finds, which are not always the shortest and may fail.

    They lead through cells that are out of view and through closed doors, and may leave the view by
    one cell behind the player. A pose that waits in the queue gets a new parent each time it is
    reached again, and may wait there several times.

    Args:
        start: The player's pose.
        blocked: The cells in view with a wall or with a thing that is no door.
        facing: The cells to be faced.
        onto: The cells to be stood on.
    """
    window = _window(start)
    paths = Paths({}, {})
    parents: dict[Pose, tuple[Pose, int]] = {}
    visited: set[Pose] = set()
    queue = [start]
    for pose in queue:  # the queue grows while it is read
        if len(paths.facing) == len(facing) and len(paths.onto) == len(onto):
            break
        visited.add(pose)
        x, y, direction = pose
        front = (x + DIRECTION_STEPS[direction][0], y + DIRECTION_STEPS[direction][1])
        if front in facing and front not in paths.facing:
            paths.facing[front] = _actions_between(start, pose, parents)
        if (x, y) in onto and (x, y) not in paths.onto:
            paths.onto[x, y] = _actions_between(start, pose, parents)
        for action in (FORWARD, LEFT, RIGHT):
            following = next_pose(pose, action)
            position = following[:2]
            if position in window and following not in visited and position not in blocked:
                queue.append(following)
                parents[following] = (pose, action)
    return paths


def _actions_between(
    start: Pose, pose: Pose, parents: dict[Pose, tuple[Pose, int]]
) -> ActionSequence:
    actions: list[int] = []
    while pose != start:
        pose, action = parents[pose]
        actions.append(action)
    return tuple(reversed(actions))


def _window(start: Pose) -> frozenset[Position]:
    """Return the cells that AgentGym's paths may use: the view and a row too many.

    AgentGym takes the far left corner of the view and goes its size from there to the near right
    one. An axis that counts down on the way includes both ends, one that counts up only the first.
    """
    x, y, direction = start
    fx, fy = DIRECTION_STEPS[direction]
    rx, ry = -fy, fx  # the direction to the right
    left = (
        x + fx * (VIEW_SIZE - 1) - rx * HALF_WIDTH,
        y + fy * (VIEW_SIZE - 1) - ry * HALF_WIDTH,
    )
    right = left[0] + VIEW_SIZE * (rx - fx), left[1] + VIEW_SIZE * (ry - fy)
    spans = [
        range(end, begin + 1) if end < begin else range(begin, end)
        for begin, end in zip(left, right, strict=True)
    ]
    return frozenset((column, row) for column in spans[0] for row in spans[1])

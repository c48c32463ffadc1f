"""The ways to things in view, as minigrid's actions: what AgentGym's macro actions consist of.

A state is a cell and a direction. From each, AgentGym tries to go forward, then to turn left, then
right; the first state that faces the wanted cell (or stands on it) ends the way.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from agentgym_gen.envs.babyai.view import HALF, SIZE, STEPS, Place

LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE = range(6)
"""minigrid's numbers of its actions."""

Way = tuple[int, ...]
"""Actions in order."""

State = tuple[int, int, int]
"""A column, a row and a direction."""


class Ways(NamedTuple):
    """The ways from one state."""

    facing: dict[Place, Way]
    """To stand before a cell and face it."""
    onto: dict[Place, Way]
    """To stand on a cell."""


def after(state: State, action: int) -> State:
    """Return the state after a turn or a free step forward."""
    x, y, direction = state
    if action == FORWARD:
        dx, dy = STEPS[direction]
        return x + dx, y + dy, direction
    turn = 1 if action == RIGHT else 3
    return x, y, (direction + turn) % 4


def shortest(
    start: State, free: Collection[Place], facing: Collection[Place], onto: Collection[Place]
) -> Ways:
    """Return the shortest ways through *free* cells, as far as there are any.

    Args:
        start: Where the player stands.
        free: The cells that can be walked on.
        facing: The cells to be faced.
        onto: The cells to be stood on.
    """
    found = Ways({}, {})
    wanted = len(facing) + len(onto)
    ways: dict[State, Way] = {start: ()}
    queue = [start]
    for state in queue:
        way = ways[state]
        x, y, direction = state
        dx, dy = STEPS[direction]
        front = (x + dx, y + dy)
        if front in facing and front not in found.facing:
            found.facing[front] = way
            wanted -= 1
        if (x, y) in onto and (x, y) not in found.onto:
            found.onto[x, y] = way
            wanted -= 1
        if not wanted:
            break
        ahead = (*front, direction)
        left, right = (x, y, (direction + 3) % 4), (x, y, (direction + 1) % 4)
        if front in free and ahead not in ways:
            ways[ahead] = (*way, FORWARD)
            queue.append(ahead)
        if left not in ways:
            ways[left] = (*way, LEFT)
            queue.append(left)
        if right not in ways:
            ways[right] = (*way, RIGHT)
            queue.append(right)
    return found


def as_agentgym(
    start: State, blocked: Collection[Place], facing: Collection[Place], onto: Collection[Place]
) -> Ways:
    """Return the ways that AgentGym finds, which are not always the shortest and may fail.

    It walks through cells that are not seen and through closed doors, may leave the view by one
    cell behind the player, and forgets a parent for a later one as long as a state waits in its
    queue, where the state may stand several times.

    Args:
        start: Where the player stands.
        blocked: The cells in view with a wall or with a thing that is no door.
        facing: The cells to be faced.
        onto: The cells to be stood on.
    """
    window = _window(start)
    found = Ways({}, {})
    parents: dict[State, tuple[State, int]] = {}
    done: set[State] = set()
    queue = [start]
    for state in queue:
        if len(found.facing) == len(facing) and len(found.onto) == len(onto):
            break
        done.add(state)
        x, y, direction = state
        front = (x + STEPS[direction][0], y + STEPS[direction][1])
        if front in facing and front not in found.facing:
            found.facing[front] = _way_back(start, state, parents)
        if (x, y) in onto and (x, y) not in found.onto:
            found.onto[x, y] = _way_back(start, state, parents)
        for action in (FORWARD, LEFT, RIGHT):
            following = after(state, action)
            place = following[:2]
            if place in window and following not in done and place not in blocked:
                queue.append(following)
                parents[following] = (state, action)
    return found


def _way_back(start: State, state: State, parents: dict[State, tuple[State, int]]) -> Way:
    way: list[int] = []
    while state != start:
        state, action = parents[state]
        way.append(action)
    return tuple(reversed(way))


def _window(start: State) -> frozenset[Place]:
    """Return the cells that AgentGym's ways may use: the view and a row too many.

    It takes one corner of the view, goes its size to the other and, in the direction in which that
    counts down, includes both ends.
    """
    x, y, direction = start
    fx, fy = STEPS[direction]
    rx, ry = -fy, fx
    left = x + fx * (SIZE - 1) - rx * HALF, y + fy * (SIZE - 1) - ry * HALF
    right = left[0] + SIZE * (rx - fx), left[1] + SIZE * (ry - fy)
    spans = [
        range(end, begin + 1) if end < begin else range(begin, end)
        for begin, end in zip(left, right, strict=True)
    ]
    return frozenset((column, row) for column in spans[0] for row in spans[1])

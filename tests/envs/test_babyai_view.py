"""BabyAI: the view and the paths to what is in it, compared with minigrid itself."""

from typing import Any

import pytest
from babyai_play import make_task, make_world, minigrid_env

from agentgym_gen.envs.babyai.compat.agentgym_paths import agentgym_paths
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS
from agentgym_gen.envs.babyai.paths import (
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    next_pose,
    shortest_paths,
)
from agentgym_gen.envs.babyai.view import DIRECTION_STEPS, look
from agentgym_gen.seeding import stream
from agentgym_gen.world import Task

OPEN_FLOOR = frozenset((x, y) for x in range(5) for y in range(5))
KINDS = {4: "door", 5: "key", 6: "ball", 7: "box"}
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")


def shown_in_picture(
    image: Any,  # noqa: ANN401  (an array)
    pose: tuple[int, int, int],
) -> tuple[set[tuple[int, int]], set[tuple[int, int]], set[tuple[object, ...]]]:
    """Return the cells, the walls and the things that minigrid's picture shows."""
    x, y, facing = pose
    fx, fy = DIRECTION_STEPS[facing]
    cells, walls, things = set(), set(), set()
    for i in range(7):
        for j in range(7):
            kind, colour, _ = image[i, j].tolist()
            ahead, right = 6 - j, i - 3
            position = (x + fx * ahead - fy * right, y + fy * ahead + fx * right)
            if kind:
                cells.add(position)
            if kind == 2:
                walls.add(position)
            if kind in KINDS and (ahead or right):
                things.add((position, KINDS[kind], COLOURS[colour], ahead, right))
    return cells, walls, things


@pytest.mark.parametrize("level", AGENTGYM_LEVELS)
def test_rules_and_view_are_minigrids(level: str) -> None:
    """Reward, ends and every cell of the picture are the same on a walk of 40 actions."""
    env, game = minigrid_env(level, 0), backend.load("game").Game(level, 0)
    assert (env.mission, env.grid.encode().tolist()) == (
        game.env.mission,
        game.env.grid.encode().tolist(),
    )
    for action in stream("babyai view", level).choice([0, 1, 2, 2, 2, 3, 4, 5], 40).tolist():
        picture, reward, terminated, truncated, _ = env.step(action)
        assert game.act(action) == (reward, terminated, truncated)
        view = look(game.env.grid, *game.pose)
        things = {(t.position, t.kind, t.colour, t.ahead, t.right) for t in view.things}
        assert (view.cells, view.walls, things) == shown_in_picture(picture["image"], game.pose)


def test_things_are_sorted_by_distance() -> None:
    """At one distance the farther row comes first, then the left, as AgentGym's sort leaves it."""
    things = make_world("GoToRedBallGrey", 0)._perception.view.things
    keys = [(thing.distance, -thing.ahead, thing.right) for thing in things]

    assert keys == sorted(keys)


def test_a_path_by_hand() -> None:
    """Paths from the corner, looking right, are those worked out by hand."""
    paths = shortest_paths((0, 0, 0), OPEN_FLOOR - {(2, 1)}, {(2, 1)}, {(1, 1)})

    assert paths.facing == {(2, 1): (FORWARD, FORWARD, RIGHT)}
    assert paths.onto == {(1, 1): (FORWARD, RIGHT, FORWARD)}


def test_what_is_walled_in_has_no_path() -> None:
    """What is walled in has no path; to face the cell behind the player takes two turns."""
    paths = shortest_paths((2, 2, 0), {(2, 2)}, {(0, 2), (1, 2)}, {(4, 4)})

    assert paths.facing == {(1, 2): (LEFT, LEFT)}
    assert paths.onto == {}


def test_agentgyms_paths_are_no_shorter() -> None:
    """Both searches find paths to the same cells of an open floor, and ours are not longer."""
    targets = {(2, 1), (4, 4), (1, 3)}
    start = (0, 0, 0)
    ours = shortest_paths(start, OPEN_FLOOR - targets, targets, set()).facing
    theirs = agentgym_paths(start, targets, targets, set()).facing

    assert set(theirs) >= {(2, 1), (1, 3)}
    assert all(len(path) >= len(ours[position]) for position, path in theirs.items())


@pytest.mark.parametrize("level", ["GoToLocalS8N7", "MiniBossLevel", "BossLevel"])
def test_every_listed_command_arrives(level: str) -> None:
    """Nothing blocks the actions of a listed command: each of them changes something."""
    rng = stream("arrives", level)
    world = make_world(level, 3)
    for _ in range(25):
        admissible = world._admissible.actions
        for command, actions in admissible.items():
            assert arrives(world._game, actions), command
        commands = [command for command, actions in admissible.items() if actions]
        if world.step(commands[int(rng.integers(len(commands)))]).end is not None:
            break


def arrives(game: Any, actions: tuple[int, ...]) -> bool:  # noqa: ANN401  (a Game)
    """Say whether each of *actions* changes something; the game is as before afterwards."""
    saved, pose = game.save(), game.pose
    changed = []
    for action in actions:
        rows = game.grid_rows()
        effect = game.act(action)
        changed.append(game.grid_rows() != rows)
        pose = next_pose(pose, action) if action < PICKUP else pose
        if effect.terminated:
            break
    is_there = game.pose == pose
    game.restore(saved)
    return all(changed) and is_there


def test_a_game_returns_to_what_was_saved() -> None:
    """Doors, boxes, keys, missions and steps are restored: the same actions do the same again."""
    for level in ("KeyInBox", "BossLevel", "MoveTwoAcrossS8N9"):
        game = backend.load("game").Game(level, 1)
        actions = stream("saved", level).choice([0, 1, 2, 2, 3, 4, 5, 5], 200).tolist()
        saved, rows = game.save(), game.grid_rows()
        first = [game.act(action) for action in actions], game.grid_rows()
        game.restore(saved)
        assert game.grid_rows() == rows
        assert ([game.act(action) for action in actions], game.grid_rows()) == first


def test_grid_rows_distinguish_worlds() -> None:
    """The state of a door, what a box hides and where the player looks are part of the rows."""
    task: Task[Any] = make_task("KeyInBox", 1)
    game = backend.load("game").Game("KeyInBox", 1)

    assert any("Bg(Kr)" in row for row in task.content.world)
    assert any("Lr" in row for row in task.content.world)
    game.act(LEFT)
    assert game.grid_rows() != task.content.world

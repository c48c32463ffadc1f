"""BabyAI: what is seen, and the ways there, against minigrid itself."""

import contextlib
import io
from typing import Any

import gymnasium
import pytest
from babyai_play import quest, world_of

from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.levels import AGENTGYM_LEVELS
from agentgym_gen.envs.babyai.paths import (
    FORWARD,
    LEFT,
    PICKUP,
    RIGHT,
    after,
    as_agentgym,
    shortest,
)
from agentgym_gen.envs.babyai.view import STEPS, look
from agentgym_gen.seeding import stream
from agentgym_gen.world import Task

OPEN_FLOOR = frozenset((x, y) for x in range(5) for y in range(5))
KINDS = {4: "door", 5: "key", 6: "ball", 7: "box"}
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")


def raw(level: str, seed: int) -> Any:  # noqa: ANN401  (minigrid's environment)
    """Return minigrid's own environment, reset."""
    env = gymnasium.make(backend.load("game").specs()[f"BabyAI-{level}"].id).unwrapped
    with contextlib.redirect_stdout(io.StringIO()):
        env.reset(seed=seed)
    return env


def pictured(
    image: Any,  # noqa: ANN401  (an array)
    place: tuple[int, int, int],
) -> tuple[set[tuple[int, int]], set[tuple[int, int]], set[tuple[object, ...]]]:
    """Return the cells, the walls and the things that minigrid's picture shows."""
    x, y, facing = place
    fx, fy = STEPS[facing]
    seen, walls, things = set(), set(), set()
    for i in range(7):
        for j in range(7):
            kind, colour, _ = image[i, j].tolist()
            ahead, right = 6 - j, i - 3
            cell = (x + fx * ahead - fy * right, y + fy * ahead + fx * right)
            if kind:
                seen.add(cell)
            if kind == 2:
                walls.add(cell)
            if kind in KINDS and (ahead or right):
                things.add((cell, KINDS[kind], COLOURS[colour], ahead, right))
    return seen, walls, things


@pytest.mark.parametrize("level", AGENTGYM_LEVELS)
def test_rules_and_view_are_minigrids(level: str) -> None:
    """On a walk of 40 actions: reward, ends and every cell of the picture."""
    env, game = raw(level, 0), backend.load("game").Game(level, 0)
    assert (env.mission, env.grid.encode().tolist()) == (
        game.env.mission,
        game.env.grid.encode().tolist(),
    )
    for action in stream("babyai view", level).choice([0, 1, 2, 2, 2, 3, 4, 5], 40).tolist():
        picture, reward, over, late, _ = env.step(action)
        assert game.act(action)[1:] == (reward, over, late)
        view = look(game.env.grid, *game.place)
        things = {(t.place, t.kind, t.colour, t.ahead, t.right) for t in view.things}
        assert (view.seen, view.walls, things) == pictured(picture["image"], game.place)


def test_things_are_sorted_by_distance() -> None:
    """At one distance the farther row comes first, then the left, as AgentGym's sort leaves it."""
    things = world_of("GoToRedBallGrey", 0)._moment.view.things
    keys = [(thing.distance, -thing.ahead, thing.right) for thing in things]

    assert keys == sorted(keys)


def test_a_way_by_hand() -> None:
    """From the corner, looking right, to the cell two ahead and one to the right."""
    ways = shortest((0, 0, 0), OPEN_FLOOR - {(2, 1)}, {(2, 1)}, {(1, 1)})

    assert ways.facing == {(2, 1): (FORWARD, FORWARD, RIGHT)}
    assert ways.onto == {(1, 1): (FORWARD, RIGHT, FORWARD)}


def test_what_is_walled_in_has_no_way() -> None:
    """And what is behind takes two turns."""
    ways = shortest((2, 2, 0), {(2, 2)}, {(0, 2), (1, 2)}, {(4, 4)})

    assert ways.facing == {(1, 2): (LEFT, LEFT)}
    assert ways.onto == {}


def test_agentgyms_ways_are_no_shorter() -> None:
    """Both find a way to the same cells of an open floor."""
    targets = {(2, 1), (4, 4), (1, 3)}
    start = (0, 0, 0)
    ours = shortest(start, OPEN_FLOOR - targets, targets, set()).facing
    theirs = as_agentgym(start, targets, targets, set()).facing

    assert set(theirs) >= {(2, 1), (1, 3)}
    assert all(len(way) >= len(ours[place]) for place, way in theirs.items())


@pytest.mark.parametrize("level", ["GoToLocalS8N7", "MiniBossLevel", "BossLevel"])
def test_every_listed_command_arrives(level: str) -> None:
    """Each way ends where its moves lead, and its last act is done; nothing is in the way."""
    rng = stream("arrives", level)
    world = world_of(level, 3)
    for _ in range(25):
        ways = world._menu.ways
        for command, way in ways.items():
            assert arrives(world._game, way), command
        commands = [command for command, way in ways.items() if way]
        if world.step(commands[int(rng.integers(len(commands)))]).end is not None:
            break


def arrives(game: Any, way: tuple[int, ...]) -> bool:  # noqa: ANN401  (an engine.Game)
    """Say whether every action of *way* changes something; the game is as before afterwards."""
    saved, place = game.save(), game.place
    changed = []
    for action in way:
        effect = game.act(action)
        changed.append(effect.changed)
        place = after(place, action) if action < PICKUP else place
        if effect.over:
            break
    reached = game.place == place
    game.restore(saved)
    return all(changed) and reached


def test_a_game_returns_to_what_was_saved() -> None:
    """Doors, boxes, keys, missions and steps: what follows is the same as the first time."""
    for level in ("KeyInBox", "BossLevel", "MoveTwoAcrossS8N9"):
        game = backend.load("game").Game(level, 1)
        actions = stream("saved", level).choice([0, 1, 2, 2, 3, 4, 5, 5], 200).tolist()
        saved, drawn = game.save(), game.drawing()
        first = [game.act(action) for action in actions], game.drawing()
        game.restore(saved)
        assert game.drawing() == drawn
        assert ([game.act(action) for action in actions], game.drawing()) == first


def test_drawings_tell_worlds_apart() -> None:
    """The state of a door, what a box hides and where the player looks are part of a world."""
    task: Task[Any] = quest("KeyInBox", 1)
    game = backend.load("game").Game("KeyInBox", 1)

    assert any("Bg(Kr)" in row for row in task.content.world)
    assert any("Lr" in row for row in task.content.world)
    game.act(LEFT)
    assert game.drawing() != task.content.world

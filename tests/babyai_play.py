"""Worlds of BabyAI by level and seed, for the tests of BabyAI."""

import contextlib
import io
from typing import Any

import gymnasium

from agentgym_gen.envs.babyai import BabyAI
from agentgym_gen.envs.babyai.engine import backend
from agentgym_gen.envs.babyai.tasks import Quest
from agentgym_gen.world import Malformed, Message, Outcome, Task, TaskId, native_text


def make_task(level: str, seed: int) -> Task[Quest]:
    """Return the task of *level* with *seed*, whether the expert solves it or not."""
    game = backend.load("game").Game(level, seed)
    content = Quest(game.grid_rows(), game.env.mission, level, seed, (), 0)
    return Task(TaskId("babyai", "easy", "train", "0"), content)


def make_world(level: str, seed: int, wording: str = "agentgym", compat: str = "fixed") -> BabyAI:
    """Return a world that plays *level* with *seed*."""
    world = BabyAI(wording, compat)
    world.reset(make_task(level, seed))
    return world


def minigrid_env(level: str, seed: int) -> Any:  # noqa: ANN401  (minigrid's environment)
    """Return minigrid's own environment, reset."""
    env = gymnasium.make(backend.load("game").level_specs()[f"BabyAI-{level}"].id).unwrapped
    with contextlib.redirect_stdout(io.StringIO()):
        env.reset(seed=seed)
    return env


def native(world: BabyAI, message: Message) -> str:
    """Return *message* in the native words of *world*."""
    return native_text(message, world.verbs)


def act(world: BabyAI, text: str) -> Outcome:
    """Return what the command *text* does."""
    command = world.read(text)
    assert not isinstance(command, Malformed), command
    return world.step(command)


def reply(world: BabyAI, text: str) -> str:
    """Return the answer to the command *text*."""
    return native(world, act(world, text).scene.message)


def admissible_texts(world: BabyAI) -> list[str]:
    """Return the admissible commands as texts."""
    return [native(world, (command,)) for command in world.admissible()]

"""Helpers that play TextCraft, for its tests."""

from __future__ import annotations

import itertools
import random

from agentgym_gen import Interface
from agentgym_gen.envs.textcraft import CraftTask, TextCraft, TextCraftTasks
from agentgym_gen.interface import EpisodeInterface
from agentgym_gen.world import SPLITS, TIERS, Command, EndReason, Malformed, Outcome, Task, TaskId

TASKS = TextCraftTasks()
PLACES = list(itertools.product(TIERS, SPLITS))


def world_of(task: Task[CraftTask]) -> TextCraft:
    """Return a world at the start of *task*."""
    world = TextCraft()
    world.reset(task)
    return world


def sign_world() -> TextCraft:
    """Return a world whose goal is an oak sign, with the recipes for it and no others."""
    recipes = (
        ("3 oak sign", "6 oak planks, 1 stick"),
        ("4 oak planks", "1 oak logs"),
        ("4 stick", "2 planks"),
        ("4 birch planks", "1 birch logs"),
    )
    return world_of(
        Task(TaskId("textcraft", "medium", "train", "0"), CraftTask("oak sign", recipes))
    )


def act(world: TextCraft, text: str) -> Outcome | Malformed:
    """Return the outcome of the action *text* in *world*."""
    command = world.read(text)
    return command if isinstance(command, Malformed) else world.step(command)


def reply(world: TextCraft, text: str) -> str:
    """Return the text with which *world* answers the action *text*."""
    answer = act(world, text)
    message = world.invalid_reply(answer) if isinstance(answer, Malformed) else answer.scene.message
    return EpisodeInterface(Interface(), world, TaskId("textcraft", "easy", "train", "0")).render(
        message
    )


def inventory(world: TextCraft) -> dict[str, int]:
    """Return the inventory of *world*."""
    items = world.step(Command("inventory")).scene.facts["carried"]
    assert isinstance(items, dict)
    return items


def wander(world: TextCraft, moves: int, seed: int) -> None:
    """Take *moves* random admissible actions, none of which ends the episode."""
    rng = random.Random(seed)
    for _ in range(moves):
        commands = [c for c in world.admissible() if c.args[:1] != (counted_goal(world),)]
        world.step(rng.choice(commands))


def counted_goal(world: TextCraft) -> str:
    """Return the first argument of the command that crafts the goal: ``3 oak sign``."""
    *_, last = world.expert_plan()
    return last.args[0]


def win(world: TextCraft) -> int:
    """Play the expert to its end; return the number of commands, each of them admissible."""
    for turn in itertools.count(1):
        command = world.expert_plan()[0]
        assert command in world.admissible()
        outcome = world.step(command)
        assert outcome.valid
        if outcome.end is not None:
            assert (outcome.end, outcome.reward, outcome.score) == (EndReason.SUCCESS, 1.0, 1.0)
            return turn
    raise AssertionError

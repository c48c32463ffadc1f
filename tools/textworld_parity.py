"""Play the same walks in our TextWorld and in textworld's own, and compare every step.

    python -m tools.textworld_parity --tier medium --split test --first 4 [--steps 40]

A walk is a mixture of the expert's steps, random admissible ones, and commands that the game
refuses. Compared are the opening, the answers (after `clean_feedback`, which removes prompt,
status line, banner and blank lines), the admissible commands, the points and the end. Prints how
many walks and steps were compared; the first difference ends the program with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.game_text import clean_feedback
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.seeding import stream
from agentgym_gen.world import Malformed, Task

REFUSED = (
    "go north",
    "go west",
    "open {name}",
    "take {name}",
    "eat {name}",
    "examine {name}",
    "drop the {name}",
)
"""Commands that a game may refuse; all of them reach a game that has their verb."""


def main() -> int:
    """Compare the walks and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tier", default="easy")
    parser.add_argument("--split", default="test")
    parser.add_argument("--first", type=int, default=4, help="how many tasks")
    parser.add_argument("--steps", type=int, default=40, help="steps of a walk, at most")
    options = parser.parse_args()
    tasks = TextWorld(first=options.first).tasks
    steps = 0
    for index in range(tasks.size(options.tier, options.split)):
        task = tasks.make(options.tier, options.split, index)
        length, fault = compare(task, options.steps)
        if fault:
            print(f"{task.id}: {fault}")
            return 1
        steps += length
    print(f"{index + 1} walks, {steps} steps, no difference")
    return 0


def compare(task: Task[Any], max_steps: int) -> tuple[int, str]:
    """Return how many steps of *task* were compared, and the first difference or nothing."""
    ours, state = our_env(task), first_state(task)
    rng = stream("textworld parity", str(task.id))
    observation, info = ours.reset(options={"task_id": str(task.id)})
    fault = difference("reset", observation, info, state)
    steps = 0
    while not fault and info["end_reason"] is None and steps < max_steps:
        command = choose_command(ours, rng)
        observation, _, _, _, info = ours.step(command)
        state = state["env"].step(command)[0] | {"env": state["env"]}
        fault = difference(command, observation, info, state)
        steps += 1
    ours.close()
    return steps, fault


def our_env(task: Task[Any]) -> TextEnv:
    """Return our environment for *task*."""
    return TextEnv(TextWorld(), tier=task.id.tier, split=task.id.split, max_turns=10**6)


def first_state(task: Task[Any]) -> dict[str, Any]:
    """Return the first state of textworld's own environment for the game of *task*."""
    import textworld

    infos = textworld.EnvInfos(admissible_commands=True, score=True, won=True, lost=True)
    env = textworld.start(str(GameCache().game(task.content).path) + ".z8", infos)
    return env.reset() | {"env": env}


def choose_command(env: TextEnv, rng: np.random.Generator) -> str:
    """Return the next command."""
    chance = rng.random()
    expert = env.expert_action()
    if chance < 0.4 and expert is not None:
        return expert
    if chance < 0.8:
        return str(rng.choice(env.admissible_actions))
    names = env.world.surface().nouns()
    readable = [text for text in REFUSED if not isinstance(env.read(text), Malformed)]
    template = readable[int(rng.integers(len(readable)))]
    return template.format(name=names[int(rng.integers(len(names)))])


def difference(command: str, observation: str, info: dict[str, Any], state: dict[str, Any]) -> str:
    """Return how ours differs from the *state* of textworld after *command*, or nothing."""
    over = bool(state["won"] or state["lost"])
    ours = (observation, info["points"], info["end_reason"] is not None)
    theirs = (clean_feedback(state["feedback"]), state["score"], over)
    if ours != theirs:
        return f"{command!r}: {ours!r} for {theirs!r}"
    listed = info["admissible_actions"]
    # textworld lists `prepare meal` before the game allows it.
    expected = [c for c in state["admissible_commands"] if c != "prepare meal" or c in listed]
    return "" if over or listed == expected else f"{command!r}: {listed} for {expected}"


if __name__ == "__main__":
    sys.exit(main())

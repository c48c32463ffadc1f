"""Play one walk in ours and in textworld's own environment, and compare every step.

    python -m tools.textworld_parity --tier medium --split test --first 4 [--steps 40]

A walk is a mixture of the expert's steps, random admissible ones, and commands that the game
refuses. Compared are the opening, the answers (after `clean_feedback`, which takes off prompt, status
line, banner and blank lines), the admissible commands, the points and the end. Prints how many
walks and steps were compared; the first difference ends the program with exit code 1.
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
"""What a game may refuse, about a thing that it has; all of it reaches a game with such a verb."""


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
        length, fault = compared(task, options.steps)
        if fault:
            print(f"{task.id}: {fault}")
            return 1
        steps += length
    print(f"{index + 1} walks, {steps} steps, no difference")
    return 0


def compared(task: Task[Any], most: int) -> tuple[int, str]:
    """Return how many steps of *task* were compared, and the first difference or nothing."""
    ours, state = started(task), opened(task)
    rng = stream("textworld parity", str(task.id))
    observation, info = ours.reset(options={"task_id": str(task.id)})
    fault = difference("reset", observation, info, state)
    done = 0
    while not fault and info["end_reason"] is None and done < most:
        said = chosen(ours, rng)
        observation, _, _, _, info = ours.step(said)
        state = state["env"].step(said)[0] | {"env": state["env"]}
        fault = difference(said, observation, info, state)
        done += 1
    ours.close()
    return done, fault


def started(task: Task[Any]) -> TextEnv:
    """Return our environment for *task*."""
    return TextEnv(TextWorld(), tier=task.id.tier, split=task.id.split, max_turns=10**6)


def opened(task: Task[Any]) -> dict[str, Any]:
    """Return the first state of textworld's own environment for the game of *task*."""
    import textworld

    wanted = textworld.EnvInfos(admissible_commands=True, score=True, won=True, lost=True)
    env = textworld.start(str(GameCache().game(task.content).path) + ".z8", wanted)
    return env.reset() | {"env": env}


def chosen(env: TextEnv, rng: np.random.Generator) -> str:
    """Return what is said next."""
    drawn = rng.random()
    expert = env.expert_action()
    if drawn < 0.4 and expert is not None:
        return expert
    if drawn < 0.8:
        return str(rng.choice(env.admissible_actions))
    names = env.world.surface().nouns()
    known = [one for one in REFUSED if not isinstance(env.read(one), Malformed)]
    template = known[int(rng.integers(len(known)))]
    return template.format(name=names[int(rng.integers(len(names)))])


def difference(said: str, observation: str, info: dict[str, Any], state: dict[str, Any]) -> str:
    """Return how ours differs from the *state* of textworld after *said*, or nothing."""
    over = bool(state["won"] or state["lost"])
    ours = (observation, info["points"], info["end_reason"] is not None)
    theirs = (clean_feedback(state["feedback"]), state["score"], over)
    if ours != theirs:
        return f"{said!r}: {ours!r} for {theirs!r}"
    listed = info["admissible_actions"]
    # textworld lists a meal that the game does not let anybody prepare yet.
    wanted = [c for c in state["admissible_commands"] if c != "prepare meal" or c in listed]
    return "" if over or listed == wanted else f"{said!r}: {listed} for {wanted}"


if __name__ == "__main__":
    sys.exit(main())

"""Our BabyAI against minigrid's own step, in one run on the same levels, as a Markdown table.

    python benchmarks/against_minigrid.py [--levels 6] [--steps 200]

Both do the same random turns and steps forward. minigrid draws its picture; ours makes AgentGym's
text, with the list of actions and the paths for it. The last column takes random listed actions,
each of which may be several of minigrid's steps. Times are CPU time; a tier's figures are the means
over its levels.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time

import gymnasium
import numpy as np

TURNS = ("turn left", "turn right", "move forward")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--levels", type=int, default=6, help="how many levels of a tier")
    parser.add_argument("--steps", type=int, default=200, help="how many steps in each")
    options = parser.parse_args()
    print("| tier | minigrid, steps/s | ours, same actions | ratio | ours, listed actions |")
    print("|---|---:|---:|---:|---:|")
    for tier in ("easy", "medium", "hard"):
        rows = [measure(tier, index, options.steps) for index in range(options.levels)]
        theirs, ours, listed = (float(np.mean(column)) for column in zip(*rows, strict=True))
        rates = f"{1 / theirs:,.0f} | {1 / ours:,.0f} | {theirs / ours:.2f} | {1 / listed:,.0f}"
        print(f"| {tier} | {rates} |")


def measure(tier: str, index: int, steps: int) -> tuple[float, float, float]:
    """Return the seconds of a step: minigrid's, ours with the same actions, ours with any."""
    from agentgym_gen.env import TextEnv
    from agentgym_gen.envs.babyai import BabyAI
    from agentgym_gen.envs.babyai.engine import backend

    env = TextEnv(BabyAI(), tier=tier, max_turns=10**9)
    task = {"task_id": f"babyai/{tier}/train/{index}"}
    env.reset(options=task)
    content = env.task.content
    raw_env = gymnasium.make(
        backend.load("game").level_specs()[f"BabyAI-{content.level}"].id
    ).unwrapped
    with contextlib.redirect_stdout(io.StringIO()):
        raw_env.reset(seed=content.seed)
    actions = np.random.default_rng(index).integers(len(TURNS), size=steps).tolist()
    theirs = cpu_seconds(lambda: [raw_env.step(action) for action in actions]) / steps
    turns, seconds = walk(env, task, lambda turn, _: TURNS[actions[turn]], steps)
    any_turns, any_seconds = walk(
        env, task, lambda turn, texts: texts[(7 * turn + actions[turn]) % len(texts)], steps
    )
    return theirs, seconds / turns, any_seconds / any_turns


def cpu_seconds(call) -> float:  # noqa: ANN001  (any function)
    """Return the CPU seconds that *call* takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def walk(env, task, choose, steps: int) -> tuple[int, float]:  # noqa: ANN001  (a TextEnv)
    """Take up to *steps* steps; return how many it were until the end, and their CPU seconds."""
    _, info = env.reset(options=task)
    start = time.process_time()
    for turn in range(steps):
        _, _, terminated, truncated, info = env.step(choose(turn, info["admissible_actions"]))
        if terminated or truncated:
            break
    return turn + 1, time.process_time() - start


if __name__ == "__main__":
    main()

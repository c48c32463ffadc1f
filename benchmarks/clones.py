"""How long `TextEnv.clone` takes in every environment, and how large a pickle is.

    python benchmarks/clones.py [--number 200]

The environment is in the middle of an episode of its hardest tier, ten of the expert's turns after
the reset. Times are the median of all clones, and of clones that also take one step.
"""

from __future__ import annotations

import argparse
import pickle
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentgym_gen.env import TextEnv

EXPERT_TURNS = 10


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=200, help="how many clones are made")
    options = parser.parse_args()
    from agentgym_gen.env.making import make_text_env
    from agentgym_gen.env.registration import BUNDLED

    print("| environment | interface | clone, ms | clone and step, ms | pickle, kB |")
    print("| --- | --- | ---: | ---: | ---: |")
    for environment in BUNDLED:
        for interface in ("native", "renamed+json"):
            kwargs = {"interface": interface, "seed": 0, **environment.test_kwargs}
            env = make_text_env(environment.id("hard"), "test", kwargs)
            play(env)
            clone_ms = milliseconds(env.clone, options.number)
            step_ms = milliseconds(lambda env=env: clone_and_step(env), options.number)
            kilobytes = len(pickle.dumps(env)) / 1000
            print(
                f"| {environment.name} | {interface} | {clone_ms:.2f} | {step_ms:.2f} "
                f"| {kilobytes:.0f} |",
                flush=True,
            )
            env.close()


def play(env: TextEnv) -> None:
    """Reset *env* and take the expert's first turns, but not the one that ends the episode."""
    env.reset()
    for _ in range(EXPERT_TURNS):
        plan = env.world.expert_plan() or ()
        if len(plan) < 2:
            return
        env.step(env.write(plan[0]))


def clone_and_step(env: TextEnv) -> None:
    """Clone *env* and take a turn in the clone."""
    env.clone().step(env.admissible_actions[0])


def milliseconds(call: Callable[[], object], number: int) -> float:
    """Return the median time of *call* in milliseconds."""
    times = []
    for _ in range(number):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()

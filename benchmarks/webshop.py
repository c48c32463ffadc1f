"""WebShop alone: steps a second with new queries, and how long a shop takes to open.

    python benchmarks/webshop.py [--products 1000] [--seconds 5]

An episode searches with its own instruction and then with random words of it, walks by random
buttons, and goes back to search three times; so each query is new and none comes from the cache.
Times are CPU time of the process; memory is its greatest resident size. The original's figures, 16
to 30 steps a second on the same kind of machine, are those of its unmodified engine with Lucene, in
its text mode, measured in an earlier session.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    from agentgym_gen.env import TextEnv

    start = time.process_time()
    env = TextEnv("agentgym_gen.envs.webshop:WebShop", products=options.products)
    opened = time.process_time()
    env.reset(seed=0)
    ready = time.process_time()
    times = f"shop {opened - start:.2f} s, goals {ready - opened:.2f} s"
    print(f"{options.products:,} products: {times}")
    steps, searches, spent = play(env, options.seconds)
    print(f"{steps / spent:,.0f} steps/s, one in {steps / searches:.1f} of them a search")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MB")


def play(env, seconds: float) -> tuple[int, int, float]:  # noqa: ANN001  (a TextEnv)
    """Return how many steps and searches were made, and the time that the steps took."""
    rng = np.random.default_rng(0)
    steps = searches = 0
    spent = 0.0
    while spent < seconds:
        _, info = env.reset()
        words = info["goal"].split()
        start = time.process_time()
        over = False
        while not over:
            actions = info["admissible_actions"]
            action = actions[int(rng.integers(len(actions)))]
            if action.startswith("search"):
                action = f"search[{' '.join(rng.permutation(words)[: 4 + steps % 9])}]"
                searches += 1
            _, _, terminated, truncated, info = env.step(action)
            steps += 1
            over = terminated or truncated
        spent += time.process_time() - start
    return steps, searches, spent


if __name__ == "__main__":
    main()

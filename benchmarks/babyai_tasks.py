"""What BabyAI's tasks are like, and what drawing one costs, as a Markdown table.

    python benchmarks/babyai_tasks.py [--tasks 200]

A task is drawn with its proof: the expert's way through it. Times are CPU time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np


def main() -> None:
    """Print one row for every tier and split."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=200)
    number = parser.parse_args().tasks
    print("| tier | split | different worlds | ms to draw | expert's turns | minigrid's steps |")
    print("|---|---|---:|---|---|---|")
    for tier in ("easy", "medium", "hard"):
        for split in ("train", "valid", "test"):
            print(row(tier, split, number), flush=True)


def row(tier: str, split: str, number: int) -> str:
    """Return the row of the first *number* tasks."""
    from agentgym_gen.envs.babyai import BabyAI

    tasks = BabyAI().tasks
    times, made = [], []
    for index in range(number):
        start = time.process_time()
        made.append(tasks.make(tier, split, index))
        times.append(1000 * (time.process_time() - start))
    worlds = len({task.fingerprint for task in made})
    turns = [len(task.content.route) for task in made]
    steps = [task.content.steps for task in made]
    spread = " | ".join(map(described, (times, turns, steps)))
    return f"| {tier} | {split} | {worlds} of {number} | {spread} |"


def described(values: list[float] | list[int]) -> str:
    """Return mean, 95th percentile and maximum."""
    return f"{np.mean(values):.1f}, {np.quantile(values, 0.95):.0f}, {max(values):.0f}"


if __name__ == "__main__":
    main()

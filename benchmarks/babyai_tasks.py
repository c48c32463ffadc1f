"""Lengths of BabyAI's tasks, and the time to generate one, as a Markdown table.

    python benchmarks/babyai_tasks.py [--tasks 200]

A task is generated together with the expert's plan, which proves it solvable. Times are CPU time.
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
    times, generated = [], []
    for index in range(number):
        start = time.process_time()
        generated.append(tasks.make(tier, split, index))
        times.append(1000 * (time.process_time() - start))
    worlds = len({task.fingerprint for task in generated})
    turns = [len(task.content.plan) for task in generated]
    steps = [task.content.steps for task in generated]
    spread = " | ".join(map(summarize, (times, turns, steps)))
    return f"| {tier} | {split} | {worlds} of {number} | {spread} |"


def summarize(values: list[float] | list[int]) -> str:
    """Return mean, 95th percentile and maximum."""
    return f"{np.mean(values):.1f}, {np.quantile(values, 0.95):.0f}, {max(values):.0f}"


if __name__ == "__main__":
    main()

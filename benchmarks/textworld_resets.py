"""The time that many resets of TextWorld take, and the memory they leave, as a Markdown table.

    python benchmarks/textworld_resets.py [--resets 1000] [--first 8]

Resets one environment to the first tasks of every tier's test split in turn, each time to another
game than before, and takes one step. Games that are missing are built first. Each row is one
quarter of the resets: *CPU* is that of both processes, *wall* the time on the clock, *MB* the
memory that is resident afterwards.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.world import TIERS

QUARTERS = 4


class ResetTime(NamedTuple):
    """The time of one reset, in milliseconds."""

    cpu: float
    """Of the processor, in both processes."""
    wall: float
    """On the clock."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resets", type=int, default=1000)
    parser.add_argument("--first", type=int, default=8, help="how many tasks of each tier")
    options = parser.parse_args()
    env = TextEnv(TextWorld(first=options.first), split="test")
    ids = [
        str(env.world.tasks.task_id(tier, "test", number))
        for number in range(options.first)
        for tier in TIERS
    ]
    for task_id in ids:  # the games are built, and their rules read, before anything is measured
        env.reset(options={"task_id": task_id})
    print(f"{len(ids)} games; {memory(env)}\n")
    print("| resets | CPU, ms: mean | wall, ms: median | 95 % | engine, MB | this process, MB |")
    print("|---:|---:|---:|---:|---:|---:|")
    size = options.resets // QUARTERS
    for quarter in range(QUARTERS):
        numbers = range(quarter * size, (quarter + 1) * size)
        times = [time_reset(env, ids[n % len(ids)]) for n in numbers]
        wall = sorted(reset.wall for reset in times)
        print(
            f"| {(quarter + 1) * size} | {statistics.mean(reset.cpu for reset in times):.1f} "
            f"| {statistics.median(wall):.1f} | {wall[int(0.95 * size)]:.1f} "
            f"| {resident(engine_pid(env)):.1f} | {resident(os.getpid()):.1f} |",
            flush=True,
        )
    env.close()


def time_reset(env: TextEnv, task_id: str) -> ResetTime:
    """Reset *env* to a task and take a step; return the time of the reset."""
    before = seconds(engine_pid(env))
    start, cpu = time.perf_counter(), time.process_time()
    env.reset(options={"task_id": task_id})
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    times = ResetTime(1000 * (cpu + seconds(engine_pid(env)) - before), 1000 * wall)
    env.step("look")
    return times


def memory(env: TextEnv) -> str:
    """Return the resident memory of both processes as a text."""
    return f"engine {resident(engine_pid(env)):.1f} MB, this process {resident(os.getpid()):.1f} MB"


def engine_pid(env: TextEnv) -> int:
    """Return the number of the process that plays for *env*."""
    return int(env.world._client._engine.pid)


def seconds(process: int) -> float:
    """Return the processor time of *process*."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def resident(process: int) -> float:
    """Return the memory of *process* in MB."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()

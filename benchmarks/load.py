"""Hundreds of environments of all kinds in one process, at full speed, for minutes.

    python benchmarks/load.py --environments 256 --minutes 10

Plays random admissible actions, and nonsense one turn in ten, through ids of every environment,
tier and interface in turn. Prints a Markdown table: for each part of the time the steps, steps a
second of CPU time, episodes and resident memory, and the number and memory of the child processes
that run TextWorld's games. An exception ends the run.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agentgym_gen import TextEnv, env_ids
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.ids import EnvId
from agentgym_gen.seeding import stream

PARTS = 10
NONSENSE = "Thought: I know.\nAction: xyzzy {"


class Part(NamedTuple):
    """The figures of a part of the time."""

    steps: int
    episodes: int
    cpu_seconds: float
    memory_mb: float
    children: int
    children_mb: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--skip", default="", help="names of environments to leave out, by commas")
    options = parser.parse_args()
    envs = list(make_envs(options.environments, tuple(filter(None, options.skip.split(",")))))
    print(f"{len(envs)} environments, {memory_mb():.0f} MB before the first reset\n")
    print("| part | steps | steps/s (CPU) | episodes | memory, MB | engines | their memory, MB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    rng = stream("load")
    for number in range(PARTS):
        part = play(envs, 60 * options.minutes / PARTS, rng)
        speed = part.steps / part.cpu_seconds
        print(
            f"| {number + 1} | {part.steps:,} | {speed:,.0f} | {part.episodes:,} "
            f"| {part.memory_mb:,.0f} | {part.children} | {part.children_mb:,.0f} |",
            flush=True,
        )
    for env in envs:
        env.close()


def make_envs(number: int, skipped: tuple[str, ...]) -> Iterator[TextEnv]:
    """Yield *number* environments of the ids that can be made here, in a mixed order."""
    ids = [i for i in env_ids() if not i.split("/")[1].startswith(skipped or ("-",))]
    order = stream("load order").permutation(len(ids))
    usable: list[str] = []
    for place in order:
        try:
            make_text_env(ids[place], "train").close()
        except MissingExtraError:
            continue
        usable.append(ids[place])
    for place in range(number):
        env_id = usable[place % len(usable)]
        env_options = ENVIRONMENTS[EnvId.parse(env_id).name].test_kwargs
        yield make_text_env(env_id, "train", {"seed": place, **env_options})


def play(envs: list[TextEnv], seconds: float, rng: np.random.Generator) -> Part:
    """Play all *envs* in turn for *seconds*."""
    steps = episodes = 0
    end, cpu = time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end:
        for env in envs:
            episodes += play_turn(env, rng)
            steps += 1
    gc.collect()
    spent, engines = time.process_time() - cpu, children()
    return Part(steps, episodes, spent, memory_mb(), len(engines), sum(map(memory_mb, engines)))


def play_turn(env: TextEnv, rng: np.random.Generator) -> bool:
    """Play one turn, after a reset if the episode is over, and return whether it ended one."""
    if env.over:
        env.reset()
    actions = env.admissible_actions
    is_nonsense = not actions or rng.random() >= 0.9
    action = NONSENSE if is_nonsense else actions[int(rng.integers(len(actions)))]
    _, _, terminated, truncated, info = env.step(action)
    if info["end_reason"] == "backend_error":
        raise SystemExit(f"The engine of {info['task_id']} failed")
    return terminated or truncated


def children() -> list[Path]:
    """Return the folders in /proc of the child processes of this one."""
    tasks = Path("/proc/self/task").glob("*/children")
    numbers = [number for task in tasks for number in task.read_text(encoding="ascii").split()]
    return [Path("/proc") / number for number in numbers]


def memory_mb(process: Path = Path("/proc/self")) -> float:
    """Return the resident memory of a process in MB."""
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    main()

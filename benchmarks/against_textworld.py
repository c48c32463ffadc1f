"""Our TextWorld against textworld's own environment, step by step, as Markdown tables.

    python benchmarks/against_textworld.py [--first 16] [--walks 3] [--resets 30]

Plays the first tasks of each tier's test split: the expert's steps and random admissible ones. Each
command is given to textworld's own environment and to ours, first to the one and then to the other
in turns, so that each finds the processor's memory as the other has left it. Both are asked for the
score and whether the game is won or lost, and once more for the admissible commands, too. Games
that are missing are made first.

*CPU* is processor time, which other programs hardly change: of this process, and for ours of the
engine's process, too. The mean of all steps is shown. *Wall* is the time on the clock without that
in which one of the two processes was ready and stood in the processor's queue behind other programs
(``schedstat``); the ratio is the median of the ratios of the steps, since a mean is that of the few
steps that met another program. *First* is the first walk through a game, later ones meet states
that the engine knows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.store import Store
from agentgym_gen.seeding import stream

TIERS = ("easy", "medium", "hard")
STEPS = 30


class Spent(NamedTuple):
    """What one step or reset took, in seconds."""

    cpu: float
    """Of the processor, in all processes."""
    wall: float
    """On the clock, without queues."""


class Pair(NamedTuple):
    """One step in both."""

    theirs: Spent
    ours: Spent


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=16, help="how many tasks of each tier")
    parser.add_argument("--walks", type=int, default=3, help="how many walks through each game")
    parser.add_argument("--resets", type=int, default=30)
    options = parser.parse_args()
    for listing in (False, True):
        print(
            f"\n| step, {'with admissible commands' if listing else 'text only'} | steps "
            "| textworld, CPU ms | ours, CPU ms | ratio | textworld, wall ms | ours, wall ms "
            "| ratio |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )
        for tier in TIERS:
            show_steps(tier, listing, steps(tier, listing, options.first, options.walks))
    print("\n| reset, CPU ms | textworld, loaded | ours | ours, another game |")
    print("| --- | ---: | ---: | ---: |")
    for tier in TIERS:
        figures = resets(tier, options.first, options.resets)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.1f}' for figure in figures)} |", flush=True
        )


def show_steps(tier: str, listing: bool, found: dict[str, list[list[Pair]]]) -> None:
    """Print rows for each challenge of *tier*: its first walks and the later ones."""
    for challenge, walks in sorted(found.items()):
        first, later = walks[0], [pair for walk in walks[1:] for pair in walk]
        if listing:
            show(f"{tier}, {challenge}, first", first)
            show(f"{tier}, {challenge}, later", later)
        else:  # where nothing is kept from the first walk
            show(f"{tier}, {challenge}", first + later)
    show(f"**{tier}, all**", [pair for walks in found.values() for walk in walks for pair in walk])


def show(name: str, pairs: list[Pair]) -> None:
    """Print the row of the steps *pairs*."""
    theirs, ours = (list(spent) for spent in zip(*pairs, strict=True))
    cpu = [1000 * statistics.mean(one.cpu for one in side) for side in (theirs, ours)]
    wall = [1000 * statistics.median(one.wall for one in side) for side in (theirs, ours)]
    ratio = statistics.median(pair.ours.wall / pair.theirs.wall for pair in pairs)
    print(
        f"| {name} | {len(pairs)} | {cpu[0]:.2f} | {cpu[1]:.2f} | {cpu[1] / cpu[0]:.2f} "
        f"| {wall[0]:.2f} | {wall[1]:.2f} | {ratio:.2f} |",
        flush=True,
    )


def steps(tier: str, listing: bool, first: int, walks: int) -> dict[str, list[list[Pair]]]:
    """Return what every step took, by challenge, for each round of walks."""
    tasks = TextWorld(first=first).tasks
    found: dict[str, list[list[Pair]]] = {}
    for index in range(tasks.size(tier, "test")):
        task = tasks.make(tier, "test", index)
        ours = TextEnv(TextWorld(list_admissible=listing), tier=tier, split="test", max_turns=10**6)
        said = commands(tier, str(task.id))
        rounds = found.setdefault(task.content.level.challenge, [[] for _ in range(walks)])
        for walk in rounds:
            ours.reset(options={"task_id": str(task.id)})
            theirs = opened(Store().game(task.content).path, listing)
            for number, command in enumerate(said):
                walk.append(compared(theirs, ours, command, number % 2 == 0))
            theirs.close()
        ours.close()
    return found


def compared(theirs: Any, ours: TextEnv, command: str, they_begin: bool) -> Pair:  # noqa: ANN401
    """Give *command* to both and return what it took."""
    if they_begin:
        first = timed(lambda: theirs.step(command))
        return Pair(first, timed(lambda: ours.step(command), ours))
    first = timed(lambda: ours.step(command), ours)
    return Pair(timed(lambda: theirs.step(command)), first)


def commands(tier: str, task_id: str) -> list[str]:
    """Return a walk: two of three commands are the expert's, the others are drawn."""
    env = TextEnv(TextWorld(), tier=tier, split="test", max_turns=STEPS)
    env.reset(options={"task_id": task_id})
    rng, said, over = stream("textworld benchmark", task_id), list[str](), False
    while not over:
        drawn = env.admissible_actions[int(rng.integers(len(env.admissible_actions)))]
        said.append(env.expert_action() or drawn if rng.random() < 0.67 else drawn)
        _, _, terminated, truncated, _ = env.step(said[-1])
        over = terminated or truncated
    env.close()
    return said


def resets(tier: str, first: int, number: int) -> list[float]:
    """Return seconds of a reset: textworld's own, ours to the same game, ours to another one."""
    tasks = TextWorld(first=first).tasks
    ids = [str(tasks.make(tier, "test", n).id) for n in range(tasks.size(tier, "test"))]
    ours = TextEnv(TextWorld(), tier=tier, split="test")
    theirs = opened(Store().game(tasks.find(ids[0]).content).path, listing=True)
    own, same, other = [], [], []
    for turn in range(number + len(ids)):
        another = ids[turn % len(ids)]
        own.append(timed(theirs.reset))
        other.append(timed(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
        same.append(timed(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
    ours.close()
    kept = [times[len(ids) :] for times in (own, same, other)]
    return [statistics.mean(one.cpu for one in times) for times in kept]


def opened(path: Path, listing: bool) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return textworld's own environment, reset, for the game at *path*."""
    import textworld

    wanted = textworld.EnvInfos(score=True, won=True, lost=True, admissible_commands=listing)
    env = textworld.start(f"{path}.z8", wanted)
    env.reset()
    return env


def timed(call: Callable[[], Any], env: TextEnv | None = None) -> Spent:
    """Return what *call* takes, in this process and in that of the engine of *env*."""
    processes = [os.getpid(), *engine(env)]
    before = [scheduled(process) for process in processes]
    start, cpu = time.perf_counter(), time.process_time()
    call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    after = [scheduled(process) for process in processes]
    ran = [b[0] - a[0] for a, b in zip(before[1:], after[1:], strict=True)]
    stood = [b[1] - a[1] for a, b in zip(before, after, strict=True)]
    return Spent(cpu + sum(ran), wall - sum(stood))


def engine(env: TextEnv | None) -> list[int]:
    """Return the process that plays for *env*, if there is one."""
    seat = getattr(getattr(env, "world", None), "_seat", None)
    pid = getattr(getattr(seat, "_engine", None), "pid", None)
    return [] if pid is None else [pid]


def scheduled(process: int) -> tuple[float, float]:
    """Return the seconds in which *process* has run, and stood in a processor's queue."""
    ran, stood, _ = Path(f"/proc/{process}/schedstat").read_text().split()
    return int(ran) / 1e9, int(stood) / 1e9


if __name__ == "__main__":
    main()

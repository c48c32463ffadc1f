"""Our TextWorld against textworld's own environment, step by step, as Markdown tables.

    python benchmarks/against_textworld.py [--first 4] [--walks 3] [--resets 30]

Plays the first tasks of each tier's test split: the expert's steps and random admissible ones. Each
command is given to textworld's own environment and to ours in turn. Times are processor time, which
other programs hardly change: of this process, and for ours of the engine's process, too. The mean
of all steps is shown. *First* is the first walk through a game, later ones meet states that the
engine knows. Games that are missing are made first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.store import Store
from agentgym_gen.seeding import stream

TIERS = ("easy", "medium", "hard")
STEPS = 30


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=4, help="how many tasks of each tier")
    parser.add_argument("--walks", type=int, default=3, help="how many walks through each game")
    parser.add_argument("--resets", type=int, default=30)
    options = parser.parse_args()
    print("| step, ms | textworld | ours | ratio |\n| --- | ---: | ---: | ---: |")
    for tier in TIERS:
        for listing in (True, False):
            show(tier, listing, steps(tier, listing, options.first, options.walks))
    print("\n| reset, ms | textworld, loaded | ours | ours, another game |")
    print("| --- | ---: | ---: | ---: |")
    for tier in TIERS:
        figures = resets(tier, options.first, options.resets)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.1f}' for figure in figures)} |", flush=True
        )


def show(tier: str, listing: bool, walks: list[list[tuple[float, float]]]) -> None:
    """Print a row for the first *walks* through the games, and one for the later ones."""
    kinds = {"first": walks[0], "later": [pair for walk in walks[1:] for pair in walk]}
    for kind, pairs in kinds.items():
        theirs, ours = (1000 * statistics.mean(times) for times in zip(*pairs, strict=True))
        what = "with admissible commands" if listing else "text only"
        print(
            f"| {tier}, {what}, {kind} | {theirs:.2f} | {ours:.2f} | {ours / theirs:.2f} |",
            flush=True,
        )


def steps(tier: str, listing: bool, first: int, walks: int) -> list[list[tuple[float, float]]]:
    """Return the seconds of every step, textworld's and ours, for each round of walks."""
    tasks = TextWorld(first=first).tasks
    found: list[list[tuple[float, float]]] = [[] for _ in range(walks)]
    for index in range(tasks.size(tier, "test")):
        task = tasks.make(tier, "test", index)
        ours = TextEnv(TextWorld(list_admissible=listing), tier=tier, split="test", max_turns=10**6)
        for walk in found:
            ours.reset(options={"task_id": str(task.id)})
            theirs = opened(Store().game(task.content).path, listing)
            for said in commands(tier, str(task.id)):
                (_, _, done), one = timed(lambda theirs=theirs, said=said: theirs.step(said))
                _, other = timed(lambda ours=ours, said=said: ours.step(said), ours)
                walk.append((one, other))
                if done:
                    break
            theirs.close()
        ours.close()
    return found


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
        own.append(timed(theirs.reset)[1])
        other.append(timed(lambda: ours.reset(options={"task_id": another}), ours)[1])  # noqa: B023
        same.append(timed(lambda: ours.reset(options={"task_id": another}), ours)[1])  # noqa: B023
    ours.close()
    return [statistics.mean(times[len(ids) :]) for times in (own, same, other)]


def opened(path: Path, listing: bool) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return textworld's own environment, reset, for the game at *path*."""
    import textworld

    wanted = textworld.EnvInfos(score=True, won=True, lost=True, admissible_commands=listing)
    env = textworld.start(f"{path}.z8", wanted)
    env.reset()
    return env


def timed(call: Callable[[], Any], env: TextEnv | None = None) -> tuple[Any, float]:
    """Return what *call* returns, and the processor seconds, also of the engine of *env*."""
    start = time.process_time() + engine_seconds(env)
    value = call()
    return value, time.process_time() + engine_seconds(env) - start


def engine_seconds(env: TextEnv | None) -> float:
    """Return the processor time of the process that plays for *env*."""
    seat = getattr(getattr(env, "world", None), "_seat", None)
    engine = getattr(seat, "_engine", None)
    if engine is None or engine.pid is None:
        return 0.0
    return int(Path(f"/proc/{engine.pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()

"""Our ALFWorld against the original, in one run on the same games, as a Markdown table.

    python benchmarks/against_alfworld.py FOLDER [--games 5] [--steps 20]

FOLDER holds official games. Needs alfworld beside this library (Python 3.11 or 3.12). Both play
the same walk of random admissible commands and list the admissible commands at every step; times
are CPU time. The original is the unchanged ``PddlEnv`` with ALFWorld's demangler.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

INSTANCES = 100


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--games", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    games = sorted(options.folder.glob("**/game.tw-pddl"))
    chosen = games[:: max(1, len(games) // options.games)][: options.games]
    walks = [original(path, options.steps) for path in chosen]
    ours = [own(path, [said for said, _ in walk["steps"]]) for path, walk in zip(chosen, walks)]  # noqa: B905
    print("| | the original | ours | ratio |\n|---|---:|---:|---:|")
    for what in ("load and reset", "step"):
        theirs_ms = 1000 * float(np.mean([walk[what] for walk in walks]))
        ours_ms = 1000 * float(np.mean([walk[what] for walk in ours]))
        print(f"| {what}, ms | {theirs_ms:,.1f} | {ours_ms:,.3f} | {theirs_ms / ours_ms:,.0f} |")
    print(
        f"\n{len(chosen)} games; {INSTANCES} instances of one game: {memory_mb(chosen[0]):.1f} MB"
    )
    print(f"index of {len(games)} games: {index_seconds(options.folder):.2f} s the second time")


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what *call* returns, and the CPU seconds that it took."""
    start = time.process_time()
    value = call()
    return value, time.process_time() - start


def original(path: Path, steps: int) -> dict[str, Any]:
    """Return a random walk through the game at *path* in the original, with its times."""
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
    from textworld.envs import PddlEnv

    wanted = textworld.EnvInfos(won=True, admissible_commands=True)
    env = AlfredDemangler(PddlEnv(wanted), shuffle=False)
    _, loading = timed(lambda: env.load(str(path)))
    state, resetting = timed(env.reset)
    rng = np.random.default_rng(0)
    taken = []
    for _ in range(steps):
        said = str(rng.choice(state["admissible_commands"]))
        (state, _, done), spent = timed(lambda said=said: env.step(said))
        taken.append((said, spent))
        if done:
            break
    spent = float(np.mean([seconds for _, seconds in taken]))
    return {"steps": taken, "load and reset": loading + resetting, "step": spent}


def own(path: Path, said: list[str]) -> dict[str, float]:
    """Return the times of saying *said* in the game at *path* in ours, many times over."""
    env, text = started(path), path.read_text(encoding="utf-8")
    _, loading = timed(lambda: [loaded(env, text) for _ in range(20)])
    spent = 0.0
    for _ in range(50):
        env.world.reset(env.task)
        spent += timed(lambda: [stepped(env, one) for one in said])[1]
    return {"load and reset": loading / 20, "step": spent / 50 / len(said)}


def started(path: Path):  # noqa: ANN201  (the library is imported in functions only)
    """Return an environment that plays the game at *path*."""
    from agentgym_gen.env import TextEnv
    from agentgym_gen.envs.alfworld import ALFWorld

    folder = next(parent for parent in path.parents if parent.name == "json_2.1.1")
    world = ALFWorld(data_dir=folder)
    key = "/".join(path.parts[-4:-1])
    split = {"valid_seen": "valid", "valid_unseen": "test"}.get(path.parts[-4], "train")
    from agentgym_gen.envs.alfworld.official.game_reader import read_game
    from agentgym_gen.envs.alfworld.tiers import measure_difficulty

    tier = measure_difficulty(read_game(path.read_text(encoding="utf-8"))).tier
    env = TextEnv(world, split=split, max_turns=10**6)
    env.reset(options={"task_id": f"alfworld/{tier}/{split}/{key}"})
    return env


def loaded(env, text: str) -> None:  # noqa: ANN001  (a TextEnv)
    """Read the game *text* and start it."""
    from agentgym_gen.envs.alfworld.official.game_reader import read_game
    from agentgym_gen.world import Task

    env.world.reset(Task(env.task.id, read_game(text)))


def stepped(env, said: str) -> list[str]:  # noqa: ANN001  (a TextEnv)
    """Say *said* and return the admissible commands."""
    world = env.world
    world.step(world.read(said))
    return [env.write(command) for command in world.admissible()]


def memory_mb(path: Path) -> float:
    """Return how much `INSTANCES` further instances of one game weigh."""
    started(path)
    tracemalloc.start()
    held = [started(path) for _ in range(INSTANCES)]
    weight = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    del held
    return weight


def index_seconds(folder: Path) -> float:
    """Return how long the index takes when it is in the cache folder already."""
    from agentgym_gen.envs.alfworld import archive, official
    from agentgym_gen.errors import DataError

    place = archive.Archive(folder.resolve())
    spent = 0.0
    for split in archive.FOLDERS:
        try:
            official.index_of(place, split)
        except DataError:
            continue
        archive.listed.cache_clear()
        official.index_of.cache_clear()
        spent += timed(lambda split=split: official.index_of(place, split))[1]
    return spent


if __name__ == "__main__":
    main()

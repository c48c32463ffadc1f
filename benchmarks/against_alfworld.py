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
    ours = [own(path, [action for action, _ in walk["steps"]]) for path, walk in zip(chosen, walks)]  # noqa: B905
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

    requested_infos = textworld.EnvInfos(won=True, admissible_commands=True)
    env = AlfredDemangler(PddlEnv(requested_infos), shuffle=False)
    _, loading = timed(lambda: env.load(str(path)))
    state, resetting = timed(env.reset)
    rng = np.random.default_rng(0)
    timed_actions = []
    for _ in range(steps):
        action = str(rng.choice(state["admissible_commands"]))
        (state, _, done), seconds = timed(lambda action=action: env.step(action))
        timed_actions.append((action, seconds))
        if done:
            break
    step_seconds = float(np.mean([seconds for _, seconds in timed_actions]))
    return {"steps": timed_actions, "load and reset": loading + resetting, "step": step_seconds}


def own(path: Path, actions: list[str]) -> dict[str, float]:
    """Return the mean times of loading the game at *path* and playing *actions* in ours."""
    env, text = make_env(path), path.read_text(encoding="utf-8")
    _, loading = timed(lambda: [load_game(env, text) for _ in range(20)])
    seconds = 0.0
    for _ in range(50):
        env.world.reset(env.task)
        seconds += timed(lambda: [play_step(env, action) for action in actions])[1]
    return {"load and reset": loading / 20, "step": seconds / 50 / len(actions)}


def make_env(path: Path):  # noqa: ANN201  (the library is imported in functions only)
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


def load_game(env, text: str) -> None:  # noqa: ANN001  (a TextEnv)
    """Read the game *text* and start it."""
    from agentgym_gen.envs.alfworld.official.game_reader import read_game
    from agentgym_gen.world import Task

    env.world.reset(Task(env.task.id, read_game(text)))


def play_step(env, action: str) -> list[str]:  # noqa: ANN001  (a TextEnv)
    """Play *action* and return the admissible commands."""
    world = env.world
    world.step(world.read(action))
    return [env.write(command) for command in world.admissible()]


def memory_mb(path: Path) -> float:
    """Return how many MB `INSTANCES` further instances of one game take."""
    make_env(path)
    tracemalloc.start()
    envs = [make_env(path) for _ in range(INSTANCES)]
    megabytes = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    del envs
    return megabytes


def index_seconds(folder: Path) -> float:
    """Return how long the index takes when it is in the cache folder already."""
    from agentgym_gen.envs.alfworld.official import archive, tasks
    from agentgym_gen.errors import DataError

    games = archive.Archive(folder.resolve())
    seconds = 0.0
    for split in archive.SPLIT_FOLDERS:
        try:
            tasks.load_index(games, split)
        except DataError:
            continue
        archive.cached_games.cache_clear()
        tasks.load_index.cache_clear()
        seconds += timed(lambda split=split: tasks.load_index(games, split))[1]
    return seconds


if __name__ == "__main__":
    main()

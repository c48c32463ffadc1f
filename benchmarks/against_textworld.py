"""The speed of our TextWorld and of textworld's own environment, as Markdown tables.

    python benchmarks/against_textworld.py [--first 16] [--walks 4] [--resets 30]

Plays the first tasks of each tier's test split: the expert's steps and random admissible ones. Each
walk is given to textworld's own environment and to ours, and each begins in every second walk. A
walk is short enough for both to run under the same load, and long enough for each to fill the
processor's caches anew. Games that are missing are built first. There is a table for each of

- the text, the score, and whether the game is won or lost: the least that textworld can be asked
  for. Ours also says whether a command was carried out, the ``valid_action`` of every ``info``;
- the same from textworld, too, whose ``last_action`` alone says it;
- the admissible commands, from both.

*CPU* is processor time: of this process, and for ours of the engine's process, too. *Wall* is the
time on the clock. *Mean* is that of all steps. *Least* is the mean of the least time of each step
in any of its walks; it leaves out the influence of other programs, which stop the process or slow
down the processor. *First* is the first walk through a game; later ones reach states that the
engine has cached.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.engine.client import engine_pool
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.seeding import stream

Infos = tuple[str, ...]
LISTED = "admissible_commands"
TIERS = ("easy", "medium", "hard")
REQUESTED = {
    "text, score and end": (),
    "text, score, end and whether it was done": ("last_action",),
    "admissible commands, too": ("last_action", LISTED),
}
"""The infos that each table requests of textworld, in addition to score, won and lost."""
STEPS = 30
NAMING = ("tw-extra-infos score", "tw-trace-actions")
"""The commands after which a game prints its score and the names of its actions."""


class StepTime(NamedTuple):
    """The time of one step or reset, in seconds."""

    cpu: float
    """Of the processor, in all processes."""
    wall: float
    """On the clock."""
    engine: float
    """Of the processor, in the engine's process alone."""


class WalkTimes(NamedTuple):
    """The time of each step of one walk."""

    theirs: list[StepTime]
    """In textworld's environment."""
    ours: list[StepTime]
    """In ours."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=16, help="how many tasks of each tier")
    parser.add_argument("--walks", type=int, default=4, help="how many walks through each game")
    parser.add_argument("--resets", type=int, default=30)
    options = parser.parse_args()
    if options.walks < 2:
        parser.error("--walks is 2 or more: the first and the later walks are compared")
    for what, infos in REQUESTED.items():
        print(
            f"\n| step: {what} | steps "
            "| mean CPU, ms | of ours the engine | least CPU, ms | least wall, ms |\n"
            "| --- | ---: | --- | ---: | --- | --- |"
        )
        for tier in TIERS:
            print_tier(tier, infos, time_walks(tier, infos, options.first, options.walks))
    print("\n| least CPU, ms | the interpreter alone | naming its actions, as ours lets it |")
    print("| --- | ---: | ---: |")
    for tier in TIERS:
        figures = time_interpreter(tier, options.first, options.walks)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.2f}' for figure in figures)} |", flush=True
        )
    print("\n| reset, CPU ms | textworld, loaded | ours | ours, another game |")
    print("| --- | ---: | ---: | ---: |")
    for tier in TIERS:
        figures = time_resets(tier, options.first, options.resets)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.1f}' for figure in figures)} |", flush=True
        )


def print_tier(tier: str, infos: Infos, games: dict[str, list[list[WalkTimes]]]) -> None:
    """Print rows for each challenge of *tier*, by the walks through each of its *games*."""
    for challenge, of_challenge in sorted(games.items()):
        if LISTED in infos:
            print_row(f"{tier}, {challenge}, first", [walks[:1] for walks in of_challenge])
            print_row(f"{tier}, {challenge}, later", [walks[1:] for walks in of_challenge])
        else:  # where nothing is cached in the first walk
            print_row(f"{tier}, {challenge}", of_challenge)
    print_row(
        f"**{tier}, all**", [walks for of_challenge in games.values() for walks in of_challenge]
    )


def print_row(name: str, games: list[list[WalkTimes]]) -> None:
    """Print the row of *games*, each with its walks."""
    walks = [walk for of_game in games for walk in of_game]
    # Field 0 of a walk is theirs, field 1 ours; field 0 of a step is CPU time, field 1 wall time.
    least = [
        WalkTimes(*(least_times([walk[side] for walk in of_game]) for side in (0, 1)))
        for of_game in games
    ]
    engine = 1000 * statistics.mean(step.engine for walk in walks for step in walk.ours)
    cells = (compare(walks, 0), f"{engine:.2f}", compare(least, 0), compare(least, 1))
    steps = sum(len(walk.ours) for walk in walks)
    print(f"| {name} | {steps} | {' | '.join(cells)} |", flush=True)


def least_times(walks: list[list[StepTime]]) -> list[StepTime]:
    """Return the least time of each step in any of some *walks* through one game."""
    steps = zip(*walks, strict=True)
    return [StepTime(*(min(time[field] for time in step) for field in range(3))) for step in steps]


def compare(walks: list[WalkTimes], field: int) -> str:
    """Return the mean time of a step: textworld's, ours, and the ratio."""
    theirs, ours = (
        1000 * statistics.mean(step[field] for walk in walks for step in walk[side])
        for side in (0, 1)
    )
    return f"{theirs:.2f}, {ours:.2f}: **{ours / theirs:.2f}**"


def time_walks(tier: str, infos: Infos, first: int, walks: int) -> dict[str, list[list[WalkTimes]]]:
    """Return the time of every step, by challenge, game and walk."""
    listing = LISTED in infos
    tasks = TextWorld(first=first).tasks
    games: dict[str, list[list[WalkTimes]]] = {}
    selected = [tasks.make(tier, "test", index) for index in range(tasks.size(tier, "test"))]
    walk_of = {task.id: choose_walk(tier, str(task.id)) for task in selected}
    engine_pool().close()  # its cache has all states of the walks by now
    for task in selected:
        ours = TextEnv(TextWorld(list_admissible=listing), tier=tier, split="test", max_turns=10**6)
        theirs = their_env(GameCache().game(task.content).path, infos)
        times = list[WalkTimes]()
        for number in range(walks):
            ours.reset(options={"task_id": str(task.id)})
            theirs.reset()
            times.append(time_walk(theirs, ours, walk_of[task.id], number % 2 == 0))
        games.setdefault(task.content.level.challenge, []).append(times)
        theirs.close()
        ours.close()
    return games


def time_walk(
    theirs: Any,  # noqa: ANN401  (textworld has no types)
    ours: TextEnv,
    walk: list[str],
    they_begin: bool,
) -> WalkTimes:
    """Give the commands of a *walk* to both and return the times."""
    their_times = time_commands(theirs.step, walk) if they_begin else []
    our_times = time_commands(ours.step, walk, ours)
    return WalkTimes(their_times or time_commands(theirs.step, walk), our_times)


def time_commands(
    step: Callable[[str], Any], walk: list[str], env: TextEnv | None = None
) -> list[StepTime]:
    """Return the time of each command of a *walk*."""
    return [time_call(lambda: step(command), env) for command in walk]  # noqa: B023


def time_interpreter(tier: str, first: int, walks: int) -> list[float]:
    """Return seconds of a step in the interpreter alone, without and with names of actions."""
    from textworld.core import EnvInfos
    from textworld.envs.zmachine.jericho import JerichoEnv

    tasks = TextWorld(first=first).tasks
    times: tuple[list[StepTime], list[StepTime]] = ([], [])
    for index in range(tasks.size(tier, "test")):
        task = tasks.make(tier, "test", index)
        walk = choose_walk(tier, str(task.id))
        games = [JerichoEnv(EnvInfos()) for _ in times]
        rounds: list[list[list[StepTime]]] = [[] for _ in times]
        for game in games:
            game.load(f"{GameCache().game(task.content).path}.z8")
        for _ in range(walks):
            for game, names_actions, of_game in zip(games, (0, 1), rounds, strict=True):
                game.reset()
                time_commands(game._send, list(NAMING) if names_actions else [])
                of_game.append(time_commands(game._send, walk))
        for steps, of_game in zip(times, rounds, strict=True):
            steps += least_times(of_game)
    return [statistics.mean(step.cpu for step in steps) for steps in times]


def choose_walk(tier: str, task_id: str) -> list[str]:
    """Return a walk: two of three commands are the expert's, the others are random."""
    env = TextEnv(TextWorld(), tier=tier, split="test", max_turns=STEPS)
    env.reset(options={"task_id": task_id})
    rng, walk, over = stream("textworld benchmark", task_id), list[str](), False
    while not over:
        random_action = env.admissible_actions[int(rng.integers(len(env.admissible_actions)))]
        takes_expert = rng.random() < 0.67
        walk.append((takes_expert and env.expert_action()) or random_action)
        _, _, terminated, truncated, _ = env.step(walk[-1])
        over = terminated or truncated
    env.close()
    return walk


def time_resets(tier: str, first: int, number: int) -> list[float]:
    """Return seconds of a reset: textworld's own, ours to the same game, ours to another one."""
    tasks = TextWorld(first=first).tasks
    ids = [str(tasks.make(tier, "test", n).id) for n in range(tasks.size(tier, "test"))]
    ours = TextEnv(TextWorld(), tier=tier, split="test")
    theirs = their_env(GameCache().game(tasks.find(ids[0]).content).path, (LISTED,))
    their_times, same_game, other_game = [], [], []
    for turn in range(number + len(ids)):
        another = ids[turn % len(ids)]
        their_times.append(time_call(theirs.reset))
        other_game.append(time_call(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
        same_game.append(time_call(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
    ours.close()
    # The first round through the games is left out: their rules are read in it.
    measured = [times[len(ids) :] for times in (their_times, same_game, other_game)]
    return [statistics.mean(reset.cpu for reset in times) for times in measured]


def their_env(path: Path, infos: Infos) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return textworld's own environment, reset, for the game at *path*."""
    import textworld

    requested = textworld.EnvInfos(score=True, won=True, lost=True, **dict.fromkeys(infos, True))
    env = textworld.start(f"{path}.z8", requested)
    env.reset()
    return env


def time_call(call: Callable[[], Any], env: TextEnv | None = None) -> StepTime:
    """Return the time of *call*, in this process and in that of the engine of *env*."""
    before = engine_seconds(env)
    start, cpu = time.perf_counter(), time.process_time()
    call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    engine = engine_seconds(env) - before
    return StepTime(cpu + engine, wall, engine)


def engine_seconds(env: TextEnv | None) -> float:
    """Return the processor time of the process that plays for *env*."""
    client = getattr(getattr(env, "world", None), "_client", None)
    pid = getattr(getattr(client, "_engine", None), "pid", None)
    if pid is None:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()

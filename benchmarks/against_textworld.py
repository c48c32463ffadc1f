"""Our TextWorld against textworld's own environment, in turns, as Markdown tables.

    python benchmarks/against_textworld.py [--first 16] [--walks 4] [--resets 30]

Plays the first tasks of each tier's test split: the expert's steps and random admissible ones. Each
walk is given to textworld's own environment and then to ours, or to ours first, in turns: a walk is
short, so that both meet the machine as it is at that moment, and long enough for each to find the
processor's memory as it has left it itself. Games that are missing are made first. Asked for are

- the text, the score, and whether the game is won or lost: the least that textworld can be asked
  for. Ours tells, too, whether a command was carried out, the ``valid_action`` of every ``info``;
- the same from textworld, which knows it by its ``last_action`` alone;
- the admissible commands, from both.

*CPU* is processor time: of this process, and for ours of the engine's process, too. *Wall* is the
time on the clock. *Mean* is that of all steps; *least* that of the least that each step took in any
of its walks, which leaves out what other programs did to it: they hold up the clock, and a busy
neighbour slows down a processor. *First* is the first walk through a game, later ones meet states
that the engine knows.
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
ASKED = {
    "text, score and end": (),
    "text, score, end and whether it was done": ("last_action",),
    "admissible commands, too": ("last_action", LISTED),
}
"""The infos of textworld's that each table asks for beside score, won and lost."""
STEPS = 30
NAMING = ("tw-extra-infos score", "tw-trace-actions")
"""What a game is told first, so that it names the score and its actions."""


class Spent(NamedTuple):
    """What one step or reset took, in seconds."""

    cpu: float
    """Of the processor, in all processes."""
    wall: float
    """On the clock."""
    engine: float
    """Of the processor, in the engine's process alone."""


class Round(NamedTuple):
    """What each step of one walk took."""

    theirs: list[Spent]
    """In textworld's environment."""
    ours: list[Spent]
    """In ours."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=16, help="how many tasks of each tier")
    parser.add_argument("--walks", type=int, default=4, help="how many walks through each game")
    parser.add_argument("--resets", type=int, default=30)
    options = parser.parse_args()
    for what, infos in ASKED.items():
        print(
            f"\n| step: {what} | steps "
            "| mean CPU, ms | of ours the engine | least CPU, ms | least wall, ms |\n"
            "| --- | ---: | --- | ---: | --- | --- |"
        )
        for tier in TIERS:
            show_tier(tier, infos, played(tier, infos, options.first, options.walks))
    print("\n| least CPU, ms | the interpreter alone | naming its actions, as ours lets it |")
    print("| --- | ---: | ---: |")
    for tier in TIERS:
        figures = interpreted(tier, options.first, options.walks)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.2f}' for figure in figures)} |", flush=True
        )
    print("\n| reset, CPU ms | textworld, loaded | ours | ours, another game |")
    print("| --- | ---: | ---: | ---: |")
    for tier in TIERS:
        figures = resets(tier, options.first, options.resets)
        print(
            f"| {tier} | {' | '.join(f'{1000 * figure:.1f}' for figure in figures)} |", flush=True
        )


def show_tier(tier: str, infos: Infos, games: dict[str, list[list[Round]]]) -> None:
    """Print rows for each challenge of *tier*, by the rounds of each of its *games*."""
    for challenge, walks in sorted(games.items()):
        if LISTED in infos:
            show(f"{tier}, {challenge}, first", [rounds[:1] for rounds in walks])
            show(f"{tier}, {challenge}, later", [rounds[1:] for rounds in walks])
        else:  # where nothing is kept from the first walk
            show(f"{tier}, {challenge}", walks)
    show(f"**{tier}, all**", [rounds for walks in games.values() for rounds in walks])


def show(name: str, games: list[list[Round]]) -> None:
    """Print the row of *games*, each played in some rounds."""
    walks = [one for rounds in games for one in rounds]
    least = [Round(*(leasts([one[side] for one in rounds]) for side in (0, 1))) for rounds in games]
    engine = 1000 * statistics.mean(step.engine for one in walks for step in one.ours)
    cells = (against(walks, 0), f"{engine:.2f}", against(least, 0), against(least, 1))
    print(f"| {name} | {sum(len(one.ours) for one in walks)} | {' | '.join(cells)} |", flush=True)


def leasts(walks: list[list[Spent]]) -> list[Spent]:
    """Return the least that each step took in any of some *walks* through one game."""
    steps = zip(*walks, strict=True)
    return [Spent(*(min(step[field] for step in same) for field in range(3))) for same in steps]


def against(walks: list[Round], field: int) -> str:
    """Return what a step took on the average: textworld's, ours, and the ratio."""
    theirs, ours = (
        1000 * statistics.mean(step[field] for one in walks for step in one[side])
        for side in (0, 1)
    )
    return f"{theirs:.2f}, {ours:.2f}: **{ours / theirs:.2f}**"


def played(tier: str, infos: Infos, first: int, walks: int) -> dict[str, list[list[Round]]]:
    """Return what every step took, by challenge, game and round."""
    listing = LISTED in infos
    tasks = TextWorld(first=first).tasks
    found: dict[str, list[list[Round]]] = {}
    chosen = [tasks.make(tier, "test", index) for index in range(tasks.size(tier, "test"))]
    walk_of = {task.id: commands(tier, str(task.id)) for task in chosen}
    engine_pool().close()  # which knows all states of the walks by now
    for task in chosen:
        ours = TextEnv(TextWorld(list_admissible=listing), tier=tier, split="test", max_turns=10**6)
        theirs = opened(GameCache().game(task.content).path, infos)
        rounds = list[Round]()
        for number in range(walks):
            ours.reset(options={"task_id": str(task.id)})
            theirs.reset()
            rounds.append(walked(theirs, ours, walk_of[task.id], number % 2 == 0))
        found.setdefault(task.content.level.challenge, []).append(rounds)
        theirs.close()
        ours.close()
    return found


def walked(theirs: Any, ours: TextEnv, said: list[str], they_begin: bool) -> Round:  # noqa: ANN401
    """Give the commands of a walk to both and return what they took."""
    one = spent(theirs.step, said) if they_begin else []
    other = spent(ours.step, said, ours)
    return Round(one or spent(theirs.step, said), other)


def spent(step: Callable[[str], Any], said: list[str], env: TextEnv | None = None) -> list[Spent]:
    """Return what each of the commands took."""
    return [timed(lambda: step(command), env) for command in said]  # noqa: B023


def interpreted(tier: str, first: int, walks: int) -> list[float]:
    """Return seconds of a step in the interpreter alone, without and with names of actions."""
    from textworld.core import EnvInfos
    from textworld.envs.zmachine.jericho import JerichoEnv

    tasks = TextWorld(first=first).tasks
    found: tuple[list[Spent], list[Spent]] = ([], [])
    for index in range(tasks.size(tier, "test")):
        task = tasks.make(tier, "test", index)
        said = commands(tier, str(task.id))
        games = [JerichoEnv(EnvInfos()) for _ in found]
        rounds: list[list[list[Spent]]] = [[] for _ in found]
        for game in games:
            game.load(f"{GameCache().game(task.content).path}.z8")
        for _ in range(walks):
            for game, names_actions, walked_through in zip(games, (0, 1), rounds, strict=True):
                game.reset()
                spent(game._send, list(NAMING) if names_actions else [])
                walked_through.append(spent(game._send, said))
        for steps, through in zip(found, rounds, strict=True):
            steps += leasts(through)
    return [statistics.mean(step.cpu for step in steps) for steps in found]


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
    theirs = opened(GameCache().game(tasks.find(ids[0]).content).path, (LISTED,))
    own, same, other = [], [], []
    for turn in range(number + len(ids)):
        another = ids[turn % len(ids)]
        own.append(timed(theirs.reset))
        other.append(timed(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
        same.append(timed(lambda: ours.reset(options={"task_id": another}), ours))  # noqa: B023
    ours.close()
    kept = [times[len(ids) :] for times in (own, same, other)]
    return [statistics.mean(one.cpu for one in times) for times in kept]


def opened(path: Path, infos: Infos) -> Any:  # noqa: ANN401  (textworld has no types)
    """Return textworld's own environment, reset, for the game at *path*."""
    import textworld

    wanted = textworld.EnvInfos(score=True, won=True, lost=True, **dict.fromkeys(infos, True))
    env = textworld.start(f"{path}.z8", wanted)
    env.reset()
    return env


def timed(call: Callable[[], Any], env: TextEnv | None = None) -> Spent:
    """Return what *call* takes, in this process and in that of the engine of *env*."""
    before = engine_seconds(env)
    start, cpu = time.perf_counter(), time.process_time()
    call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    engine = engine_seconds(env) - before
    return Spent(cpu + engine, wall, engine)


def engine_seconds(env: TextEnv | None) -> float:
    """Return the processor time of the process that plays for *env*."""
    seat = getattr(getattr(env, "world", None), "_client", None)
    pid = getattr(getattr(seat, "_engine", None), "pid", None)
    if pid is None:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()

"""Make every task that the environments count, and name those that cannot be made.

    python tools/every_task.py                          all environments; takes hours
    python tools/every_task.py TextCraft TextWorld      these
    python tools/every_task.py Sokoban --every 100      every hundredth task of each tier and split

A task of TextWorld is made as its game is, up to the compiler, which takes seconds and refuses no
game. Levels without recipes or hunts refuse none either, and are left out.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import sys
from collections.abc import Iterator

from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.world import SPLITS, TIERS, TaskId

REFUSING = ("cooking", "treasure_hunter")
"""The challenges of TextWorld that have games which are no task."""


def main() -> int:
    """Walk, and return 1 if a task cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="ENVIRONMENT")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--splits", nargs="+", default=SPLITS, choices=SPLITS)
    parser.add_argument("--tiers", nargs="+", default=TIERS, choices=TIERS)
    parser.add_argument("--challenges", nargs="+", default=REFUSING, choices=REFUSING)
    arguments = parser.parse_args()
    dead = 0
    for name in arguments.names or list(ENVIRONMENTS):
        for tier, split in itertools.product(arguments.tiers, arguments.splits):
            if name != "TextWorld":
                dead += walk_plain(name, tier, split, arguments.every)
                continue
            for challenge in arguments.challenges:
                dead += walk_textworld(challenge, tier, split, arguments.every)
    return int(dead > 0)


def walk_plain(name: str, tier: str, split: str, every: int) -> int:
    """Reset to each task; return how many cannot be made."""
    env = make_text_env(f"rftgen/{name}-{tier}-v0", split)
    tasks = env.world.tasks
    number = dead = 0
    for index in range(0, tasks.size(tier, split), every):
        task_id = str(tasks.task_id(tier, split, index))
        number += 1
        try:
            env.reset(options={"task_id": task_id})
        except Exception as error:  # noqa: BLE001  (whatever it is, the task is dead)
            dead += 1
            print(f"{task_id}: {type(error).__name__}: {error}")
    print(f"{name} {tier} {split}: {number} tasks, {dead} cannot be made", flush=True)
    return dead


def walk_textworld(challenge: str, tier: str, split: str, every: int) -> int:
    """Make the game of each task of *challenge*; return how many have none."""
    needed: collections.Counter[int] = collections.Counter()
    for task_id, number in needed_candidates(challenge, tier, split, every):
        needed[number] += 1
        if not number:
            print(f"{task_id}: no candidate is a task")
    counts = ", ".join(f"{number}: {needed[number]}" for number in sorted(needed))
    print(
        f"TextWorld {challenge} {tier} {split}: {needed.total()} tasks, {needed[0]} cannot be "
        f"made; by the candidate that is the task: {counts}",
        flush=True,
    )
    return needed[0]


def needed_candidates(
    challenge: str, tier: str, split: str, every: int
) -> Iterator[tuple[TaskId, int]]:
    """Yield each task, and which of its candidates is the first that is a task, or 0 for none."""
    from agentgym_gen.envs.textworld.engine.builder import UnsuitableGameError, make_game
    from agentgym_gen.envs.textworld.engine.patches import apply_patches
    from agentgym_gen.envs.textworld.tasks import GeneratedTasks

    apply_patches()
    tasks = GeneratedTasks(challenge)
    for index in range(0, tasks.size(tier, split), every):
        task = tasks.make(tier, split, index)
        settings = dict(task.content.level.settings)
        for number, seeds in enumerate(task.content.seeds(), 1):
            try:
                make_game(challenge, settings, seeds._asdict())
            except UnsuitableGameError:
                continue
            yield task.id, number
            break
        else:
            yield task.id, 0


if __name__ == "__main__":
    sys.exit(main())

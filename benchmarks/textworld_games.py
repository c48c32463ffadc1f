"""The games of TextWorld, tier by tier and challenge by challenge, as a Markdown table.

    python benchmarks/textworld_games.py [--each 60] [--split test] [--only hard/cooking]

Builds the games that are missing, then lets the expert and a random player play each, through the
environment. *Commands* are those of the expert, *things* those that have a name, *making* the
processor seconds of building a game that was missing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator
from typing import NamedTuple

from agentgym_gen.agents.policy import ExpertPolicy, Policy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env import TextEnv
from agentgym_gen.envs.textworld import TextWorld
from agentgym_gen.envs.textworld.games.cache import GameCache
from agentgym_gen.envs.textworld.levels import CHALLENGES
from agentgym_gen.envs.textworld.prepare import build_all
from agentgym_gen.system.processors import usable_processors

TIERS = ("easy", "medium", "hard")
PLAIN = PromptStyle("action", instruction=False)


class Figures(NamedTuple):
    """The figures of some games."""

    expert: list[Trajectory]
    random: list[Trajectory]
    limits: list[int]
    things: list[int]


def main() -> int:
    """Print the table; return 1 if the expert has lost a game."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=60, help="games of each tier and challenge")
    parser.add_argument("--split", default="test")
    parser.add_argument("--workers", type=int, default=usable_processors())
    parser.add_argument("--only", nargs="*", help="tiers and challenges, such as hard/cooking")
    options = parser.parse_args()
    print(
        "| tier | challenge | games | expert won | commands, mean (most) | turns | things ", end=""
    )
    print("| random player won | making, s |\n|---|---|---:|---:|---:|---:|---:|---:|---:|")
    lost: list[str] = []
    for tier, challenge in places(options.only):
        seconds = build_missing(tier, challenge, options)
        figures = play_games(tier, challenge, options.each, options.split)
        lost += [episode.task_id for episode in figures.expert if not episode.success]
        print_row(tier, challenge, figures, seconds)
    print(f"\nlost by the expert: {lost or 'none'}")
    return 1 if lost else 0


def places(only: list[str] | None) -> Iterator[tuple[str, str]]:
    """Yield every tier and challenge, or *only* those that are named."""
    for tier in TIERS:
        for challenge in CHALLENGES:
            if not only or f"{tier}/{challenge}" in only:
                yield tier, challenge


def build_missing(tier: str, challenge: str, options: argparse.Namespace) -> float | None:
    """Build the games that are missing; return the processor seconds of each, or None."""
    tasks = TextWorld(challenge=challenge, first=options.each).tasks
    selected = [tasks.make(tier, options.split, n) for n in range(options.each)]
    before = os.times()
    built = build_all(GameCache(), selected, options.workers)
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    return spent / built if built else None


def play_games(tier: str, challenge: str, each: int, split: str) -> Figures:
    """Play the games of *tier* and *challenge* and return their figures."""
    keywords = {"challenge": challenge, "first": each}
    env = TextEnv(TextWorld(challenge=challenge, first=each), tier=tier, split=split)
    ids = [str(env.world.tasks.task_id(tier, split, n)) for n in range(each)]
    limits, things = [], []
    for task_id in ids:
        env.reset(options={"task_id": task_id})
        limits.append(env.turn_limit)
        things.append(len(env.world.surface().nouns()))
    episodes = [Episode(f"rftgen/TextWorld-{tier}-v0", i, options=keywords) for i in ids]
    expert, random = (play(episodes, policy) for policy in (ExpertPolicy(), RandomPolicy()))
    env.close()
    return Figures(expert, random, limits, things)


def play(episodes: list[Episode], policy: Policy) -> list[Trajectory]:
    """Return the trajectories of *policy*."""
    return run(episodes, policy, style=PLAIN, max_concurrent=8)


def print_row(tier: str, challenge: str, figures: Figures, seconds: float | None) -> None:
    """Print a row."""
    lengths = [len(episode.turns) for episode in figures.expert]
    cells = (
        tier,
        challenge,
        str(len(figures.expert)),
        str(sum(episode.success for episode in figures.expert)),
        f"{statistics.mean(lengths):.1f} ({max(lengths)})",
        f"{statistics.mean(figures.limits):.0f}",
        f"{statistics.mean(figures.things):.0f}",
        str(sum(episode.success for episode in figures.random)),
        "-" if seconds is None else f"{seconds:.1f}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

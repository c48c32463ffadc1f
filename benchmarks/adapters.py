"""What an adapter adds to a turn, beside the environment.

    python benchmarks/adapters.py

Prints a Markdown table of processor time. Each adapter plays the same answers in the same episodes
of Sokoban as `TextEnv.step` alone, in rounds that take turns; the figure is the median of the
differences. An adapter whose package is not installed is left out: run it in an environment of
`tools/test_integrations` for the others.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from agentgym_gen import Session, make_text_env, task_rows
from agentgym_gen.integrations.trl import ToolEnvironment

ENV_ID = "rftgen/Sokoban-hard-v0"
ACTIONS = ("up", "down", "left", "right") * 5
ANSWERS = [f"Thought:\nI act.\n\nAction:\n{action}" for action in ACTIONS]

Row = dict[str, Any]
Play = Callable[[Row], float]
"""Plays the episode of a row and returns the processor seconds of its turns."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=200)
    options = parser.parse_args()
    rows = [dict(row) for row in task_rows([ENV_ID], options.episodes)]
    print("| adapter | beside the environment, us a turn |\n| --- | ---: |")
    for name, play in (("`TextEnv.step`, the environment", None), *plays()):
        alone, together = [], []
        for row in rows:
            alone.append(by_environment(row))
            together.append(by_environment(row) if play is None else play(row))
        differences = [b - a for a, b in zip(alone, together, strict=True)]
        cost = statistics.median(alone if play is None else differences) / len(ACTIONS)
        print(f"| {name} | {cost * 1e6:.0f} |", flush=True)


def by_environment(row: Row) -> float:
    """Play without an adapter."""
    env = make_text_env(row["env_id"], "train", {"interface": row["interface"]})
    env.reset(options={"task_id": row["task_id"]})
    return measure(env.step, ACTIONS)


def by_session(row: Row) -> float:
    """Play with `Session`, which every adapter uses."""
    session = Session(row["env_id"], row["task_id"], options={"interface": row["interface"]})
    session.start()
    return measure(session.reply, ANSWERS)


def by_trl(row: Row) -> float:
    """Play with the environment for tools."""
    env = ToolEnvironment()
    env.reset(**row)
    return measure(lambda action: env.act(action=action), ACTIONS)


def by_skyrl(row: Row) -> float:
    """Play with the environment of skyrl-gym."""
    env = importlib.import_module("agentgym_gen.integrations.skyrl").SessionEnv(extras=row)
    env.init([])
    return measure(env.step, ANSWERS)


def by_gem(row: Row) -> float:
    """Play with the environment of GEM."""
    env = importlib.import_module("agentgym_gen.integrations.gem").TextGame(row["env_id"])
    env.env.reset(options={"task_id": row["task_id"]})
    return measure(env.step, ANSWERS)


def by_tinker(row: Row) -> float:
    """Play with the environment of messages of tinker-cookbook."""
    env = importlib.import_module("agentgym_gen.integrations.tinker").SessionMessageEnv(row)

    async def play() -> float:
        await env.initial_observation()
        start = time.process_time()
        for answer in ANSWERS:
            await env.step({"role": "assistant", "content": answer})
        return time.process_time() - start

    return asyncio.run(play())


def plays() -> list[tuple[str, Play]]:
    """Return the adapters that are installed."""
    by_module = {"skyrl": by_skyrl, "gem": by_gem, "tinker": by_tinker}
    played: list[tuple[str, Play]] = [("`Session`", by_session), ("TRL, `act`", by_trl)]
    for name, play in by_module.items():
        try:
            importlib.import_module(f"agentgym_gen.integrations.{name}")
        except ImportError:
            continue
        played.append((name, play))
    return played


def measure(step: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return the processor seconds of *step* on each of *texts*."""
    start = time.process_time()
    for text in texts:
        step(text)
    return time.process_time() - start


if __name__ == "__main__":
    main()

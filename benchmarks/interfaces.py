"""What a step through each interface costs, in units of the native step, as a Markdown table.

    python benchmarks/interfaces.py [--rounds 15] [--tier easy] [--only Sokoban] [--interfaces menu]

A step is one call of `step` with a random admissible action. Native and other steps take turns in
slices of some 40 ms of CPU time, and a figure is the median of the ratios of all rounds, so that a
change of the machine's speed affects both. The time is that of this process and of its children,
such as the one that plays TextWorld's games (on Linux; elsewhere without them). The first row is
the native step in microseconds; the second, native against native, shows the remaining noise.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.interface import PRESETS

CPU_OF_PROCESS = 2
"""The kind of a Linux clock that counts the CPU time of a process with all its threads."""

SLICE = 0.04
"""The least CPU time of a slice in seconds; a slice ends with an episode."""


def cpu_time() -> float:
    """Return the seconds of CPU time that this process and its living children have taken."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    pids = children.read_text().split() if children.exists() else []
    return time.process_time() + sum(_cpu_time_of(int(pid)) for pid in pids)


def _cpu_time_of(pid: int) -> float:
    try:
        # How Linux numbers the clocks of other processes: the complement of the pid, shifted past
        # the three bits of the kind.
        return time.clock_gettime((~pid << 3) | CPU_OF_PROCESS)
    except OSError:  # it has just ended
        return 0.0


class Player:
    """Plays random admissible actions and measures the time of steps, without resets."""

    def __init__(self, env: TextEnv) -> None:
        self._env = env
        self._choices = np.random.default_rng(0).random(4096).tolist()
        self._steps = 0
        _, self._info = env.reset(seed=0)

    def slice(self) -> float:
        """Play for a while and return the seconds a step took."""
        spent, first = 0.0, self._steps
        while spent < SLICE:
            start = cpu_time()
            self._episode()
            spent += cpu_time() - start
            _, self._info = self._env.reset()
        return spent / (self._steps - first)

    def _episode(self) -> None:
        over, info = False, self._info
        while not over:
            actions = info["admissible_actions"]
            action = actions[int(self._choices[self._steps % 4096] * len(actions))]
            _, _, terminated, truncated, info = self._env.step(action)
            over = terminated or truncated
            self._steps += 1


def measure(
    env_id: str, rounds: int, options: Mapping[str, object], interfaces: Sequence[str]
) -> list[float]:
    """Return the native step in microseconds, and the ratio of each of *interfaces* to it."""
    native = Player(make_text_env(env_id, "train", options))
    figures = [1e6 * float(np.median([native.slice() for _ in range(rounds)]))]
    for interface in interfaces:
        # Both play the same episodes, with the same choices.
        native = Player(make_text_env(env_id, "train", options))
        changed = Player(make_text_env(env_id, "train", {**options, "interface": interface}))
        pairs = [(native.slice(), changed.slice()) for _ in range(rounds)]
        ratios = [changed_seconds / native_seconds for native_seconds, changed_seconds in pairs]
        figures.append(float(np.median(ratios)))
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="how many slices of each")
    parser.add_argument("--tier", default="easy")
    parser.add_argument("--only", nargs="*", help="names of environments")
    every = ("native", *PRESETS)
    parser.add_argument("--interfaces", nargs="*", default=every, help="rows, by default all")
    options = parser.parse_args()
    names = options.only or list(ENVIRONMENTS)
    environments = [env for env in ENVIRONMENTS.values() if env.name in names]
    rows = options.interfaces
    columns = [
        measure(
            env.id(options.tier),
            options.rounds,
            env.test_kwargs,
            rows,
        )
        for env in environments
    ]
    print(f"| interface | {' | '.join(env.name for env in environments)} |")
    print(f"|---|{'---:|' * len(environments)}")
    print(f"| native, µs | {' | '.join(f'{column[0]:.0f}' for column in columns)} |")
    for number, interface in enumerate(rows, 1):
        print(f"| {interface} | {' | '.join(f'{column[number]:.2f}' for column in columns)} |")


if __name__ == "__main__":
    main()

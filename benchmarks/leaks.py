"""What resets of every environment leak, as a Markdown table.

    python benchmarks/leaks.py [--resets 10000] [--only TextCraft]

Each environment is measured in a process of its own. First `agentgym_gen.testing.check_leaks` plays
the same 20 tasks of all tiers again and again, and counts the bytes that Python keeps and the open
files. Then as many resets sample their tasks, so that caches fill; the resident memory of the
process and its children is read after a tenth, a half and all of them. TextWorld plays two games of
each tier and split.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MARKS = (0.1, 0.5, 1.0)
"""The shares of the resets after which the memory is read."""

PAGE_KB = 4

LEAST_RESETS = 1000
"""So many resets make what caches take small beside the bound of a leak, 100 bytes a reset."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resets", type=int, default=10_000)
    parser.add_argument("--only", default="", help="the name of one environment")
    parser.add_argument("--json", action="store_true", help="print the figures of --only as JSON")
    options = parser.parse_args()
    if options.resets < LEAST_RESETS:
        parser.error(f"--resets is {LEAST_RESETS} or more: caches that fill would count as leaks")
    if options.json:
        print(json.dumps(measure(options.only, options.resets)))
        return
    print("| environment | resets | bytes a reset | open files | MB after 10 %, 50 %, 100 % |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in [options.only] if options.only else names():
        figures = measure_in_process(name, options.resets)
        memory = ", ".join(f"{mb:,.0f}" for mb in figures["memory"])
        print(
            f"| {name} | {options.resets:,} | {figures['bytes']:.1f} "
            f"| {figures['files'][0]} → {figures['files'][1]} | {memory} |",
            flush=True,
        )


def names() -> list[str]:
    """Return the names of all environments."""
    from agentgym_gen.env.registration import BUNDLED

    return [environment.name for environment in BUNDLED]


def measure_in_process(name: str, resets: int) -> dict[str, list[float]]:
    """Return the figures of the environment *name*, measured in a new process."""
    command = [sys.executable, __file__, "--json", "--only", name, "--resets", str(resets)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, list[float]] = json.loads(done.stdout)
    return figures


def measure(name: str, resets: int) -> dict[str, object]:
    """Return the figures of the environment *name*.

    Raises:
        ContractError: if a reset leaves more than 100 bytes, or open files.
    """
    from agentgym_gen.env.registration import ENVIRONMENTS
    from agentgym_gen.testing import check_leaks

    env_id = ENVIRONMENTS[name].id()
    env_options = ENVIRONMENTS[name].test_kwargs
    leaked = check_leaks(env_id, resets=resets, **env_options)
    before = open_files()
    memory = list(memory_of_resets(env_id, resets, env_options))
    return {"bytes": leaked, "files": (before, open_files()), "memory": memory}


def memory_of_resets(env_id: str, resets: int, options: dict[str, object]) -> Iterator[float]:
    """Reset to sampled tasks, with one step each, and yield the memory at each of `MARKS`."""
    from agentgym_gen.env.making import make_text_env

    env = make_text_env(env_id, "train", {"seed": 0, **options})
    marks = {round(share * resets) for share in MARKS}
    for number in range(1, resets + 1):
        _, info = env.reset()
        env.step(info["admissible_actions"][0])
        if number in marks:
            gc.collect()
            yield sum(map(memory_mb, (Path("/proc/self"), *children())))
    env.close()


def children() -> list[Path]:
    """Return the folders in /proc of the child processes of this one."""
    tasks = Path("/proc/self/task").glob("*/children")
    numbers = [number for task in tasks for number in task.read_text(encoding="ascii").split()]
    return [Path("/proc") / number for number in numbers]


def memory_mb(process: Path) -> float:
    """Return the resident memory of a process in MB."""
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_KB / 1024


def open_files() -> int:
    """Return how many files this process and its children have open."""
    return sum(
        len(list((process / "fd").iterdir())) for process in (Path("/proc/self"), *children())
    )


if __name__ == "__main__":
    main()

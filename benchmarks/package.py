"""The size of the package, and what importing it costs, as a Markdown table.

    python benchmarks/package.py [--rounds 11] [--wheel FILE]

Times are processor time of fresh processes, the median of the rounds. Each line of imports has what
the lines before it leave to do: `agentgym_gen` after Gymnasium, Gymnasium after numpy.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

MODULES = ("numpy", "gymnasium", "agentgym_gen", "agentgym_gen.cli.main")

PROGRAM = """
import importlib, resource, sys
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
for name in sys.argv[1:]:
    start = used()
    importlib.import_module(name)
    print(used() - start)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--wheel", type=Path)
    options = parser.parse_args()
    print("| what | |\n| --- | ---: |")
    if options.wheel:
        with zipfile.ZipFile(options.wheel) as wheel:
            size = sum(item.file_size for item in wheel.infolist())
        print(f"| the wheel | {options.wheel.stat().st_size / 1e6:.1f} MB |")
        print(f"| its files | {size / 1e6:.1f} MB |")
    rounds = [measure() for _ in range(options.rounds)]
    *times, memory = (statistics.median(values) for values in zip(*rounds, strict=True))
    for name, seconds in zip(MODULES, times, strict=True):
        print(f"| `import {name}` | {seconds:.3f} s |")
    print(f"| together up to `agentgym_gen` | {sum(times[:3]):.3f} s |")
    print(f"| memory after them | {memory:.0f} MB |")


def measure() -> list[float]:
    """Return the seconds of each import, and the memory after all of them in MB."""
    command = [sys.executable, "-c", PROGRAM, *MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


if __name__ == "__main__":
    main()

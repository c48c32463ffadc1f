"""WebShop alone: steps a second with new queries, and how long a shop takes to open.

    python benchmarks/webshop.py [--products 1000] [--seconds 5] [--on-disk]

An episode searches with random words of its own instruction and clicks random buttons, so that each
query is new and none comes from the cache.
Times are CPU time of the process; memory is its greatest resident size. The original's figures, 16
to 30 steps a second on the same kind of machine, are those of its unmodified engine with Lucene, in
its text mode, measured in an earlier session. With ``--on-disk`` our products are written as
WebShop's files are and opened as its full set is, once to build the index and once to load it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--on-disk", action="store_true")
    parser.add_argument("--open", help="a folder to open from disk, used by --on-disk")
    options = parser.parse_args()
    if options.open:
        open_from_disk(options.open)
        return
    if options.on_disk:
        twice_from_disk(options.products)
        return
    from agentgym_gen.env import TextEnv

    start = time.process_time()
    env = TextEnv("agentgym_gen.envs.webshop:WebShop", products=options.products)
    opened = time.process_time()
    env.reset(seed=0)
    ready = time.process_time()
    times = f"shop {opened - start:.2f} s, goals {ready - opened:.2f} s"
    print(f"{options.products:,} products: {times}")
    steps, searches, seconds = play(env, options.seconds)
    print(f"{steps / seconds:,.0f} steps/s, one in {steps / searches:.1f} of them a search")
    print(f"{memory():,.0f} MB")


def memory() -> float:
    """Return the greatest resident size of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def twice_from_disk(amount: int) -> None:
    """Write *amount* of our products like WebShop's files, and open them in two new processes."""
    with tempfile.TemporaryDirectory() as folder:
        write_official(Path(folder), amount)
        size = (Path(folder) / "items_shuffle.json").stat().st_size
        print(f"{amount:,} products in {size / 2**20:,.0f} MB")
        for _ in range(2):
            command = [sys.executable, __file__, "--open", folder]
            environ = {**os.environ, "AGENTGYM_GEN_CACHE": f"{folder}/cache"}
            subprocess.run(command, check=True, env=environ)
        size = sum(path.stat().st_size for path in Path(folder, "cache").rglob("*.npz"))
        print(f"kept in the cache folder: {size / 2**20:,.0f} MB")


def open_from_disk(folder: str) -> None:
    """Open the files of *folder* and print how long it took."""
    from agentgym_gen.envs.webshop.official.dataset import find_files
    from agentgym_gen.envs.webshop.official.on_disk import open_on_disk

    start = time.process_time()
    shop, _ = open_on_disk(find_files(Path(folder), None), None)
    print(f"opened {len(shop):,} in {time.process_time() - start:.1f} s, {memory():,.0f} MB")


def write_official(folder: Path, amount: int) -> None:
    """Write our own products in the format of WebShop's files."""
    from agentgym_gen.envs.webshop.generator.families import families

    with (folder / "items_shuffle.json").open("w", encoding="utf-8") as file:
        separator = "["
        for product in (product for family in families(amount) for product in family):
            record = {
                "asin": product.asin,
                "name": product.title,
                "full_description": product.description,
                "small_description": product.bullets,
                "pricing": product.price_tag.replace(" to ", " - "),
                "customization_options": {
                    name: [{"value": value} for value in values]
                    for name, values in product.options.items()
                },
                "category": product.category,
                "product_category": product.path,
                "query": product.query,
            }
            file.write(separator + json.dumps(record))
            separator = ","
        file.write("]")
    (folder / "items_ins_v2.json").write_text("{}")


def play(env, seconds: float) -> tuple[int, int, float]:  # noqa: ANN001  (a TextEnv)
    """Play for *seconds*; return how many steps and searches there were, and the steps' time."""
    rng = np.random.default_rng(0)
    steps = searches = 0
    total = 0.0
    while total < seconds:
        _, info = env.reset()
        words = info["goal"].split()
        start = time.process_time()
        over = False
        while not over:
            actions = info["admissible_actions"]
            action = actions[int(rng.integers(len(actions)))]
            if action.startswith("search"):
                action = f"search[{' '.join(rng.permutation(words)[: 4 + steps % 9])}]"
                searches += 1
            _, _, terminated, truncated, info = env.step(action)
            steps += 1
            over = terminated or truncated
        total += time.process_time() - start
    return steps, searches, total


if __name__ == "__main__":
    main()

"""SearchQA's retrieval: time and memory, as Markdown tables.

    python benchmarks/searchqa.py [--passages 100000]

The first table is about the facts that ship: how long the first world of a process takes without
and with a cached index, and a search. The second one compares our index with bm25s (beside this
library, if it is installed) on a corpus of the given size, whose passages are four sentences each,
sampled from those that ship. Times are CPU time of the process.
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
from collections.abc import Callable

import numpy as np

QUERIES = 500
TOP = 10


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--only", help="one measurement, printed as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(MEASURES[options.only](options.passages)))
        return
    with tempfile.TemporaryDirectory() as cache:
        os.environ["AGENTGYM_GEN_CACHE"] = cache
        cold, warm = in_process("world", 0), in_process("world", 0)
    print("| the facts that ship | |\n|---|---:|")
    print(f"| first world of a process, no index kept, s | {cold['first']:.2f} |")
    print(f"| the same with a kept index, s | {warm['first']:.2f} |")
    print(f"| every further world, ms | {warm['next']:.3f} |")
    print(f"| search, ms: mean / p95 | {warm['mean']:.2f} / {warm['p95']:.2f} |")
    print(f"| memory with the index, MB | {warm['memory']:.0f} |")
    print(f"\n| {options.passages:,} passages | build, s | query ms: mean / p95 | memory, MB |")
    print("|---|---:|---:|---:|")
    for name in ("ours", "bm25s"):
        figures = in_process(name, options.passages)
        if figures:
            row = f"{figures['build']:.1f} | {figures['mean']:.2f} / {figures['p95']:.2f}"
            print(f"| {name} | {row} | +{figures['memory']:.0f} |", flush=True)


def in_process(name: str, passages: int) -> dict[str, float]:
    """Return the figures of one measurement in a process of its own; none without its package."""
    command = [sys.executable, __file__, "--only", name, "--passages", str(passages)]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(process.stdout)
    return figures


def world(_: int) -> dict[str, float]:
    """Measure the bundled world."""
    from agentgym_gen.envs.searchqa import SearchQA

    before = resident()
    first_world, first = timed(SearchQA)
    _, again = timed(SearchQA)
    queries = [
        hop.query
        for index in range(QUERIES // 3)
        for hop in first_world.tasks.make("hard", "train", index).content.hops
    ]
    figures = {"first": first, "next": again * 1000, "memory": resident() - before}
    return figures | per_query(lambda query: first_world._retriever.search(query, 3), queries)


def ours(passages: int) -> dict[str, float]:
    """Measure our index."""
    from agentgym_gen.retrieval import BM25Index

    texts, queries = corpus(passages)
    before = resident()
    index, seconds = timed(lambda: BM25Index.build(texts))
    figures = {"build": seconds, "memory": resident() - before}
    return figures | per_query(lambda query: index.search(query, TOP), queries)


def bm25s(passages: int) -> dict[str, float]:
    """Measure bm25s with the same analysis, or nothing without it."""
    try:
        import bm25s as bm25s_package
    except ImportError:
        return {}
    from agentgym_gen.retrieval import english_terms

    texts, queries = corpus(passages)
    before = resident()
    index = bm25s_package.BM25(k1=0.9, b=0.4, method="lucene")

    def build() -> None:
        index.index(list(map(english_terms, texts)), show_progress=False)

    _, seconds = timed(build)
    figures = {"build": seconds, "memory": resident() - before}

    def search(query: str) -> object:
        return index.retrieve([english_terms(query)], k=TOP, show_progress=False, n_threads=0)

    return figures | per_query(search, queries)


MEASURES: dict[str, Callable[[int], dict[str, float]]] = {
    "world": world, "ours": ours, "bm25s": bm25s,
}  # fmt: skip


def corpus(passages: int) -> tuple[list[str], list[str]]:
    """Return the texts of a corpus of so many *passages*, and queries."""
    from agentgym_gen.envs.searchqa.generator.passages import fact_corpus

    contents = [passage.contents for passage in fact_corpus("real")]
    sentences = [part for text in contents for part in text.split(". ") if len(part) > 20]
    rng = np.random.default_rng(0)
    rows = rng.integers(len(sentences), size=(passages, 4)).tolist()
    texts = [". ".join(sentences[index] for index in row) for row in rows]
    queries = [" ".join(texts[index].split()[:6]) for index in rng.integers(passages, size=QUERIES)]
    return texts, queries


def per_query(search: Callable[[str], object], queries: list[str]) -> dict[str, float]:
    """Return the mean and the 95th percentile of a query's milliseconds."""
    for query in queries[:20]:
        search(query)
    times = [1000 * timed(lambda query=query: search(query))[1] for query in queries]
    return {"mean": float(np.mean(times)), "p95": float(np.quantile(times, 0.95))}


def timed(call):  # noqa: ANN001, ANN201  (any call, and what it returns)
    """Return what *call* returns, and the CPU seconds that it took."""
    start = time.process_time()
    value = call()
    return value, time.process_time() - start


def resident() -> float:
    """Return the greatest resident size so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    main()

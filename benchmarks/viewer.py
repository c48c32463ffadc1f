"""How long the viewer takes with a million episodes, as a Markdown table.

    python -m benchmarks.viewer [--episodes 1000000] [--folder /tmp/viewer]

Episodes of a random policy in TextCraft and Sokoban, in two interfaces and of two turns, are
repeated under made-up task ids until the file has so many. The server opens the file. An export of
its first `BLOCK` episodes is timed, and its scripts are copied until they are the export of a
million: what a page loads does not depend on whether two scripts are alike. A headless Chromium
opens both; each time ends when the list is drawn.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from agentgym_gen import Episode, RandomPolicy, run, sample_task_ids, stream
from agentgym_gen.agents.trajectory_files import write_trajectories
from agentgym_gen.viewer import View, export_view, open_sources
from agentgym_gen.viewer.export import script_path
from agentgym_gen.viewer.serve import ViewServer
from agentgym_gen.viewer.view import COLUMNS, PIECE
from tools.browser import Browser

IDS = ("rftgen/TextCraft-easy-v0", "rftgen/Sokoban-easy-v0")
TASKS = 100
TURNS = 2
BLOCK = 3 * PIECE
DRAWN = "document.querySelectorAll('#rows li').length > 0"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/viewer"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "episodes.jsonl"
    print("| what | measured |\n| --- | ---: |")
    _row("the file", lambda: write_file(path, options.episodes))
    print(f"| its size | {path.stat().st_size / 1e9:.2f} GB |", flush=True)
    start = time.perf_counter()
    server = ViewServer(View(open_sources([path])), "a")
    threading.Thread(target=server.serve, daemon=True).start()
    print(f"| the server listens | {time.perf_counter() - start:.2f} s |", flush=True)
    with Browser(options.folder / "first") as browser:
        _row("its page opens, while the file is read", lambda: _open(browser, server.url))
    server.stop()
    out, block = options.folder / "page", options.folder / "block.jsonl"
    with path.open(encoding="utf-8") as file:
        block.write_text("".join(islice(file, BLOCK)), encoding="utf-8")
    name = f"export of {BLOCK:,} episodes"
    _row(name, lambda: export_view(View(open_sources([block])), out, title="a", replace=True))
    number = extend(out, -(-options.episodes // BLOCK))
    sizes = [each.stat().st_size for each in out.rglob("*") if each.is_file()]
    print(f"| episodes of the copied export | {number:,} |")
    print(f"| its size | {sum(sizes) / 1e9:.2f} GB in {len(sizes):,} files |", flush=True)
    with Browser(options.folder / "second") as browser:
        _measure(browser, (out / "index.html").as_uri(), number)


def extend(out: Path, times: int) -> int:
    """Copy the scripts of the export *out* until it has *times* as many episodes as `BLOCK`."""
    path = out / script_path("index", 0)
    before, after = 'viewerData("index",0,', ")\n"
    index = json.loads(path.read_text().removeprefix(before).removesuffix(after))
    chunks = index["chunks"]
    kinds = dict.fromkeys(COLUMNS, BLOCK // PIECE) | {"episodes": len(chunks)}
    for kind, number in kinds.items():
        for place in range(number):
            head, text = f'viewerData("{kind}",', (out / script_path(kind, place)).read_text()
            body = text.removeprefix(f"{head}{place},")
            for turn in range(1, times):
                copy = place + turn * number
                (out / script_path(kind, copy)).write_text(f"{head}{copy},{body}")
    index["chunks"] = [start + turn * BLOCK for turn in range(times) for start in chunks]
    index["episodes"] = times * BLOCK
    index["counts"] = [
        [name, [each * times for each in each_of]] for name, each_of in index["counts"]
    ]
    path.write_text(f"{before}{json.dumps(index)}{after}")
    return times * BLOCK


def write_file(path: Path, number: int) -> None:
    """Write *number* episodes to *path*, unless it is there."""
    if path.exists():
        return
    episodes = [
        Episode(env_id, task_id, options={"interface": interface, "max_turns": TURNS})
        for env_id in IDS
        for task_id in sample_task_ids(env_id, "train", TASKS, stream("viewer"))
        for interface in ("native", "json")
    ]
    played = path.with_suffix(".played")
    write_trajectories(played, run(episodes, RandomPolicy()))
    parts = [_around_task(line) for line in played.read_text(encoding="utf-8").splitlines()]
    with path.open("w", encoding="utf-8") as file:
        for place in range(number):
            start, end = parts[place % len(parts)]
            labels = f'{{"arm": "model-{place % 3}", "step": {place * 50 // number}, '
            file.write(f"{labels}{start}{place // len(parts)}{end}\n")


def _around_task(line: str) -> tuple[str, str]:
    """Return what is before and after the number of the task in *line*, without its brace."""
    start, key, rest = line[1:].partition('"task_id": "')
    stem, quote, end = rest.partition('"')
    return start + key + stem.rpartition("/")[0] + "/", quote + end


def _measure(browser: Browser, url: str, number: int) -> None:
    _row("open from `file://`", lambda: _open(browser, url))
    _row("last page of the list", lambda: _open(browser, f"{url}#page={number // 100 - 1}"))
    _open(browser, url)
    count = "document.querySelector('#count').innerText"
    all_done = f"!{count}.includes('searched')"
    _row("filter: two conditions", lambda: _go(browser, "result=won&interface=json", all_done))
    _row("the same again", lambda: _go(browser, "result=lost&interface=json", all_done))
    text = "q=seventeen+purple+goats"
    _row("text search through everything", lambda: _go(browser, text, all_done))
    browser.run(f"location.hash = 'episode={number // 3}'")
    browser.wait("document.querySelectorAll('#turns li').length > 0")
    browser.press("c")
    others = "document.querySelectorAll('#others button').length > 0"
    _row("other episodes of a task", lambda: browser.wait(others))


def _open(browser: Browser, url: str) -> None:
    browser.open("about:blank")
    browser.open(url)
    browser.wait(DRAWN)


def _go(browser: Browser, fields: str, condition: str) -> None:
    browser.run(f"location.hash = {json.dumps(fields)}")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    browser.wait(condition, 3600)


def _row(name: str, work: Callable[[], object]) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    note = f" ({cpu:.1f} s of CPU time)" if cpu >= 1 else ""
    print(f"| {name} | {seconds:.2f} s{note} |", flush=True)


if __name__ == "__main__":
    main()

"""Many sessions of mixed environments over WebSocket, against a server on this machine.

    python benchmarks/serve.py --sessions 256 --minutes 10
    python benchmarks/serve.py --alone    # what the same episodes cost without a server

Starts ``agentgym-gen serve`` in a process of its own, or plays against the server that ``--url``
names and whose process is ``--pid``. The client opens all sessions at once; each plays tasks of
one environment with random admissible actions, which were chosen before, and checks that an episode
ends as it did here. Prints a Markdown table: for each part of the time the steps and episodes a
second, the processor time of the server for a step (its share of the resets included), its memory,
and the load of the machine. Needs the extra `api`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen import Episode, RandomPolicy, run, sample_task_ids, stream
from agentgym_gen.agents import PromptStyle
from agentgym_gen.env.registration import BUNDLED
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.server import ServedEpisode

PARTS = 10
TASKS = 4
"""How many tasks each session plays in turn."""

TURNS = 20
"""The turn limit, so that an environment with long episodes does not count more than others."""


class Script(NamedTuple):
    """A task, the actions of an episode, and how it ended."""

    reset: dict[str, Any]
    """What the reset message carries."""
    actions: tuple[str, ...]
    """The actions."""
    success: bool
    """Whether they reach the goal."""


class Counts:
    """What all sessions have played so far."""

    def __init__(self) -> None:
        self.steps = self.episodes = 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--skip", default="TextWorld", help="environments to leave out, by commas")
    parser.add_argument("--url", help="a server that runs already, such as http://127.0.0.1:8000")
    parser.add_argument("--pid", type=int, help="the process of that server")
    parser.add_argument("--alone", action="store_true", help="no server: the cost of the episodes")
    options = parser.parse_args()
    scripts = list(make_scripts(options.sessions, options.skip.split(",")))
    if options.alone:
        print_costs([script for own in scripts for script in own])
        return
    with server(options.url, options.pid) as (url, pid):
        asyncio.run(play_all(url, pid, scripts, 60 * options.minutes))


def make_scripts(sessions: int, skipped: list[str]) -> Iterator[list[Script]]:
    """Yield what each of *sessions* plays; one environment after another, easy and medium tiers."""
    env_ids = [e.id(tier) for tier in ("easy", "medium") for e in BUNDLED if e.name not in skipped]
    pools = []
    for env_id in env_ids:
        try:
            task_ids = sample_task_ids(env_id, "train", 8, stream("serve benchmark", env_id))
        except MissingExtraError:
            continue
        limit = {"max_turns": TURNS}
        episodes = [Episode(env_id, task_id, options=limit) for task_id in task_ids]
        trajectories = run(episodes, RandomPolicy(), style=PromptStyle("action"))
        pools.append(
            [
                Script(
                    {"env_id": env_id, "task_id": played.task_id, **limit},
                    tuple(turn.action for turn in played.turns),
                    played.success,
                )
                for played in trajectories
            ]
        )
    for number in range(sessions):
        pool = pools[number % len(pools)]
        yield [pool[(number + n) % len(pool)] for n in range(TASKS)]


def print_costs(scripts: list[Script]) -> None:
    """Play *scripts* in this process, and print the processor time by environment id."""
    print("| environment | steps an episode | a reset, us | a step, us | both, us a step |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for env_id in dict.fromkeys(script.reset["env_id"] for script in scripts):
        own = [script for script in scripts if script.reset["env_id"] == env_id]
        episode = ServedEpisode([env_id])
        play_alone(episode, own[0])  # makes what all episodes share
        pairs = [play_alone(episode, script) for script in own]
        resets, steps = (1e6 * sum(times) for times in zip(*pairs, strict=True))
        number = sum(len(script.actions) for script in own)
        print(
            f"| {env_id} | {number / len(own):.1f} | {resets / len(own):,.0f} "
            f"| {steps / number:,.0f} | {(resets + steps) / number:,.0f} |"
        )


def play_alone(episode: ServedEpisode, script: Script) -> tuple[float, float]:
    """Return the processor time in seconds of the reset, and of all steps."""
    start = time.process_time()
    episode.reset(script.reset)
    middle = time.process_time()
    for action in script.actions:
        episode.step(action)
    return middle - start, time.process_time() - middle


@contextmanager
def server(url: str | None, pid: int | None) -> Iterator[tuple[str, int | None]]:
    """Yield the address of the server and its process; start one if there is no *url*."""
    if url is not None:
        yield url, pid
        return
    command = [sys.executable, "-m", "agentgym_gen", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        yield next(word for word in line.split() if word.startswith("http")), process.pid
        process.terminate()


async def play_all(url: str, pid: int | None, scripts: list[list[Script]], seconds: float) -> None:
    """Play all *scripts* at once for *seconds*, and print a row of the table for each part."""
    import aiohttp

    counts = Counts()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        address = url.replace("http", "ws", 1) + "/ws"
        tasks = [asyncio.create_task(play(http, address, own, counts)) for own in scripts]
        print(f"{len(scripts)} sessions\n")
        print("| part | steps/s | episodes/s | server, us a step | memory, MB | load |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for part in range(PARTS):
            before = counts.steps, counts.episodes, cpu_seconds(pid), time.monotonic()
            await asyncio.sleep(seconds / PARTS)
            for task in tasks:
                if task.done():
                    task.result()
            steps, episodes = counts.steps - before[0], counts.episodes - before[1]
            spent = time.monotonic() - before[3]
            cost = 1e6 * (cpu_seconds(pid) - before[2]) / max(steps, 1)
            print(
                f"| {part + 1} | {steps / spent:,.0f} | {episodes / spent:,.0f} "
                f"| {cost:,.0f} | {memory_mb(pid):,.0f} | {os.getloadavg()[0]:.1f} |",
                flush=True,
            )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def play(http: Any, address: str, scripts: list[Script], counts: Counts) -> None:  # noqa: ANN401
    """Play *scripts* over one connection, again and again."""
    async with http.ws_connect(address, compress=0) as socket:
        while True:
            for script in scripts:
                await ask(socket, "reset", script.reset)
                for action in script.actions:
                    reply = await ask(socket, "step", {"text": action})
                    counts.steps += 1
                if not reply["done"] or reply["reward"] != float(script.success):
                    raise SystemExit(f"It does not end as it did here: {script.reset}")
                counts.episodes += 1


async def ask(socket: Any, kind: str, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Send one message and return the data of the answer."""
    await socket.send_str(json.dumps({"type": kind, "data": data}))
    answer = json.loads((await socket.receive()).data)
    if answer["type"] == "error":
        raise SystemExit(answer["data"]["message"])
    return answer["data"]


def cpu_seconds(pid: int | None) -> float:
    """Return the processor time that a process has used, without that of its children."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int | None) -> float:
    """Return the resident memory of a process in MB."""
    if pid is None:
        return 0.0
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()

"""Concurrent against lock-step play, and how many turns a second a chat endpoint can get.

    python benchmarks/concurrency.py

Prints three Markdown tables. The first plays 96 episodes of TextCraft with a policy whose answers
take the time of a hosted model (lognormal, median 30 ms, sigma 0.8): 32 episodes in lock-step, and
the same with each episode on its own in one of 32 workers. The actions are the same. The second
plays through `ChatPolicy` against a server in a process of its own that answers at once, so that
the harness is measured: read it by the processor time of this process. The third has the memory of
500 episodes at once. Needs the extra `api`.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from agentgym_gen import (
    ChatPolicy,
    Completion,
    Episode,
    RandomPolicy,
    Request,
    Trajectory,
    run,
    sample_task_ids,
    stream,
)
from agentgym_gen.agents import PromptStyle
from agentgym_gen.env.registration import BUNDLED

MEDIAN, SIGMA = 0.030, 0.8
"""The time of an answer in seconds: the median of a lognormal distribution, and its sigma."""

STYLE = PromptStyle("action")
ANSWER = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"fake","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"inventory"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'
)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)


class Hosted:
    """A random policy behind a line: each answer takes its time."""

    def answer(self, request: Request) -> Completion:
        """Return a random action after the time that belongs to this turn."""
        key = ("latency", request.episode, request.turn)
        time.sleep(MEDIAN * float(stream(*key).lognormal(0.0, SIGMA)))
        return RandomPolicy().act([request])[0]


class Immediately:
    """Gives the answer of the server, without one."""

    def answer(self, request: Request) -> Completion:
        """Return an action that every environment refuses or knows."""
        return Completion("inventory")


class LockStep:
    """The same as a batched policy: the slowest answer of a step is waited for."""

    def __init__(self, workers: int) -> None:
        self._hosted, self._threads = Hosted(), ThreadPoolExecutor(workers)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return an answer for each request, all asked at once."""
        return list(self._threads.map(self._hosted.answer, requests))


class Measured(NamedTuple):
    """One run."""

    played: list[Trajectory]
    seconds: float
    cpu_seconds: float

    @property
    def turns(self) -> int:
        """How many turns were taken."""
        return sum(len(trajectory.turns) for trajectory in self.played)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=96)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--many", type=int, default=500, help="episodes at once for the memory")
    parser.add_argument("--serve", action="store_true", help="be the server that answers at once")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    compare_latencies(options.episodes, options.workers)
    print()
    measure_endpoint(options.connections)
    print()
    measure_memory(options.many)


def compare_latencies(number: int, workers: int) -> None:
    """Print how long lock-step and concurrent play take with the same answers."""
    episodes = episodes_of("TextCraft", number, 30)
    lock_step = measure(
        lambda: run(episodes, LockStep(workers), style=STYLE, max_concurrent=workers)
    )
    concurrent = measure(lambda: run(episodes, Hosted(), style=STYLE, max_concurrent=workers))
    if lock_step.played != concurrent.played:
        raise SystemExit("The two ways of playing have not given the same trajectories")
    print(f"{number} episodes, {workers} at once, {concurrent.turns:,} turns\n")
    print("| play | seconds | times as long |\n| --- | ---: | ---: |")
    for name, measured in (("lock-step", lock_step), ("concurrent", concurrent)):
        print(f"| {name} | {measured.seconds:.1f} | {measured.seconds / concurrent.seconds:.1f} |")


def measure_endpoint(connections: int) -> None:
    """Print the speed of `ChatPolicy` against a server that answers at once."""
    print("| episodes | turns | turns/s | turns/s (CPU) | without a server, turns/s (CPU) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    ) as server:
        port = server.stdout.readline() if server.stdout else ""
        url = f"http://127.0.0.1:{int(port)}/v1"
        for name in ("TextCraft", "Sokoban", "WebShop"):
            episodes = episodes_of(name, 4 * connections, 20)
            play = partial(run, episodes, style=STYLE, max_concurrent=connections)
            play(Immediately())  # the tasks are made before they are measured
            alone = measure(partial(play, Immediately()))
            with ChatPolicy(url, "fake", connections=connections) as policy:
                measured = measure(partial(play, policy))
            print(
                f"| {name} | {measured.turns:,} | {measured.turns / measured.seconds:,.0f} "
                f"| {measured.turns / measured.cpu_seconds:,.0f} "
                f"| {alone.turns / alone.cpu_seconds:,.0f} |",
                flush=True,
            )
        server.kill()


def measure_memory(number: int) -> None:
    """Print the memory of many episodes of mixed environments at once, each in a thread."""
    names = [bundled.name for bundled in BUNDLED if bundled.extra is None]
    share = -(-number // len(names))
    episodes = [episode for name in names for episode in episodes_of(name, share, 10)][:number]
    measured = measure(lambda: run(episodes, Hosted(), style=STYLE, max_concurrent=number))
    print("| episodes at once | environments | turns | turns/s | memory, MB |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    speed = measured.turns / measured.seconds
    print(f"| {number} | {len(names)} | {measured.turns:,} | {speed:,.0f} | {memory_mb():,.0f} |")


def memory_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def episodes_of(name: str, number: int, max_turns: int) -> list[Episode]:
    """Return episodes of *number* tasks of the easy tier."""
    env_id = f"rftgen/{name}-easy-v0"
    tasks = sample_task_ids(env_id, "train", number, stream("concurrent", name))
    return [Episode(env_id, task, options={"max_turns": max_turns}) for task in tasks]


def measure(play: Callable[[], list[Trajectory]]) -> Measured:
    """Play, and return what was played with the time that it took."""
    start, cpu = time.perf_counter(), time.process_time()
    played = play()
    return Measured(played, time.perf_counter() - start, time.process_time() - cpu)


class Immediate(asyncio.Protocol):
    """Answers every request with the same completion, without reading more than its length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._received += data
        while True:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._transport.write(RESPONSE)  # type: ignore[attr-defined]


async def serve() -> None:
    """Print the port and serve."""
    server = await asyncio.get_running_loop().create_server(Immediate, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()

"""How many requests a second HTTP clients make from many threads, to choose one for `ChatPolicy`.

    python benchmarks/http_clients.py

Prints a Markdown table: each client posts the prompt of a fifth turn from 64 threads, over open
connections, to the server of `concurrency.py`, which answers at once. Read it by the processor time
of this process. A client that is not installed is left out.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from agentgym_gen.agents.chat_connection import ServerConnection

THREADS, REQUESTS = 64, 100
MESSAGES = [{"role": "user", "content": "x" * 2000}] * 5
BODY = json.dumps({"model": "fake", "messages": MESSAGES}).encode()
HEADERS = {"Content-Type": "application/json"}

Post = Callable[[], object]


def main() -> None:
    """Print the table."""
    command = [sys.executable, str(Path(__file__).with_name("concurrency.py")), "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline() if server.stdout else ""
        url = f"http://127.0.0.1:{int(port)}/v1/chat/completions"
        print("| client | requests/s | requests/s (CPU) |\n| --- | ---: | ---: |")
        for name, connect in CLIENTS.items():
            try:
                client = connect(url)
            except ImportError:
                continue
            print(f"| {name} {version(name)} | {measure(client)} |", flush=True)
        server.kill()


def measure(client: Callable[[], Post]) -> str:
    """Return the requests a second, and those a second of processor time, of all threads."""

    def work() -> None:
        post = client()
        for _ in range(REQUESTS):
            post()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    start, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number = THREADS * REQUESTS
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return f"{number / seconds:,.0f} | {number / cpu_seconds:,.0f}"


def httpx_of(package: str) -> Callable[[str], Callable[[], Post]]:
    """Return how httpx or its successor connects: one client for each thread."""

    def connect(url: str) -> Callable[[], Post]:
        httpx = importlib.import_module(package)
        context = httpx.create_ssl_context()

        def client() -> Post:
            session = httpx.Client(verify=context, headers=HEADERS)
            return lambda: session.post(url, content=BODY).content

        return client

    return connect


def urllib3_of(url: str) -> Callable[[], Post]:
    """Return how urllib3 connects: one pool for each thread."""
    urllib3 = importlib.import_module("urllib3")

    def client() -> Post:
        pool = urllib3.connection_from_url(url, maxsize=1, retries=False)
        return lambda: pool.request("POST", url, body=BODY, headers=HEADERS).data

    return client


def aiohttp_of(url: str) -> Callable[[], Post]:
    """Return how `ChatPolicy` connects: all threads share one event loop."""
    server = ServerConnection(url, HEADERS, timeout=60.0, connections=THREADS)
    return lambda: lambda: server.request("POST", url, BODY).body


CLIENTS: dict[str, Callable[[str], Callable[[], Post]]] = {
    "httpx": httpx_of("httpx"),
    "httpx2": httpx_of("httpx2"),
    "urllib3": urllib3_of,
    "aiohttp": aiohttp_of,
}


if __name__ == "__main__":
    main()

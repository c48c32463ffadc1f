"""The server and the application, played through OpenEnv's own client.

Run by tools/test_integrations, in an environment that has openenv.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from openenv import GenericEnvClient

from agentgym_gen import Episode, ExpertPolicy, Trajectory, run, sample_task_ids, stream
from agentgym_gen.agents import PromptStyle
from agentgym_gen.agents.completions.calls import read_call
from agentgym_gen.errors import BackendError
from agentgym_gen.integrations.openenv import connect

ENV_IDS = [
    f"rftgen/{name}-easy-v0"
    for name in ("ALFWorld", "WebShop", "SearchQA", "TextCraft", "Sokoban", "BabyAI")
]
SESSIONS = 64
TOKEN = "a token of this test"


class Served(NamedTuple):
    """A server in a process of its own."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def serve(*arguments: str, token: str = "") -> Iterator[Served]:
    """Run ``agentgym-gen serve`` on a free port."""
    command = [sys.executable, "-m", "agentgym_gen", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "AGENTGYM_GEN_TOKEN": token}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Served(next(w for w in line.split() if w.startswith("http")), process)
        finally:
            process.kill()


@contextmanager
def serve_by_openenv() -> Iterator[Served]:
    """Run OpenEnv's own server with our application, on a free port."""
    program = (
        "import socket, uvicorn\n"
        "from agentgym_gen.integrations.openenv import create_app\n"
        "config = uvicorn.Config(create_app(), log_level='error')\n"
        "listening = socket.create_server(('127.0.0.1', 0), backlog=256)\n"
        "print(f'http://127.0.0.1:{listening.getsockname()[1]}', flush=True)\n"
        "uvicorn.Server(config).run(sockets=[listening])\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(process.stdout.readline().strip(), process)
        finally:
            process.kill()


def local_episodes() -> list[Trajectory]:
    """Play `SESSIONS` episodes of all environments and two interfaces, in this process."""
    episodes = []
    for number in range(SESSIONS):
        env_id = ENV_IDS[number % len(ENV_IDS)]
        interface = "native" if number % 4 < 2 else "renamed+json"
        task_id = sample_task_ids(env_id, "test", 1, stream("openenv test", number))[0]
        episodes.append(Episode(env_id, task_id, options={"interface": interface}))
    return run(episodes, ExpertPolicy(), style=PromptStyle("action", instruction=False))


async def replay(url: str, played: Trajectory, both: asyncio.Barrier) -> None:
    """Play the actions of *played* at *url*, and compare every text, reward and end."""
    async with connect(url) as client:
        await both.wait()  # all sessions are open at once
        result = await client.reset(
            env_id=played.env_id,
            task_id=played.task_id,
            interface=played.interface,
            instruction=False,
            include=["success"],
        )
        texts = [turn.observation for turn in played.turns] + [played.last_observation]
        assert result.observation["text"] == texts[0]
        total = 0.0
        for turn, text in zip(played.turns, texts[1:], strict=True):
            assert not result.done
            result = await client.step(turn.action)
            total += result.reward
            assert result.observation["text"] == text
        state = await client.state()

    assert result.done
    assert result.observation["success"] is played.success is state["success"]
    assert total == float(played.success)
    assert state["score"] == played.score


def test_the_script_of_the_documentation_runs(tmp_path: Path) -> None:
    """The first script of docs/serve.md plays an episode to its end."""
    page = (Path(__file__).parents[3] / "docs" / "serve.md").read_text(encoding="utf-8")
    script = page.split('```python title="play.py"\n')[1].split("```")[0]
    (tmp_path / "play.py").write_text(script, encoding="utf-8")
    with serve() as served:
        command = [sys.executable, "-W", "error", "play.py", served.url]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
        )

    assert done.returncode == 0, done.stderr
    assert "Goal: craft" in done.stdout
    assert done.stdout.endswith("reward 0.0 score 0.0\n")


@pytest.mark.parametrize("server", [serve, serve_by_openenv])
def test_64_sessions_at_once_equal_local_play(server: object) -> None:
    """Texts, rewards and ends are those of a rollout in one process, whichever server it is."""
    trajectories = local_episodes()

    async def play(url: str) -> None:
        barrier = asyncio.Barrier(len(trajectories))
        await asyncio.gather(*(replay(url, each, barrier) for each in trajectories))

    with server() as served:  # type: ignore[operator]
        asyncio.run(play(served.url))


class Losses:
    """What 64 clients have gone through."""

    def __init__(self) -> None:
        self.playing = 0
        self.errors: list[str] = []
        self.restarted = asyncio.Event()


async def lose(client: GenericEnvClient, losses: Losses) -> str:
    """Play until the connection is lost, note the error, and return a text of the successor."""
    await client.reset(env_id=ENV_IDS[3])
    losses.playing += 1
    try:
        while True:
            result = await client.step("inventory")
            if result.done:
                await client.reset(env_id=ENV_IDS[3])
    except BackendError as error:
        losses.errors.append(str(error))
    await losses.restarted.wait()
    result = await client.reset(env_id=ENV_IDS[3], seed=1)
    await client.close()
    return str(result.observation["text"])


async def kill_and_restart(served: Served) -> tuple[list[str], set[str]]:
    """Kill the server while all play, start another there, and return errors and first texts."""
    losses = Losses()
    tasks = [asyncio.create_task(lose(connect(served.url), losses)) for _ in range(SESSIONS)]

    async def until(count: Callable[[], int]) -> None:
        while count() < SESSIONS:
            await asyncio.sleep(0.05)
            for task in tasks:
                if task.done():
                    task.result()

    await until(lambda: losses.playing)
    assert losses.errors == []
    os.kill(served.process.pid, signal.SIGKILL)
    await until(lambda: len(losses.errors))
    with serve("--port", served.url.rpartition(":")[2]):
        losses.restarted.set()
        return losses.errors, set(await asyncio.gather(*tasks))


def test_a_killed_server_is_one_error_for_each_client_which_can_go_on() -> None:
    """64 clients play while it is killed; each has one error and plays on at its successor."""
    with serve() as served:
        errors, texts = asyncio.run(kill_and_restart(served))

    assert len(errors) == SESSIONS
    assert all("is lost, and its episode with it; call reset()" in error for error in errors)
    assert len(texts) == 1


def test_a_stopped_server_says_so() -> None:
    """After SIGTERM a client gets the sentence of the server, and the exit code is that of it."""

    async def play(served: Served) -> str:
        async with connect(served.url) as client:
            await client.reset(env_id=ENV_IDS[3], seed=1)
            served.process.terminate()
            await asyncio.to_thread(served.process.wait, 60)
            with pytest.raises((RuntimeError, BackendError)) as caught:
                await client.step("inventory")
            return str(caught.value)

    with serve() as served:
        sentence = asyncio.run(play(served))
        code = served.process.wait(30)

    assert "lost" in sentence or "The server stops" in sentence
    assert code == 128 + signal.SIGTERM


def test_a_token_is_needed_where_one_is_set() -> None:
    """Without it, or with a wrong one, there is no connection; with it there is."""

    async def first_text(url: str, token: str | None) -> str:
        async with connect(url, token) as client:
            return str((await client.reset(env_id=ENV_IDS[3], seed=1)).observation["text"])

    with serve(token=TOKEN) as served:
        for wrong in (None, TOKEN + "x"):
            with pytest.raises(ConnectionError, match="401"):
                asyncio.run(first_text(served.url, wrong))
        assert asyncio.run(first_text(served.url, TOKEN))
        assert urllib.request.urlopen(served.url + "/health").status == 200


def test_size_and_rate_are_bounded() -> None:
    """A message that is too long and too many messages get a sentence each; play goes on."""

    async def flood(client: GenericEnvClient) -> None:
        for _ in range(100):
            await client.state()

    async def play(url: str) -> list[str]:
        sentences = []
        async with connect(url) as client:
            await client.reset(env_id=ENV_IDS[3], seed=1)
            with pytest.raises(RuntimeError) as too_long:
                await client.step("x" * 70_000)
            sentences.append(str(too_long.value))
            with pytest.raises(RuntimeError) as too_many:
                await flood(client)
            sentences.append(str(too_many.value))
            await asyncio.sleep(0.5)
            await client.state()
        return sentences

    with serve("--rate", "20") as served:
        sentences = asyncio.run(play(served.url))

    assert "A message has at most 65,536 bytes" in sentences[0]
    assert "more than 20 messages a second" in sentences[1]


def test_an_observation_has_only_its_text_unless_more_is_named() -> None:
    """What a model must not see is there if the reset names it, and otherwise not."""

    async def keys(**fields: object) -> list[set[str]]:
        async with connect(served.url) as client:
            results = [await client.reset(env_id=ENV_IDS[3], seed=1, **fields)]
            results.append(await client.step("inventory"))
        return [set(result.observation) for result in results]

    named = ["admissible_actions", "score"]
    with serve() as served:
        assert asyncio.run(keys()) == [{"text"}, {"text"}]
        assert asyncio.run(keys(include=named)) == [{"text", *named}] * 2


def test_mcp_clients_play() -> None:
    """The client of the mcp package lists the tools and wins an episode with them."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    env_id = ENV_IDS[3]
    task_id = sample_task_ids(env_id, "test", 1, stream("openenv test", "mcp"))[0]
    trajectory = run([Episode(env_id, task_id)], ExpertPolicy(), style=PromptStyle("action"))[0]

    async def play(url: str) -> list[str]:
        address = f"{url}/mcp?env_id={env_id}&task_id={task_id}"
        async with (
            streamable_http_client(address) as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            assert [tool.name for tool in tools.tools] == ["start", "act"]
            texts = [(await session.call_tool("start", {})).content[0].text]
            for turn in trajectory.turns:
                result = await session.call_tool("act", {"action": turn.action})
                texts.append(result.content[0].text)
        return texts

    with serve() as served:
        texts = asyncio.run(play(served.url))

    assert texts[0].endswith(trajectory.turns[0].observation)
    assert texts[-1] == f"{trajectory.last_observation}\n\nThe episode is over."


def test_mcp_clients_play_with_a_tool_for_each_verb() -> None:
    """The client is told that the tools have changed, lists them, and wins by calls alone."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    env_id = ENV_IDS[3]
    task_id = sample_task_ids(env_id, "test", 1, stream("openenv test", "mcp"))[0]
    style = PromptStyle("functions")
    trajectory = run([Episode(env_id, task_id)], ExpertPolicy(), style=style)[0]
    calls = [read_call(turn.completion.text) for turn in trajectory.turns]
    notifications: list[str] = []

    async def note(message: object) -> None:
        root = getattr(message, "root", None)
        notifications.append(getattr(root, "method", type(message).__name__))

    async def play(url: str) -> list[str]:
        address = f"{url}/mcp?env_id={env_id}&task_id={task_id}"
        async with (
            streamable_http_client(address) as (reading, writing, _),
            ClientSession(reading, writing, message_handler=note) as session,
        ):
            initialized = await session.initialize()
            assert initialized.capabilities.tools.listChanged
            await session.call_tool("start", {})
            first, *verbs, last = (await session.list_tools()).tools
            assert (first.name, last.name) == ("start", "act")
            assert {call.call.name for call in calls} <= {tool.name for tool in verbs}
            texts = []
            for call in calls:
                result = await session.call_tool(call.call.name, dict(call.call.arguments))
                texts.append(result.content[0].text)
        return texts

    with serve() as served:
        texts = asyncio.run(play(served.url))

    assert notifications == ["notifications/tools/list_changed"]
    assert texts[-1] == f"{trajectory.last_observation}\n\nThe episode is over."

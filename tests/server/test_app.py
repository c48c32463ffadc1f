"""The web application: what HTTP, WebSocket and MCP clients get, and what stops them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from systems import needs

from agentgym_gen.cli.main import main
from agentgym_gen.env.making import make_text_env
from agentgym_gen.envs.textcraft import TextCraft
from agentgym_gen.errors import MissingExtraError
from agentgym_gen.export.parquet import ParquetRows
from agentgym_gen.integrations import openenv
from agentgym_gen.server import Limits, ServedEpisode, threads
from agentgym_gen.server.access import TOKEN_VARIABLE, Access
from agentgym_gen.server.run import run_server

pytest.importorskip("aiohttp")

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from agentgym_gen.server.app import EpisodeServer

ENV_IDS = ["rftgen/TextCraft-easy-v0", "rftgen/Sokoban-easy-v0"]
TOKEN = "0123456789abcdef"
TASK = {"task_id": "textcraft/easy/train/3"}

Work = Callable[[TestClient[Any, Any]], Awaitable[None]]


def play(work: Work, limits: Limits | None = None, token: str = "") -> None:
    """Run *work* with a client of a server in this process."""

    async def inside() -> None:
        server = EpisodeServer(ENV_IDS, limits or Limits(), Access("127.0.0.1", token))
        async with TestClient(TestServer(server.application())) as client:
            await work(client)

    asyncio.run(inside())


async def post(client: TestClient[Any, Any], path: str, **body: object) -> tuple[int, Any]:
    """Return the status and the JSON of the answer."""
    response = await client.post(path, json=body)
    return response.status, await response.json()


async def ask(socket: ClientWebSocketResponse, kind: object, **data: object) -> Any:  # noqa: ANN401
    """Send one message and return the answer."""
    await socket.send_json({"type": kind, "data": data})
    return await socket.receive_json()


def test_an_episode_over_http_is_that_of_the_session() -> None:
    """Reset, step, state and close, each with the id of the session."""

    async def work(client: TestClient[Any, Any]) -> None:
        local = ServedEpisode(ENV_IDS)
        status, data = await post(client, "/reset", **TASK)
        session = data.pop("session_id")
        assert (status, data) == (200, local.reset(TASK))
        status, data = await post(client, "/step", session_id=session, action={"text": "inventory"})
        assert (status, data) == (200, local.step("inventory"))
        state = await client.get("/state", params={"session_id": session})
        assert await state.json() == local.state
        assert (await (await client.get("/health")).json())["sessions"] == 1
        assert (await post(client, "/reset", session_id=session))[1]["session_id"] == session
        assert await post(client, "/close", session_id=session) == (200, {"closed": True})
        assert (await post(client, "/step", session_id=session, action={"text": "x"}))[0] == 404
        assert (await (await client.get("/health")).json())["sessions"] == 0

    play(work)


def test_an_episode_over_websocket_is_that_of_the_session() -> None:
    """The messages are those of OpenEnv's protocol, and closing ends the session."""

    async def work(client: TestClient[Any, Any]) -> None:
        local = ServedEpisode(ENV_IDS)
        async with client.ws_connect("/ws") as socket:
            assert await ask(socket, "reset", **TASK) == {
                "type": "observation",
                "data": local.reset(TASK),
            }
            answer = await ask(socket, "step", text="inventory")
            assert answer == {"type": "observation", "data": local.step("inventory")}
            assert await ask(socket, "state") == {"type": "state", "data": local.state}
            await socket.send_json({"type": "close"})
            assert (await socket.receive()).type is WSMsgType.CLOSE
        await asyncio.sleep(0.05)
        assert (await (await client.get("/health")).json())["sessions"] == 0

    play(work)


def test_every_bad_message_is_one_sentence_and_the_connection_stays() -> None:
    """After each of them the episode goes on."""
    messages = [
        ("{", "INVALID_JSON", "This is not JSON"),
        ("7", "INVALID_JSON", "A JSON object is needed, not a number"),
        ('{"type": "dance"}', "UNKNOWN_TYPE", "not 'dance'"),
        ('{"type": "step", "data": 5}', "VALIDATION_ERROR", "'data' of a message is an object"),
        ('{"type": "step", "data": {"text": 5}}', "VALIDATION_ERROR", "is a text; not a number"),
        ('{"type": "reset", "data": {"seed": -1}}', "VALIDATION_ERROR", "`seed` is a whole"),
        (json.dumps({"type": "step", "data": {"text": "x" * 70_000}}), "TOO_LARGE", "65,536"),
        ('{"type": "step", "data": {"text": "' + "\u6f22" * 30_000 + '"}}', "TOO_LARGE", "65,536"),
    ]

    async def work(client: TestClient[Any, Any]) -> None:
        async with client.ws_connect("/ws") as socket:
            assert "send a reset first" in (await ask(socket, "step", text="x"))["data"]["message"]
            await ask(socket, "reset")
            for message, code, sentence in messages:
                for send in (socket.send_str, lambda text: socket.send_bytes(text.encode())):
                    await send(message)
                    answer = await socket.receive_json()
                    assert (answer["type"], answer["data"]["code"]) == ("error", code)
                    assert sentence in answer["data"]["message"]
            assert (await ask(socket, "step", text="inventory"))["type"] == "observation"

    play(work)


def test_a_body_that_cannot_be_unpacked_is_one_sentence() -> None:
    """It is the client's mistake, and no traceback."""

    async def work(client: TestClient[Any, Any]) -> None:
        headers = {"Content-Encoding": "gzip"}
        response = await client.post("/reset", data=b"zzz", headers=headers)
        error = (await response.json())["error"]

        assert response.status == 400
        assert error["message"].startswith("Malformed request: its content cannot be read")

    play(work)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("GET", "/nothing", b"", 404, "There is nothing at '/nothing'"),
        ("GET", "/reset", b"", 405, "'/reset' answers to POST"),
        ("GET", "/mcp", b"", 405, "'/mcp' answers to DELETE, POST"),
        ("POST", "/reset", b"{", 400, "This is not JSON"),
        ("POST", "/reset", b'{"env_id": "rftgen/Chess-v0"}', 400, "Unknown `env_id`"),
        ("POST", "/reset", b"x" * 70_000, 413, "A message has at most 65,536 bytes"),
        ("POST", "/reset", b'{"session_id": "me"}', 404, "There is no session 'me'"),
        ("POST", "/step", b'{"action": {"text": "x"}}', 404, "There is no session None"),
        ("GET", "/state", b"", 404, "There is no session None"),
        ("POST", "/mcp", b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', 404, "no session None"),
    ],
)
def test_every_bad_request_is_one_sentence(
    method: str, path: str, body: bytes, status: int, sentence: str
) -> None:
    """The status says whose mistake it is, and no session is left."""

    async def work(client: TestClient[Any, Any]) -> None:
        response = await client.request(method, path, data=body)
        error = (await response.json())["error"]
        assert response.status == status
        assert sentence in error["message"]
        assert (await (await client.get("/health")).json())["sessions"] == 0

    play(work)


def test_sessions_are_bounded_and_idle_ones_are_closed() -> None:
    """A client beyond the bound is told; when the others are idle for too long it may play."""

    async def work(client: TestClient[Any, Any]) -> None:
        async with client.ws_connect("/ws") as first, client.ws_connect("/ws") as second:
            error = await second.receive_json()
            assert error["data"]["code"] == "CAPACITY_REACHED"
            assert (await second.receive()).type is WSMsgType.CLOSE
            assert (await post(client, "/reset"))[0] == 503
            await ask(first, "reset")
            error = await first.receive_json()  # after the idle time
            assert "No message came for 0.3 s; connect again" in error["data"]["message"]
        status, data = await post(client, "/reset")
        assert status == 200
        for _ in range(100):
            if (await (await client.get("/health")).json())["sessions"] == 0:
                break
            await asyncio.sleep(0.05)
        answer = await post(client, "/step", session_id=data["session_id"], action={"text": "x"})
        assert answer[0] == 404

    play(work, Limits(max_sessions=1, idle_seconds=0.3))


def test_rates_of_sessions_and_addresses_are_bounded() -> None:
    """The answer says how long to wait, and HTTP has the header for it."""

    async def work(client: TestClient[Any, Any]) -> None:
        async with client.ws_connect("/ws") as socket:
            kinds = [(await ask(socket, "state"))["type"] for _ in range(12)]
            assert kinds == ["state"] * 10 + ["error"] * 2
        responses = [await client.get("/health") for _ in range(12)]
        assert [response.status for response in responses[:8]] == [200] * 8
        assert responses[-1].status == 429
        assert responses[-1].headers["Retry-After"] == "1"

    play(work, Limits(rate=10))


def test_a_token_is_asked_for_in_every_protocol() -> None:
    """Without it nothing is played; with it everything."""
    header = {"Authorization": f"Bearer {TOKEN}"}

    async def work(client: TestClient[Any, Any]) -> None:
        assert (await post(client, "/reset"))[0] == 401
        for path in ("/ws", "/environments", "/schema"):
            assert (await client.get(path)).status == 401
            assert (await client.post("/mcp", json={})).status == 401
        for path in ("/", "/page.js", "/page.css", "/health"):
            assert (await client.get(path)).status == 200
        assert (await client.post("/reset", json={}, headers=header)).status == 200
        async with client.ws_connect("/ws", headers=header) as socket:
            assert (await ask(socket, "reset"))["type"] == "observation"

    play(work, token=TOKEN)


def test_the_page_is_whole_and_loads_nothing_from_elsewhere() -> None:
    """What it links is served, and the server forbids the rest."""

    async def work(client: TestClient[Any, Any]) -> None:
        response = await client.get("/")
        text = await response.text()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        for path in re.findall(r'(?:src|href)="(/[^"]*)"', text):
            assert (await client.get(path)).status == 200
        script = await (await client.get("/page.js")).text()
        assert "innerHTML" not in script
        assert not re.search(r"https?://", text + script)
        assert set(re.findall(r'by\("([\w-]+)"\)', script)) <= set(
            re.findall(r'id="([\w-]+)"', text)
        )

    play(work)


def test_an_action_is_translated_into_the_words_of_another_session() -> None:
    """Two interfaces of one task stay at the same state, whoever of the two acts."""

    async def work(client: TestClient[Any, Any]) -> None:
        sessions = []
        for interface in ("native", "synonyms+json", "menu"):
            _, data = await post(client, "/reset", **TASK, interface=interface)
            sessions.append(data["session_id"])
        native, other, menu = sessions

        async def translate(start: str, end: str, text: str) -> Any:  # noqa: ANN401
            body = {"session_id": start, "to": end, "action": {"text": text}}
            return await post(client, "/translate", **body)

        status, there = await translate(native, other, "inventory")
        assert status == 200
        assert json.loads(there["text"])["action"] not in ("", "inventory")
        assert (await translate(other, native, there["text"]))[1] == {"text": "inventory"}
        assert (await translate(native, menu, "inventory"))[1]["text"].isdigit()
        # Understood, and not possible now: a menu has no number for it.
        assert (await translate(native, menu, "craft 1 x using 1 y"))[1] == {"text": None}
        assert (await translate(native, other, "fly"))[1]["text"] is None

    play(work)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 404),
        ({"session_id": "mine"}, 404),
        ({"session_id": "mine", "to": "nobody", "action": {"text": "x"}}, 404),
        ({"session_id": "mine", "to": "mine", "action": 3}, 400),
        ({"session_id": "mine", "to": "mine", "action": {"texts": "x"}}, 400),
    ],
)
def test_a_bad_translation_is_one_sentence(body: dict[str, Any], status: int) -> None:
    """Neither a session that is not there nor what is no action is a fault of the server."""

    async def work(client: TestClient[Any, Any]) -> None:
        _, data = await post(client, "/reset", **TASK)
        own = {key: data["session_id"] if value == "mine" else value for key, value in body.items()}
        answer = await post(client, "/translate", **own)
        assert (answer[0], set(answer[1])) == (status, {"error"})

    play(work)


def test_a_fault_of_a_world_ends_one_episode_and_not_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client is told, the log has the traceback, and others play on."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    async def work(client: TestClient[Any, Any]) -> None:
        async with client.ws_connect("/ws") as socket:
            await ask(socket, "reset")
            with monkeypatch.context() as patch:
                patch.setattr(ServedEpisode, "step", fail)
                answer = await ask(socket, "step", text="inventory")
            assert "The server failed at this request" in answer["data"]["message"]
            assert "a fault" not in answer["data"]["message"]
            assert (await ask(socket, "reset"))["type"] == "observation"

    with caplog.at_level(logging.ERROR):
        play(work)

    assert "ZeroDivisionError" in caplog.text


def test_messages_of_one_session_are_answered_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten steps at once over HTTP are ten turns, and no two threads play the episode."""
    monkeypatch.setattr(TextCraft, "steps_in_process", False)
    inside: list[int] = []
    most: list[int] = []
    real_step = ServedEpisode.step

    def slow_step(episode: ServedEpisode, text: str) -> dict[str, Any]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        return real_step(episode, text)

    async def work(client: TestClient[Any, Any]) -> None:
        _, data = await post(client, "/reset", include=["turn"], **TASK)
        session = data["session_id"]
        answers = await asyncio.gather(
            *(post(client, "/step", session_id=session, action={"text": "x"}) for _ in range(10))
        )
        turns = [answer["observation"]["turn"] for _, answer in answers]
        assert sorted(turns) == list(range(1, 11))

    monkeypatch.setattr(ServedEpisode, "step", slow_step)
    play(work)

    assert max(most) == 1


def test_a_step_has_a_thread_where_it_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that only computes is taken at once, until one was slow; a reset begins anew."""
    names: list[str] = []
    real_step = ServedEpisode.step

    def named_step(episode: ServedEpisode, text: str) -> dict[str, Any]:
        names.append(threading.current_thread().name.partition("_")[0])
        return real_step(episode, text)

    async def play_two(client: TestClient[Any, Any]) -> None:
        _, data = await post(client, "/reset", **TASK)
        for _ in range(2):
            await post(client, "/step", session_id=data["session_id"], action={"text": "inventory"})

    async def work(client: TestClient[Any, Any]) -> None:
        await play_two(client)
        monkeypatch.setattr(threads, "SLOW_SECONDS", -1.0)
        await play_two(client)
        monkeypatch.setattr(TextCraft, "steps_in_process", False)
        await play_two(client)

    monkeypatch.setattr(ServedEpisode, "step", named_step)
    play(work)

    assert names == ["MainThread", "MainThread", "MainThread", "step", "step", "step"]


def test_a_step_that_a_busy_machine_interrupts_is_not_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next one has no thread either: what counts is for how long a step computes."""
    names: list[str] = []
    real_step = ServedEpisode.step

    def interrupted_step(episode: ServedEpisode, text: str) -> dict[str, Any]:
        names.append(threading.current_thread().name)
        time.sleep(3 * threads.SLOW_SECONDS)
        return real_step(episode, text)

    async def work(client: TestClient[Any, Any]) -> None:
        _, data = await post(client, "/reset", **TASK)
        for _ in range(2):
            await post(client, "/step", session_id=data["session_id"], action={"text": "inventory"})

    monkeypatch.setattr(ServedEpisode, "step", interrupted_step)
    play(work)

    assert names == ["MainThread", "MainThread"]


@pytest.mark.parametrize(
    ("env_id", "options", "alone"),
    [
        *((f"rftgen/{name}-easy-v0", {}, True) for name in ("ALFWorld", "SearchQA", "BabyAI")),
        ("rftgen/SearchQA-easy-v0", {"retriever": "http://127.0.0.1:9/retrieve"}, False),
        ("rftgen/TextWorld-easy-v0", {}, False),
    ],
)
def test_worlds_say_whether_a_step_may_wait(
    env_id: str, options: dict[str, Any], alone: bool
) -> None:
    """An engine and a retriever elsewhere are waited for."""
    if "TextWorld" in env_id:
        pytest.importorskip("textworld")

    assert make_text_env(env_id, "train", options).world.steps_in_process is alone


async def rpc(client: TestClient[Any, Any], session: str, method: str, **params: object) -> Any:  # noqa: ANN401
    """Send a message of MCP and return the response."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Mcp-Session-Id": session} if session else {}
    return await client.post(f"/mcp?{session or QUERY}", json=message, headers=headers)


async def call_tool(
    client: TestClient[Any, Any], session: str, name: str, **arguments: object
) -> str:
    """Return the text that a tool of MCP answers, after ERROR if it is a mistake."""
    response = await rpc(client, session, "tools/call", name=name, arguments=arguments)
    result = (await response.json())["result"]
    return ("ERROR " if result.get("isError") else "") + str(result["content"][0]["text"])


async def tool_names(client: TestClient[Any, Any], session: str) -> list[str]:
    """Return the names of the tools that MCP lists now."""
    response = await rpc(client, session, "tools/list")
    return [tool["name"] for tool in (await response.json())["result"]["tools"]]


QUERY = "env_id=rftgen/TextCraft-easy-v0&task_id=textcraft/easy/train/3&max_turns=2"


def test_an_mcp_client_plays_by_texts() -> None:
    """What the address has chosen is played with `act` alone, and the end is said."""

    async def work(client: TestClient[Any, Any]) -> None:
        response = await rpc(client, "", "initialize", protocolVersion="2025-06-18")
        session = response.headers["Mcp-Session-Id"]
        assert (await response.json())["result"]["capabilities"] == {"tools": {"listChanged": True}}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        headers = {"Mcp-Session-Id": session}
        assert (await client.post("/mcp", json=note, headers=headers)).status == 202
        assert await tool_names(client, session) == ["start", "act"]
        assert await call_tool(client, session, "act", action="x") == (
            "ERROR No episode is being played; call `start` first"
        )
        local = ServedEpisode(ENV_IDS)
        first = local.reset({**TASK, "max_turns": 2})["observation"]["text"]
        assert await call_tool(client, session, "start") == first
        assert await call_tool(client, session, "start", env_id="x") == (
            "ERROR `start` has no argument 'env_id' here"
        )
        text = local.step("inventory")["observation"]["text"]
        assert await call_tool(client, session, "act", action="inventory") == text
        assert (await call_tool(client, session, "act", act="x")).startswith("ERROR `act` has one")
        assert (await call_tool(client, session, "act", action="x")).endswith(
            "The episode is over."
        )
        failure = await (await rpc(client, session, "dance")).json()
        assert failure["error"]["code"] == -32601
        assert (await client.delete("/mcp", headers=headers)).status == 204
        assert (await rpc(client, session, "ping")).status == 404

    play(work)


def test_each_verb_of_an_episode_is_a_tool_of_mcp() -> None:
    """After `start` the client is told to list the tools, and a call is played as its text is."""
    answers: list[Any] = []

    async def work(client: TestClient[Any, Any]) -> None:
        response = await rpc(client, "", "initialize")
        headers = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
        session = headers["Mcp-Session-Id"]
        assert await tool_names(client, session) == ["start", "act"]
        start = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "start"}}
        for _ in range(2):
            accept = {"Accept": "application/json, text/event-stream"}
            response = await client.post("/mcp", json=start, headers=headers | accept)
            answers.append((response.content_type, await response.text()))
        assert await tool_names(client, session) == ["start", "craft", "get", "inventory", "act"]
        local = ServedEpisode(ENV_IDS)
        local.reset({**TASK, "max_turns": 2})
        assert await call_tool(client, session, "get", nothing="x") == (
            "ERROR This is no action, and no turn was taken: get takes exactly the arguments "
            "['item']"
        )
        assert (await call_tool(client, session, "get", item=7)).endswith(
            "is no text of at least one character"
        )
        text = local.step("get oak planks")["observation"]["text"]
        assert await call_tool(client, session, "get", item="oak planks") == text
        assert (await call_tool(client, session, "inventory")).endswith("The episode is over.")
        assert (await call_tool(client, session, "inventory")).startswith(
            "ERROR No episode is being"
        )

    play(work)

    (kind, text), (later_kind, later_text) = answers
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert (kind, later_kind) == ("text/event-stream", "application/json")
    assert events[0] == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    assert events[1] == json.loads(later_text)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("interface=menu", ["choose"]),
        ("interface=symbols", 3),
        ("format=functions", ["craft", "get", "inventory"]),
        ("format=react", []),
    ],
)
def test_the_tools_of_mcp_are_those_of_the_interface(query: str, names: list[str] | int) -> None:
    """The menu has one, symbols have their own names, and formats of text have none."""

    async def work(client: TestClient[Any, Any]) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
        address = f"/mcp?env_id=rftgen/TextCraft-easy-v0&seed=3&{query}"
        session = (await client.post(address, json=message)).headers["Mcp-Session-Id"]
        await rpc(client, session, "tools/call", name="start")
        first, *verbs, last = await tool_names(client, session)
        assert (first, last) == ("start", "act")
        assert len(verbs) == names if isinstance(names, int) else verbs == names
        if names == ["craft", "get", "inventory"]:
            assert "Inventory" in await call_tool(client, session, "inventory")

    play(work)


def test_a_wrong_address_of_mcp_is_one_sentence_and_no_session() -> None:
    """It is answered at `initialize`."""

    async def work(client: TestClient[Any, Any]) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
        for query, sentence in (("env_id=chess", "Unknown `env_id`"), ("x=1", "no parameter 'x'")):
            response = await client.post(f"/mcp?{query}", json=message)
            assert sentence in (await response.json())["error"]["message"]
        assert (await (await client.get("/health")).json())["sessions"] == 0

    play(work)


@needs("POSIX", "SIGTERM")
def test_the_command_serves_until_a_signal_and_tells_its_clients() -> None:
    """It prints where it listens; after SIGTERM clients get a sentence, and one line is the end."""
    command = [sys.executable, "-m", "agentgym_gen", "serve", ENV_IDS[0], "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    url = next(word for word in process.stdout.readline().split() if word.startswith("http"))

    async def work() -> str:
        async with ClientSession() as http, http.ws_connect(f"{url}/ws") as socket:
            await ask(socket, "reset")
            process.send_signal(signal.SIGTERM)
            return str((await socket.receive_json())["data"]["message"])

    sentence = asyncio.run(work())
    _, err = process.communicate(timeout=30)

    assert sentence == "The server stops, and the episode is lost; connect again for a new one"
    assert (process.returncode, err) == (128 + signal.SIGTERM, "agentgym-gen: stopped\n")


def test_a_command_that_cannot_serve_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host without a token, an address in use, an unknown id, too many sessions."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, sentence in (
            (["--host", "0.0.0.0"], "needs a token"),
            ([ENV_IDS[0], "--port", port], f"Cannot listen on 127.0.0.1 port {port}"),
            (["rftgen/Chess-v0"], "Unknown environment id"),
            ([ENV_IDS[0], "--max-sessions", "99999999"], "allow fewer sessions"),
        ):
            assert main(["serve", *arguments]) == 2
            err = capsys.readouterr().err
            assert sentence in err
            assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("package", "call", "extra"),
    [
        ("aiohttp", lambda: run_server(ENV_IDS), "serve"),
        ("openenv", lambda: openenv.connect("http://127.0.0.1:8000"), "openenv"),
        ("openenv", openenv.create_app, "openenv"),
        ("pyarrow", lambda: ParquetRows(io.BytesIO()), "parquet"),
    ],
)
def test_a_missing_extra_is_one_sentence(
    package: str, call: Callable[[], object], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the command that installs it."""
    openenv.openenv_types.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"run: pip install 'agentgym-gen\[{extra}\]'"):
        call()

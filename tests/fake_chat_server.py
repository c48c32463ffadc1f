"""A strict OpenAI-compatible server in a process of its own, which misbehaves on request.

    python tests/fake_chat_server.py

prints its port and serves until its standard input closes. The address says what it does:
``http://127.0.0.1:PORT/NAME:429,cut,ok/v1`` refuses the first request, breaks the connection at the
second, and answers from the third on; the last behaviour is that of all later requests. NAME keeps
the addresses of two tests apart. What it was asked is at ``http://127.0.0.1:PORT/NAME:.../log``.

The answers depend on the messages and the seed only, whatever the order of the requests.
"""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MODEL, KEY = "fake-8b", "sk-not-a-real-key-4711"
FIELDS = {"model", "messages", "temperature", "max_tokens", "seed", "top_p", "tools"}
FIELDS |= {"chat_template_kwargs"}
ACTIONS = ("walk to door 2", "walk to door 3", "walk to door 1", "wait", "open door 2", "fly")
CONTEXT = 6
"""How many messages the model reads where the behaviour is ``context``."""


class Server(ThreadingHTTPServer):
    """Remembers the requests of each address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.inside: dict[str, int] = {}
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client goes away."""


class Handler(BaseHTTPRequestHandler):
    """Checks a request, and does what the address says."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def place(self) -> tuple[str, str]:
        """Return the script in the address, and what follows it; a proxy gets whole addresses."""
        script, _, place = urlsplit(self.path).path.removeprefix("/").partition("/")
        return script, place

    def do_GET(self) -> None:
        script, place = self.place()
        if place == "log":
            self.send(200, self.server.logs.get(script, []))
        elif place == "v1/models" and "nolist" not in script:
            key = f" {self.headers['Authorization']}" if "anykey" in script else ""
            self.send(200, {"object": "list", "data": [{"id": MODEL + key, "object": "model"}]})
        else:
            self.send(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        script, place = self.place()
        name, _, behaviours = script.partition(":")
        with self.server.lock:
            log = self.server.logs.setdefault(script, [])
            number = len(log)
            log.append({"body": json.loads(body), "time": time.monotonic(), "name": name})
        steps = behaviours.split(",")
        behaviour = steps[min(number, len(steps) - 1)]
        if place != "v1/chat/completions":
            self.send(404, {"detail": "Not Found"})
        elif problem := self.problem(log[number]["body"], steps):
            self.send(*problem)
        else:
            getattr(self, f"do_{behaviour}")(log[number]["body"])

    def problem(self, body: dict[str, Any], steps: list[str]) -> tuple[int, object] | None:
        """Return what is wrong with a request, as OpenAI and vLLM say it."""
        messages, keyed = body.get("messages", []), "key" in steps
        asks = {"user", "tool"}
        roles = ["user" if m.get("role") in asks else m.get("role") for m in messages]
        if keyed and self.headers["Authorization"] != f"Bearer {KEY}":
            shown = (self.headers["Authorization"] or "none").removeprefix("Bearer ")
            return 401, {"error": {"message": f"Incorrect API key provided: {shown}."}}
        if not {"key", "anykey"} & set(steps) and self.headers["Authorization"]:
            return 422, {"error": {"message": "a key for a server that wants none"}}
        if body.get("model") != MODEL:
            return 404, {"error": {"message": f"The model `{body.get('model')}` does not exist."}}
        if self.headers["Content-Type"] != "application/json" or set(body) - FIELDS:
            return 422, {"error": {"message": f"Unknown fields: {sorted(set(body) - FIELDS)}"}}
        if roles[::2] != ["user"] * len(roles[::2]) or roles[1::2] != ["assistant"] * (
            len(roles) // 2
        ):
            return 400, {"error": {"message": "Conversation roles must alternate user/assistant"}}
        if problem := call_problem(messages, body.get("tools")):
            return 400, {"error": {"message": problem}}
        return None

    def do_ok(self, body: dict[str, Any]) -> None:
        self.send(200, completion(body))

    do_key = do_anykey = do_ok

    def do_calls(self, body: dict[str, Any]) -> None:
        """Call one of the functions, with the arguments as text."""
        self.send(200, calling(body, json.dumps))

    def do_objects(self, body: dict[str, Any]) -> None:
        """Call one of the functions, with the arguments as an object, as Ollama does."""
        self.send(200, calling(body, dict))

    def do_badcall(self, body: dict[str, Any]) -> None:
        self.send(200, calling(body, lambda _: '{"door": '))

    def do_twocalls(self, body: dict[str, Any]) -> None:
        answer = calling(body, json.dumps)
        answer["choices"][0]["message"]["tool_calls"] *= 2
        self.send(200, answer)

    def do_nofunction(self, body: dict[str, Any]) -> None:
        answer = calling(body, json.dumps)
        answer["choices"][0]["message"]["tool_calls"] = [{"type": "custom"}]
        self.send(200, answer)

    def do_jitter(self, body: dict[str, Any]) -> None:
        """Answer after up to 20 ms, so that answers overtake each other; count who waits."""
        script, _ = self.place()
        with self.server.lock:
            self.server.inside[script] = self.server.inside.get(script, 0) + 1
            self.server.logs[script][-1]["inside"] = self.server.inside[script]
        time.sleep(int(time.monotonic_ns() // 1000 % 20) / 1000)
        with self.server.lock:
            self.server.inside[script] -= 1
        self.send(200, completion(body))

    def do_429(self, _: object) -> None:
        self.send(429, {"error": {"message": "Slow down."}}, {"Retry-After": "1"})

    def do_date(self, _: object) -> None:
        """Ask for a pause until a date; dates have whole seconds, so the pause is 1 to 2 s."""
        date = email.utils.formatdate(int(time.time()) + 2, usegmt=True)
        self.send(503, {"error": {"message": "Loading model"}}, {"Retry-After": date})

    def do_later(self, _: object) -> None:
        self.send(429, {"error": {"message": "Come back tomorrow."}}, {"Retry-After": "86400"})

    def do_quota(self, _: object) -> None:
        error = {"message": "You exceeded your quota.", "code": "insufficient_quota"}
        self.send(429, {"error": error})

    def do_500(self, _: object) -> None:
        self.send(500, "<html>Internal Server Error</html>")

    def do_half(self, body: dict[str, Any]) -> None:
        self.send(200, json.dumps(completion(body))[:60])

    def do_nochoice(self, _: object) -> None:
        self.send(200, {"choices": []})

    def do_parts(self, _: object) -> None:
        self.send(200, {"choices": [{"message": {"content": [{"type": "text"}]}}]})

    def do_cut(self, body: dict[str, Any]) -> None:
        """Announce more than is sent, and break the connection off."""
        self.send_response(200)
        self.send_header("Content-Length", "10000")
        self.end_headers()
        self.wfile.write(json.dumps(completion(body)).encode())
        self.wfile.flush()
        self.hang_up()

    def do_drop(self, _: object) -> None:
        """Break the connection off before a byte is sent."""
        self.hang_up()

    def do_garbage(self, _: object) -> None:
        """Send what is no HTTP."""
        self.wfile.write(b"Good morning!\r\n\r\n")
        self.close_connection = True

    def do_slow(self, body: dict[str, Any]) -> None:
        """Send a byte of the content every 50 ms."""
        text = json.dumps(completion(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.drip(text)

    def do_slowhead(self, _: object) -> None:
        """Send a byte of the headers every 50 ms."""
        self.drip(b"HTTP/1.1 200 OK\r\nX-Nothing: " + b"x" * 1000)

    def do_never(self, _: object) -> None:
        time.sleep(60)

    def do_huge(self, _: object) -> None:
        self.send(200, " " * (17 << 20))

    def do_nousage(self, body: dict[str, Any]) -> None:
        self.send(200, {key: value for key, value in completion(body).items() if key != "usage"})

    def do_oddusage(self, body: dict[str, Any]) -> None:
        usage = {"prompt_tokens": None, "completion_tokens": "7"}
        self.send(200, {**completion(body), "usage": usage})

    def do_length(self, body: dict[str, Any]) -> None:
        answer = completion(body)
        answer["choices"][0]["finish_reason"] = "length"
        self.send(200, answer)

    def do_null(self, body: dict[str, Any]) -> None:
        answer = completion(body)
        answer["choices"][0]["message"]["content"] = None
        self.send(200, answer)

    def do_surrogate(self, body: dict[str, Any]) -> None:
        answer = completion(body)
        answer["choices"][0]["message"]["content"] = "half \ud83d a pair"
        self.send(200, answer)

    def do_context(self, body: dict[str, Any]) -> None:
        """Refuse a prompt of more than `CONTEXT` messages, as vLLM does."""
        if len(body["messages"]) <= CONTEXT:
            self.send(200, completion(body))
            return
        message = "This model's maximum context length is 64 tokens. Please reduce the messages."
        self.send(400, {"error": {"message": message, "type": "BadRequestError", "code": 400}})

    def do_gateway(self, _: object) -> None:
        """Say that the prompt is too long, after much else, as LiteLLM does."""
        message = f"litellm.BadRequestError: {'no deployment left; ' * 40}"
        message += "This model's maximum context length is 64 tokens."
        self.send(400, {"error": {"message": message}})

    def do_400(self, _: object) -> None:
        self.send(400, {"error": {"message": "Unsupported value: 'temperature'."}})

    def do_moved(self, _: object) -> None:
        self.send(307, "", {"Location": "/elsewhere/v1/chat/completions"})

    def drip(self, data: bytes) -> None:
        for number in range(len(data)):
            self.wfile.write(data[number : number + 1])
            self.wfile.flush()
            time.sleep(0.05)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def send(self, status: int, answer: object, headers: dict[str, str] | None = None) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to *body*: an action that its messages and its seed decide."""
    prompt = json.dumps([body["messages"], body.get("seed")]).encode()
    action = ACTIONS[hashlib.sha256(prompt).digest()[0] % len(ACTIONS)]
    message = {"role": "assistant", "content": action}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10 * len(body["messages"]), "completion_tokens": 3}
    return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}


def calling(body: dict[str, Any], write: Callable[[Any], object]) -> dict[str, Any]:
    """Return the answer to *body* as a call of a function that the messages decide."""
    answer = completion(body)
    number = hashlib.sha256(json.dumps(body["messages"]).encode()).digest()[0]
    function = body["tools"][number % len(body["tools"])]["function"]
    arguments = write(dict.fromkeys(function["parameters"]["required"], f"door {number % 3 + 1}"))
    call = {"name": function["name"], "arguments": arguments}
    message = {"content": None, "tool_calls": [{"id": "x", "type": "function", "function": call}]}
    answer["choices"][0] |= {"message": message, "finish_reason": "tool_calls"}
    return answer


def call_problem(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> str:
    """Return what OpenAI would say of the calls in *messages*, or an empty text."""
    for tool in tools or ():
        if tool.get("type") != "function" or set(tool["function"]) - {
            *("name", "description", "parameters")
        }:
            return "Invalid tools"
    open_id = None
    for message in messages:
        if (message["role"] == "tool") != (open_id is not None):
            return "A call must be followed by a message of its tool, and nothing else by one"
        if message["role"] == "tool" and message.get("tool_call_id") != open_id:
            return f"No call has the id {message.get('tool_call_id')!r}"
        calls = message.get("tool_calls", [])
        if not isinstance(message["content"], str) or len(calls) > 1:
            return "Invalid message"
        if calls and not isinstance(json.loads(calls[0]["function"]["arguments"]), dict):
            return "The arguments of a call are a JSON object as text"
        open_id = calls[0]["id"] if calls else None
    return ""


class FakeChatServer:
    """The server's process, as tests see it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.port = int(process.stdout.readline())

    def url(self, name: str, behaviours: str = "ok") -> str:
        """Return the address of a server that behaves so."""
        return f"http://127.0.0.1:{self.port}/{name}:{behaviours}/v1"

    def log(self, url: str) -> list[dict[str, Any]]:
        """Return what was asked at *url*, with the time of each request."""
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/log", timeout=10) as answer:
            entries: list[dict[str, Any]] = json.load(answer)
            return entries

    def pauses(self, url: str) -> list[float]:
        """Return the seconds between the requests at *url*."""
        times = [entry["time"] for entry in self.log(url)]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


@contextlib.contextmanager
def fake_chat_server() -> Iterator[FakeChatServer]:
    """Run the server in a process of its own."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield FakeChatServer(process)
        finally:
            process.kill()


def main() -> None:
    """Serve until the standard input closes."""
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""A chat endpoint on loopback that plays as the expert in tasks that it was prepared for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agentgym_gen import Episode, ExpertPolicy, PromptStyle, run, task_rows

UNKNOWN = "Thought:\nI do not know this task.\n\nAction:\nlook"

ExpertAnswers = dict[str, list[str]]
"""The first observation of a task -> the expert's answers, turn by turn."""


def expert_answers(env_ids: Sequence[str], number: int, split: str = "test") -> ExpertAnswers:
    """Return what the expert answers in the first tasks of `task_rows`."""
    rows = task_rows(env_ids, number, split)
    episodes = [
        Episode(row["env_id"], row["task_id"], options={"interface": row["interface"]})
        for row in rows
    ]
    played = run(episodes, ExpertPolicy(), style=PromptStyle())
    return {
        trajectory.turns[0].observation: [turn.completion.text for turn in trajectory.turns]
        for trajectory in played
    }


class Handler(BaseHTTPRequestHandler):
    """Answers each request with the expert's next completion."""

    protocol_version = "HTTP/1.1"
    server: Endpoint

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.send({"object": "list", "data": [{"id": "expert", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        message = {"role": "assistant", "content": self.answer(body["messages"])}
        base = {"id": "x", "created": 1, "model": body.get("model", "expert")}
        if body.get("stream"):
            self.stream(base, message)
            return
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        self.send({**base, "object": "chat.completion", "choices": [choice], "usage": usage})

    def answer(self, messages: Sequence[dict[str, Any]]) -> str:
        """Return the completion that follows *messages*."""
        turn = sum(message["role"] == "assistant" for message in messages)
        first = next(text_of(message) for message in messages if message["role"] == "user")
        tasks = self.server.answers.items()
        texts = next((texts for observation, texts in tasks if observation in first), [])
        return texts[turn] if turn < len(texts) else UNKNOWN

    def stream(self, base: dict[str, Any], message: dict[str, str]) -> None:
        """Send *message* as one event of a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for delta, reason in ((message, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            event = {**base, "object": "chat.completion.chunk", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def send(self, body: object) -> None:
        """Send *body* as JSON."""
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Endpoint(ThreadingHTTPServer):
    """The endpoint, its answers and what it was asked."""

    daemon_threads = True

    def __init__(self, answers: ExpertAnswers) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """The address before ``/chat/completions``."""
        return f"http://127.0.0.1:{self.server_port}/v1"


def text_of(message: dict[str, Any]) -> str:
    """Return the text of *message*, whose content may be a list of parts."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


@contextlib.contextmanager
def expert_endpoint(answers: ExpertAnswers) -> Iterator[Endpoint]:
    """Serve *answers* while the context lasts."""
    endpoint = Endpoint(answers)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        endpoint.server_close()

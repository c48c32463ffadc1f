"""A vLLM server as a sampler, against a server that answers as vLLM does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.errors import BackendError
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.rollout import Episode, run
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.remote import VLLMSampler
from agentgym_gen.trainers.rft import RFTTrainer, Sampler
from agentgym_gen.trainers.tiny import TinySize, build_tiny

ENV = "rftgen/Corridor-easy-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]
STYLE = PromptStyle("action", instruction=False)


class FakeServer(ThreadingHTTPServer):
    """Knows one model, samples from it greedily, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model, self.tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.adapters: set[str] = set()
        self.forgetful = False
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what vLLM would: tokens up to the end token, it included, and their logprobs."""
        ids, logprobs = list(body["prompt"]), []
        while len(logprobs) < body["max_tokens"]:
            with self.lock, torch.no_grad():
                logp = self.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            ids.append(int(logp.argmax()))
            logprobs.append(float(logp.max()))
            if ids[-1] in body["stop_token_ids"]:
                break
        choice = {"text": "", "logprobs": {"token_logprobs": logprobs}}
        return {"choices": [choice | {"token_ids": ids[len(body["prompt"]) :]}]}


class Handler(BaseHTTPRequestHandler):
    """Answers the three paths."""

    server: FakeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        if self.path == "/v1/load_lora_adapter":
            known = (Path(body["lora_path"]) / "adapter_config.json").is_file()
            self.server.adapters.add(body["lora_name"])
            self.answer("Success" if known else "no adapter there", 200 if known else 404)
        elif self.path == "/v1/unload_lora_adapter":
            self.server.adapters.remove(body["lora_name"])
            self.answer("Success")
        elif self.server.forgetful:
            self.answer('{"choices": [{"text": "wait"}]}')
        else:
            self.answer(json.dumps(self.server.complete(body)))

    def answer(self, text: str, code: int = 200) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a running server."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    fake = FakeServer()
    thread = threading.Thread(target=fake.serve_forever)
    thread.start()
    yield fake
    fake.shutdown()
    thread.join()
    fake.server_close()


def sampler(server: FakeServer, folder: Path) -> VLLMSampler:
    """Return a sampler at *server*."""
    return VLLMSampler(server.url, "tiny", server.tokenizer, folder=folder, max_new_tokens=4)


def test_prompts_grow_by_tokens(server: FakeServer, tmp_path: Path) -> None:
    """Each turn's prompt is the last one, its answer and the new context, token by token."""
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 3})
    (played,) = run([episode], sampler(server, tmp_path), style=STYLE)
    (sequence,) = played.sequences()
    prompts = [body["prompt"] for path, body in server.asked if path == "/v1/completions"]

    assert len(prompts) == 3
    assert list(sequence.ids[: len(prompts[2])]) == prompts[2]
    assert prompts[2][: len(prompts[1])] == prompts[1]
    assert [len(turn.completion.logprobs) for turn in played.turns] == [4, 4, 4]


def test_training_loads_the_adapter_of_each_step(server: FakeServer, tmp_path: Path) -> None:
    """The new one is loaded before the old one goes, and episodes are asked of it."""
    played_by = sampler(server, tmp_path)
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    args = RFTConfig(max_steps=2, tasks_per_step=1, num_generations=2, max_turns=2, lora_rank=2)
    trainer = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=STYLE, sampler=played_by
    )
    trainer.train()

    assert isinstance(played_by, Sampler)
    assert {body["model"] for path, body in server.asked if path == "/v1/completions"} == {
        "agentgym-gen-0",
        "agentgym-gen-1",
    }
    played_by.load(trainer.save_model, 7)
    assert server.adapters == {"agentgym-gen-7"}


def test_a_server_that_says_no_tokens_is_an_error(server: FakeServer, tmp_path: Path) -> None:
    """It names what is missing."""
    server.forgetful = True
    with pytest.raises(BackendError, match="without token ids"):
        run([Episode(ENV, "corridor/easy/train/0")], sampler(server, tmp_path), style=STYLE)


def test_a_server_that_refuses_or_is_not_there_is_an_error(
    server: FakeServer, tmp_path: Path
) -> None:
    """With its own reason."""
    played_by = sampler(server, tmp_path)
    with pytest.raises(BackendError, match="404 no adapter there"):
        played_by.load(lambda folder: None, 1)
    nobody = VLLMSampler("http://127.0.0.1:9", "tiny", server.tokenizer, folder=tmp_path)
    with pytest.raises(BackendError, match="does not answer"):
        nobody.load(lambda folder: None, 1)

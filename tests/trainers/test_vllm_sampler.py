"""A vLLM server as a sampler, tested with a server that responds as vLLM does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.policy import ConcurrentPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.errors import BackendError, InvalidValueError, PolicyError
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer, Sampler
from agentgym_gen.trainers.sampling.truncated_turns import refuse_truncated
from agentgym_gen.trainers.sampling.vllm_sampler import VLLMSampler

ENV = "rftgen/Corridor-easy-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]
STYLE = PromptStyle("action", instruction=False)


class FakeServer(ThreadingHTTPServer):
    """Serves one model, samples from it greedily, and records its requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model, self.tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.adapters: set[str] = set()
        self.omits_tokens = False
        self.failing: set[int] = set()
        """The numbers of the completions that fail, from 0."""
        self.limit = 512
        self.together = threading.Barrier(1)
        """Completions are answered when so many have been requested."""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def completions(self) -> int:
        """Return how many completions were requested."""
        return sum(path == "/v1/completions" for path, _ in self.requests)

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what vLLM would: tokens up to and including the end token, and their logprobs."""
        ids: list[int] = list(body["prompt"])
        logprobs: list[float] = []
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
    """Responds to the four paths."""

    server: FakeServer

    def do_GET(self) -> None:
        self.answer(json.dumps({"data": [{"id": "tiny", "max_model_len": self.server.limit}]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        if self.path == "/v1/load_lora_adapter":
            if body["lora_name"] in self.server.adapters:
                self.answer("has already been loaded", 400)
                return
            is_adapter = (Path(body["lora_path"]) / "adapter_config.json").is_file()
            self.server.adapters.add(body["lora_name"])
            self.answer("Success" if is_adapter else "no adapter there", 200 if is_adapter else 404)
        elif self.path == "/v1/unload_lora_adapter":
            self.server.adapters.remove(body["lora_name"])
            self.answer("Success")
        elif self.server.omits_tokens:
            self.answer('{"choices": [{"text": "wait"}]}')
        elif self.server.completions() - 1 in self.server.failing:
            self.answer("out of blocks", 500)
        else:
            self.server.together.wait(timeout=30)
            self.answer(json.dumps(self.server.complete(body)))

    def answer(self, text: str, code: int = 200) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a running server."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def sampler(server: FakeServer, folder: Path) -> VLLMSampler:
    """Return a sampler at *server*."""
    return VLLMSampler(server.url, "tiny", server.tokenizer, folder=folder, max_new_tokens=4)


def test_prompts_grow_by_tokens(server: FakeServer, tmp_path: Path) -> None:
    """Each prompt is the last one, its answer and the new context, token by token."""
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 3})
    (trajectory,) = run([episode], sampler(server, tmp_path), style=STYLE)
    (sequence,) = trajectory.sequences()
    prompts = [body["prompt"] for path, body in server.requests if path == "/v1/completions"]

    assert len(prompts) == 3
    assert list(sequence.ids[: len(prompts[2])]) == prompts[2]
    assert prompts[2][: len(prompts[1])] == prompts[1]
    assert [len(turn.completion.logprobs) for turn in trajectory.turns] == [4, 4, 4]


def test_training_loads_the_adapter_of_each_step(server: FakeServer, tmp_path: Path) -> None:
    """The new adapter is loaded before the old one is unloaded, and requests name the new one."""
    policy = sampler(server, tmp_path)
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    args = RFTConfig(max_steps=2, tasks_per_step=1, num_generations=2, max_turns=2, lora_rank=2)
    trainer = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=STYLE, sampler=policy
    )
    trainer.train()

    assert isinstance(policy, Sampler)
    models = {body["model"] for path, body in server.requests if path == "/v1/completions"}
    assert [name.rpartition("-")[2] for name in sorted(models)] == ["0", "1"]
    policy.load(trainer.save_model, 7)
    assert [name.rpartition("-")[2] for name in server.adapters] == ["7"]
    assert {place.name for place in tmp_path.iterdir()} == server.adapters


def test_a_second_run_has_names_of_its_own(server: FakeServer, tmp_path: Path) -> None:
    """A server refuses a name that it has, and the run before leaves its last adapter there."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        sampler(server, folder).load(lambda place: (place / "adapter_config.json").touch(), 3)

    assert len(server.adapters) == len(folders)


def served(server: FakeServer, folder: Path) -> bytes:
    """Return the weights of the adapter that the server has."""
    (name,) = server.adapters
    return (folder / name / "adapter_model.safetensors").read_bytes()


def test_weights_that_change_within_a_step_are_loaded(server: FakeServer, tmp_path: Path) -> None:
    """After a rollback, or a load of other weights, the evaluation plays with them."""
    policy = sampler(server, tmp_path)
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    trainer = RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(lora_rank=2),
        style=STYLE,
        sampler=policy,
    )
    trainer.evaluate(number=1, k=1)
    before = served(server, tmp_path)
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight.mul_(2)
    trainer.evaluate(number=1, k=1)
    trainer.save_model(tmp_path / "saved")

    assert served(server, tmp_path) != before
    assert (
        served(server, tmp_path) == (tmp_path / "saved" / "adapter_model.safetensors").read_bytes()
    )


def test_trainers_that_share_a_sampler_play_with_their_own_weights(
    server: FakeServer, tmp_path: Path
) -> None:
    """The adapter of each is loaded at its turn, though both are at the same step."""
    policy = sampler(server, tmp_path)
    for weights in (b"first", b"second", b"first", b"first"):

        def save_model(folder: Path, weights: bytes = weights) -> None:
            (folder / "adapter_config.json").touch()
            (folder / "adapter_model.safetensors").write_bytes(weights)

        policy.load(save_model, 0)
        assert served(server, tmp_path) == weights
    loads = [path for path, _ in server.requests if path == "/v1/load_lora_adapter"]
    assert len(loads) == 3, "weights that are loaded are not loaded again"


def test_episodes_ask_on_their_own_and_at_once(server: FakeServer, tmp_path: Path) -> None:
    """Four requests are open together, and each episode is that which is played alone."""
    tasks = [f"corridor/easy/train/{number}" for number in range(4)]
    episodes = [Episode(ENV, task, options={"max_turns": 1}) for task in tasks]
    policy = sampler(server, tmp_path)
    server.together = threading.Barrier(4)
    together = run(episodes, policy, style=STYLE)
    server.together = threading.Barrier(1)

    assert isinstance(policy, ConcurrentPolicy)
    assert together == run(episodes, policy, style=STYLE, max_concurrent=1)


def test_an_answer_that_fails_ends_its_episode_only(server: FakeServer, tmp_path: Path) -> None:
    """The episode ends with ``policy_error`` and the reason, and the next one is played."""
    tasks = [f"corridor/easy/train/{number}" for number in range(2)]
    episodes = [Episode(ENV, task, options={"max_turns": 2}) for task in tasks]
    server.failing = {1}
    first, second = run(episodes, sampler(server, tmp_path), style=STYLE, max_concurrent=1)

    assert first.end_reason == "policy_error"
    assert "500 out of blocks" in first.error
    assert len(first.turns) == 1
    assert (second.end_reason, len(second.turns)) == ("turn_limit", 2)


def test_nothing_is_kept_of_an_episode_that_is_over(server: FakeServer, tmp_path: Path) -> None:
    """Its tokens are forgotten, also where its truncated turns are refused."""
    policy = sampler(server, tmp_path)
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 2})
    (refused,) = run([episode], refuse_truncated(policy), style=STYLE)

    assert [(turn.completion.text, turn.valid) for turn in refused.turns] == [("", False)] * 2
    assert all(turn.completion.action_ids for turn in refused.turns)
    assert not policy._episodes


def test_an_episode_beyond_the_limit_of_the_server_is_truncated(
    server: FakeServer, tmp_path: Path
) -> None:
    """No request is sent that the server would refuse, and the earlier turns count."""
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 3})
    (unlimited,) = run([episode], sampler(server, tmp_path), style=STYLE)
    server.limit = len(server.requests[1][1]["prompt"]) + 4  # what the second turn takes
    (truncated,) = run([episode], sampler(server, tmp_path), style=STYLE)

    assert truncated.end_reason == "context_limit"
    assert truncated.turns == unlimited.turns[:2]
    assert len(server.requests) == len(unlimited.turns) + 2


def test_a_first_prompt_beyond_the_limit_of_the_server_is_an_error(
    server: FakeServer, tmp_path: Path
) -> None:
    """The error says how long it is, and no completion is requested."""
    server.limit = 8
    with pytest.raises(InvalidValueError, match=r"first prompt .* the longest sequence, 8 tokens"):
        run([Episode(ENV, "corridor/easy/train/0")], sampler(server, tmp_path), style=STYLE)
    assert not server.completions()


def test_a_server_that_does_not_know_the_model_is_an_error(
    server: FakeServer, tmp_path: Path
) -> None:
    """The error comes before the first completion is requested."""
    other = VLLMSampler(server.url, "other", server.tokenizer, folder=tmp_path)
    with pytest.raises(PolicyError, match="--served-model-name"):
        run([Episode(ENV, "corridor/easy/train/0")], other, style=STYLE)


def test_a_server_that_returns_no_tokens_is_an_error(server: FakeServer, tmp_path: Path) -> None:
    """The error names what the response lacks."""
    server.omits_tokens = True
    with pytest.raises(PolicyError, match="without token ids"):
        run([Episode(ENV, "corridor/easy/train/0")], sampler(server, tmp_path), style=STYLE)


def test_a_server_that_refuses_or_is_not_there_is_an_error(
    server: FakeServer, tmp_path: Path
) -> None:
    """The error has the reason that the server gives."""
    policy = sampler(server, tmp_path)
    with pytest.raises(PolicyError, match="404 no adapter there"):
        policy.load(lambda folder: None, 1)
    absent = VLLMSampler("http://127.0.0.1:9", "tiny", server.tokenizer, folder=tmp_path)
    with pytest.raises(BackendError, match="does not answer"):
        absent.load(lambda folder: None, 1)


def test_more_end_tokens_are_those_of_the_generation_config(
    server: FakeServer, tmp_path: Path
) -> None:
    """An answer that ends by one of them is whole."""
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 1})
    (plain,) = run([episode], sampler(server, tmp_path), style=STYLE)
    first = plain.turns[0].completion.action_ids[0]
    ends = VLLMSampler(server.url, "tiny", server.tokenizer, folder=tmp_path, end_ids=[first])
    (ended,) = run([episode], ends, style=STYLE)

    assert plain.turns[0].completion.truncated
    assert ended.turns[0].completion.action_ids == (first,)
    assert not ended.turns[0].completion.truncated


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.7}, r"`temperature` is 0.7 in the settings .* and 1.0 in its sampler"),
        ({"max_new_tokens": 9}, r"`max_new_tokens` is 9 in the settings .* and 4 in its sampler"),
        ({"max_episode_tokens": 99}, r"`max_episode_tokens` is 99 .* and None in its sampler"),
    ],
)
def test_a_sampler_with_other_settings_than_the_training_is_refused(
    server: FakeServer, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    """Those of the training would not count."""
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    with pytest.raises(InvalidValueError, match=message):
        RFTTrainer(
            model=model,
            tokenizer=tokenizer,
            envs=[ENV],
            args=RFTConfig(lora_rank=2, **settings),
            style=STYLE,
            sampler=sampler(server, tmp_path),
        )

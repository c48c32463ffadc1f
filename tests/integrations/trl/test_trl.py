"""The scripts of docs/trainers/trl.md train, and what TRL trains on is what was played."""

from __future__ import annotations

import functools
import json
import pickle
import runpy
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import tiny_tool_model
from transformers import AutoTokenizer
from trl import GRPOTrainer
from trl.chat_template_utils import qwen2_5_chat_template
from trl.experimental.async_grpo import async_rollout_worker

from agentgym_gen import Session
from agentgym_gen.agents.prompt import PromptStyle, wrap_action
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.trl import (
    RolloutFunc,
    ToolEnvironment,
    dataset,
    environment_factory,
    rollout_func,
)

HERE = Path(__file__).parent
ENVS = ["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"]
GROUP, ROOM = 4, 600


@pytest.fixture(scope="module")
def tool_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that calls the tool `act`."""
    folder = tmp_path_factory.mktemp("tool_model")
    tiny_tool_model.save(folder, qwen2_5_chat_template, "tool")
    return folder


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that thinks and acts in text."""
    folder = tmp_path_factory.mktemp("text_model")
    tiny_tool_model.save(folder, qwen2_5_chat_template, "react")
    return folder


def train(
    script: str, model: Path, output: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> GRPOTrainer:
    """Run *script* for two steps, and return its trainer."""
    flags = {
        "--model_name_or_path": model,
        "--output_dir": output,
        "--max_steps": 2,
        "--num_generations": GROUP,
        "--per_device_train_batch_size": 2 * GROUP,
        "--max_completion_length": ROOM,
        "--logging_steps": 1,
        "--learning_rate": 1e-3,
        "--use_cpu": True,
        "--bf16": False,
        "--gradient_checkpointing": False,
        "--report_to": "none",
        "--save_strategy": "no",
        "--disable_tqdm": True,
    }
    words = [str(word) for pair in flags.items() for word in pair]
    monkeypatch.setattr("sys.argv", [script, *words, *more])
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    trainer: GRPOTrainer = runpy.run_path(str(HERE / script), run_name="__main__")["trainer"]
    return trainer


def check_trained(trainer: GRPOTrainer) -> list[dict[str, float]]:
    """Check that two steps moved the weights, and return what they logged."""
    steps = [row for row in trainer.state.log_history if "loss" in row]

    assert len(steps) == 2
    assert any(row["grad_norm"] > 0 for row in steps)
    assert any(row["reward_std"] > 0 for row in steps)
    return steps


def test_a_model_that_calls_tools_is_trained(
    tool_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps; a group shares task and interface; the reward is that of the sessions."""
    rows: list[dict[str, Any]] = []
    rewards: list[float] = []
    reset, get_reward = ToolEnvironment.reset, ToolEnvironment.get_reward

    def spy_reset(self: ToolEnvironment, **row: Any) -> str:
        rows.append(row)
        return reset(self, **row)

    def spy_reward(self: ToolEnvironment) -> float:
        assert get_reward(self) == self.result.score
        # the score of a tiny model is always 0
        rewards.append(float(self.result.turns + self.result.invalid_turns))
        return rewards[-1]

    monkeypatch.setattr(ToolEnvironment, "reset", spy_reset)
    monkeypatch.setattr(ToolEnvironment, "get_reward", spy_reward)
    trainer = train(
        "train_tools.py", tool_model, tmp_path, monkeypatch, "--max_tool_calling_iterations", "4"
    )
    steps = check_trained(trainer)
    keys = [(row["task_id"], row["interface"], row["interface_index"]) for row in rows]
    groups = [keys[start : start + GROUP] for start in range(0, len(keys), GROUP)]

    assert len(rows) == len(rewards) == 4 * GROUP
    assert all(len(set(group)) == 1 for group in groups)
    assert len({group[0] for group in groups}) == len(groups)
    assert {row["env_id"] for row in rows} <= set(ENVS)
    assert all(row["tools/call_frequency"] > 0 for row in steps)
    logged = [row["rewards/ToolEnvironment/mean"] for row in steps]
    assert sum(logged) / 2 == pytest.approx(sum(rewards) / len(rewards), abs=1e-5)


def test_an_agent_that_acts_in_text_is_trained(
    text_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps; the mask is 1 exactly at what was sampled, and the tokens are the whole chat."""
    outputs: list[dict[str, Any]] = []
    sessions: list[Session] = []
    call, opened = RolloutFunc.__call__, RolloutFunc._open

    def spy_call(self: RolloutFunc, prompts: list[Any], trainer: Any) -> dict[str, Any]:
        outputs.append(call(self, prompts, trainer))
        # the score of a tiny model is always 0
        return {**outputs[-1], "episode_reward": outputs[-1]["invalid_turns"]}

    def spy_open(self: RolloutFunc, number: int, prompt: Any) -> Session:
        sessions.append(opened(self, number, prompt))
        return sessions[-1]

    monkeypatch.setattr(RolloutFunc, "__call__", spy_call)
    monkeypatch.setattr(RolloutFunc, "_open", spy_open)
    trainer = train(
        "train_text.py",
        text_model,
        tmp_path,
        monkeypatch,
        "--generation_kwargs",
        '{"max_new_tokens": 40}',
    )
    steps = check_trained(trainer)
    tokenizer = trainer.processing_class

    assert len(sessions) == sum(len(output["prompt_ids"]) for output in outputs) == 4 * GROUP
    assert all("episode/success" in row for row in steps)
    names = ("prompt_ids", "completion_ids", "env_mask", "episode_reward")
    played = [
        episode
        for output in outputs
        for episode in zip(*(output[name] for name in names), strict=True)
    ]
    for session, (prompt, completion, mask, reward) in zip(sessions, played, strict=True):
        assert len(completion) == len(mask) <= ROOM
        assert reward == session.result().reward
        answers = [turn.completion.text for turn in session._turns]
        spans = split(completion, mask)
        texts = [tokenizer.decode(span).removesuffix("<|im_end|>") for span in spans]
        assert texts[: len(answers)] == answers
        assert len(texts) - len(answers) in (0, 1)  # the last one may have been cut
        if all(span[-1] == tokenizer.eos_token_id for span in spans):
            chat = tokenizer.apply_chat_template(session.messages, tokenize=False)
            assert chat.startswith(tokenizer.decode(prompt + completion))


def split(ids: list[int], mask: list[int]) -> list[list[int]]:
    """Return the runs of *ids* whose mask is 1."""
    runs: list[list[int]] = []
    for place, (token, sampled) in enumerate(zip(ids, mask, strict=True)):
        if sampled and (place == 0 or not mask[place - 1]):
            runs.append([])
        if sampled:
            runs[-1].append(token)
    return runs


def test_rows_are_extended_and_not_sampled_again() -> None:
    """A longer data set begins with the shorter one, and a group's interface is in its row."""
    short = dataset(ENVS, 4, seed=3, interface="random")
    long = dataset(ENVS, 8, seed=3, interface="random")

    assert short.to_list() == long.to_list()[:4]
    assert {"env_id", "task_id", "interface", "interface_index", "prompt"} <= set(
        short.column_names
    )
    first, again = ToolEnvironment(), ToolEnvironment()
    for row in short:
        assert first.reset(**row) == again.reset(**row)


def test_wrong_values_are_refused_in_a_sentence() -> None:
    """Before an episode is played."""
    for wrong in (
        lambda: environment_factory(reward="points"),
        lambda: rollout_func(reward="points"),
        lambda: rollout_func(style=PromptStyle(window=2)),
        lambda: dataset(ENVS, 0),
        lambda: ToolEnvironment().reset(prompt=[]),
        lambda: rollout_func()._open(0, [{"role": "user", "content": "hello"}]),
    ):
        with pytest.raises(InvalidValueError):
            wrong()


class FakeVLLM(BaseHTTPRequestHandler):
    """Answers `/v1/completions` with tool calls, as vLLM does when it is asked for token ids."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[list[int]]] = []
    served = 0

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        ids = self.answers[FakeVLLM.served % len(self.answers)]
        FakeVLLM.served += 1
        choice = {"token_ids": ids, "logprobs": {"token_logprobs": [-0.5] * len(ids)}}
        body = json.dumps({"choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def vllm_url(tool_model: Path) -> Iterator[str]:
    """Serve tool calls on loopback."""
    tokenizer = AutoTokenizer.from_pretrained(tool_model)
    texts = [wrap_action(PromptStyle("tool"), action) for action in tiny_tool_model.ACTIONS]
    texts.append("I stop.")
    FakeVLLM.answers = [tokenizer.encode(f"{text}<|im_end|>") for text in texts]
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeVLLM)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_worker_of_async_grpo_plays_in_its_own_process(
    tool_model: Path, vllm_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The factory is pickled; 16 episodes at once play in threads; groups share their rows."""
    monkeypatch.setattr(async_rollout_worker, "is_vllm_available", lambda: True)
    tokenizer = AutoTokenizer.from_pretrained(tool_model)
    worker = async_rollout_worker.AsyncRolloutWorker(
        model_name=str(tool_model),
        dataset=dataset(ENVS, 8),
        reward_funcs=[],
        processing_class=tokenizer,
        eos_token_ids=[tokenizer.eos_token_id],
        environment_factory=environment_factory(reward="return"),
        num_generations=GROUP,
        max_inflight_tasks=16,
        vllm_server_url=vllm_url,
        max_tool_calling_iterations=3,
    )
    worker.start()
    try:
        samples = [worker.rollout_buffer.get(timeout=120) for _ in range(4 * GROUP)]
        worker.check_health(60)
    finally:
        worker.stop()
    prompts: dict[int, set[str]] = {}
    for sample in samples:
        prompts.setdefault(sample.group_id, set()).add(sample.prompt[-1]["content"])

    assert all(len(texts) == 1 for texts in prompts.values())
    assert all(sample.metrics["tools/failure_frequency"] == 0 for sample in samples)
    assert any(sample.advantage != 0 for sample in samples)


def test_the_factory_and_the_function_are_pickled() -> None:
    """As a spawned process needs them."""
    factory = pickle.loads(pickle.dumps(environment_factory(reward="score")))
    pickle.loads(pickle.dumps(rollout_func()))

    assert isinstance(factory, functools.partial)
    assert isinstance(factory(), ToolEnvironment)

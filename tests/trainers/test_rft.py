"""Reinforcement fine-tuning: samples, references, warnings and checkpoints are what they seem."""

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle, mixed_style
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError, TrainingError
from agentgym_gen.trainers.algorithm.curriculum import StepCurriculum
from agentgym_gen.trainers.algorithm.schedule import learning_rate_share
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.learner import Learner, memory_remedies
from agentgym_gen.trainers.models.device import choose_threads
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.packing.micro_batches import pack
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)
SMALL: dict[str, Any] = {
    "lora_rank": 0,
    "max_steps": 1,
    "tasks_per_step": 2,
    "num_generations": 4,
    "max_turns": 3,
    "max_new_tokens": 6,
    "learning_rate": 1e-3,
    "invalid_penalty": 0.1,
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def warm(rank: int = 0) -> tuple[Model, Tokenizer]:
    """Return a model after 40 steps on demonstrations, and 10 more of an adapter of *rank*."""
    model, tokenizer = build_tiny(
        expert_texts([ENV], STYLE, number=20), 0, TinySize(2, 32, 2, 300, 512)
    )
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=20)
    for adapter, steps in ((0, 40), (rank, 10 if rank else 0)):
        if steps:
            args = SFTConfig(lora_rank=adapter, learning_rate=5e-3, max_steps=steps, batch_size=8)
            sft = SFTTrainer(model, tokenizer, args, trajectories)
            sft.train()
            model = sft.model
    return model, tokenizer


class Keeper:
    """Keeps the episodes of each step."""

    def __init__(self) -> None:
        self.steps: list[list[Trajectory]] = []

    def on_step_end(self, args: object, state: object, control: object, **extras: Any) -> None:  # noqa: ANN401
        self.steps.append(extras["trajectories"])


def trainer(
    model: Model, tokenizer: Tokenizer, env_id: str = ENV, *callbacks: object, **settings: object
) -> RFTTrainer:
    """Return a trainer."""
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[env_id],
        args=RFTConfig(**(SMALL | settings)),
        style=STYLE,
        callbacks=callbacks,
    )


@pytest.fixture
def one_task(tmp_path: Path) -> str:
    """Return an environment with a list of one task."""
    path = tmp_path / "one.txt"
    path.write_text("corridor/easy/train/3\n")
    return f"{ENV}?tasks={path}"


def test_a_task_that_is_drawn_twice_is_played_as_different_samples(one_task: str) -> None:
    """Four draws of the only task with four samples each are sixteen different episodes."""
    keeper = Keeper()
    trainer(*warm(), one_task, keeper, tasks_per_step=4).train()
    (episodes,) = keeper.steps

    assert sorted(episode.sample for episode in episodes) == list(range(16))
    sampled = {tuple(turn.completion.text for turn in episode.turns) for episode in episodes}
    assert len(sampled) > 4


def test_an_evaluation_repeats_no_task(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fewer tasks than asked for are played once each, and a warning says how many."""
    path = tmp_path / "valid.txt"
    path.write_text("corridor/easy/valid/1\ncorridor/easy/valid/2\n")
    rft = trainer(*warm(), f"{ENV}?tasks={path}")
    with caplog.at_level(logging.WARNING):
        metrics = rft.evaluate(number=5, k=3)

    assert metrics["episodes"] == 6
    assert "2 tasks of the split 'valid' are played, not 5" in caplog.text


@pytest.mark.parametrize("rank", [0, 4])
def test_the_reference_of_the_kl_term_is_the_policy_that_rft_started_from(rank: int) -> None:
    """After a warm start the KL divergence of the first step is 0, later it is not."""
    settings = {"kl_coef": 0.1, "valid_coef": 0.5, "learning_rate": 1e-2, "max_steps": 4}
    rft = trainer(*warm(rank), lora_rank=rank, **settings)
    history = [row for row in rft.train() if "kl" in row]

    assert history[0]["kl"] == pytest.approx(0.0, abs=1e-6)
    assert history[-1]["kl"] > 1e-5


def test_a_curriculum_that_goes_on_to_a_harder_environment_is_not_rolled_back() -> None:
    """Only the share of the same environment counts."""
    model, tokenizer = warm()
    other = "rftgen/Corridor-easy-symbols-v0"
    rft = RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=StepCurriculum(((0, {ENV: 1}), (2, {other: 1}))),
        args=RFTConfig(**(SMALL | {"max_steps": 4, "learning_rate": 1e-5})),
        style=STYLE,
    )
    history = rft.train()

    assert history[1]["valid"] - history[2]["valid"] > 0.4, "the test tests nothing"
    assert [row.get("stopped") for row in history] == [None] * 4


def test_three_steps_without_an_update_are_explained(caplog: pytest.LogCaptureFixture) -> None:
    """The warning names what all of them have in common, and comes again after twice as many."""
    model, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    with caplog.at_level(logging.WARNING):
        trainer(model, tokenizer, max_steps=7, invalid_penalty=0.0, max_new_tokens=1).train()

    numbers = re.findall(r"No update in the last (\d+) steps: ", caplog.text)
    assert numbers == ["3", "6"]
    assert "raise `max_new_tokens`" in caplog.text


def test_steps_without_an_update_write_no_weights(tmp_path: Path) -> None:
    """Each has a checkpoint, whose weights are those of the one before, not a copy."""
    model, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    settings: dict[str, Any] = {"invalid_penalty": 0.0, "max_new_tokens": 1, "max_steps": 3}
    trainer(model, tokenizer, output_dir=str(tmp_path), **settings).train()

    second, third = (tmp_path / name for name in ("step_000002", "step_000003"))
    for name in ("model.safetensors", "optimizer.pt", "tokenizer.json"):
        assert (second / name).samefile(third / name), name
    assert not (second / "state.json").samefile(third / "state.json")


def test_a_finished_training_that_is_resumed_writes_nothing(tmp_path: Path) -> None:
    """Its last checkpoint stays as it is."""
    settings = {"output_dir": str(tmp_path), "max_steps": 2, "save_steps": 1}
    trainer(*warm(), **settings).train()
    weights = tmp_path / "step_000002" / "model.safetensors"
    before = weights.stat().st_ino, weights.stat().st_mtime_ns
    history = trainer(*warm(), **settings).train(resume_from_checkpoint=True)

    assert [row["step"] for row in history] == [1, 2]
    assert (weights.stat().st_ino, weights.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("style", "expected"),
    [("action", 32), ("tool", 96), ("react", 256)],
)
def test_an_answer_may_be_as_long_as_its_format_needs(style: str, expected: int) -> None:
    """The trainer and the policy take the same default."""
    model, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    rft = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=[ENV], args=RFTConfig(), style=PromptStyle(style)
    )

    assert rft.args.max_new_tokens == expected
    episode = Episode(ENV, "corridor/easy/train/0", options={"max_turns": 1})
    (played,) = run([episode], ModelPolicy(model, tokenizer), style=PromptStyle(style))
    assert played.turns[0].completion.truncated
    assert played.action_tokens == expected


def test_each_environment_of_a_mixture_has_the_limit_of_its_own_format() -> None:
    """The longest one is recorded; an answer that is one action is not given 256 tokens."""
    model, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    other = "rftgen/Corridor-medium-v0"
    style = mixed_style({ENV: PromptStyle("action"), other: PromptStyle("react")})
    rft = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=[ENV, other], args=RFTConfig(), style=style
    )
    tasks = [
        Episode(env_id, f"corridor/{tier}/train/0")
        for env_id, tier in ((ENV, "easy"), (other, "medium"))
    ]
    played = rft._player.rollout(tasks, 1, 0, limit=1)

    assert rft.args.max_new_tokens == 256
    assert [episode.action_tokens for episode in played] == [32, 256]


def test_an_out_of_memory_error_names_what_helps() -> None:
    """A batch of several rows can be divided; one row cannot."""
    model, tokenizer = warm()
    args = SFTConfig(lora_rank=0)
    episodes = trainer(model, tokenizer).play(number=4, k=4)
    samples = SFTTrainer(model, tokenizer, args, episodes)._samples
    batches = pack(samples, 10_000, 0, tree_attention=False)
    whole = next(batch for batch in batches if len(batch.ids_BT) > 1)
    alone = pack(samples, 1, 0, tree_attention=False)[0]

    def fail(batch: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    learner = Learner(model, tokenizer, args, lambda step: 1.0)
    with pytest.raises(TrainingError, match="lower `micro_batch_tokens`") as error:
        learner.update([whole], fail)
    assert "set `gradient_checkpointing=True`" in str(error.value)
    with pytest.raises(TrainingError, match=r"step 1; set `gradient_checkpointing=True`, or lower"):
        learner.update([alone], fail)
    checkpointed = SFTConfig(lora_rank=0, gradient_checkpointing=True)
    assert "gradient" not in "".join(memory_remedies(alone, checkpointed))


def test_the_number_of_threads_that_a_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """OMP_NUM_THREADS decides; without it, a small model gets one thread."""
    calls: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    model, _ = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    choose_threads(model)
    assert calls == []
    monkeypatch.delenv("OMP_NUM_THREADS")
    choose_threads(model)
    assert calls == [1]


def test_each_mini_batch_is_an_update_and_each_task_in_one_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four tasks in mini-batches of two are two updates a pass, from all samples together."""
    first, second = warm(), warm()
    sizes: list[int] = []
    updates: list[tuple[float, float]] = []
    update = Learner.update

    def counted(self: Learner, batches: list[Any], loss_of: Any) -> tuple[float, float]:  # noqa: ANN401
        sizes.append(sum(len(batch.weight_N) for batch in batches))
        updates.append(update(self, batches, loss_of))
        return updates[-1]

    monkeypatch.setattr(Learner, "update", counted)
    settings = {"tasks_per_step": 4, "valid_coef": 0.5, "step_coef": 1.0}
    (row,) = trainer(*first, **settings).train()
    whole = sum(sizes)
    sizes.clear()
    (split,) = trainer(*second, mini_batch_tasks=2, updates_per_step=2, **settings).train()

    assert row["success"] == split["success"]
    assert len(sizes) == 4
    assert sum(sizes[:2]) == sum(sizes[2:]) == whole
    assert split["sampler_gap"] < 1e-4, "measured after an update"
    means = [sum(values) / 4 for values in zip(*updates[-4:], strict=True)]
    assert [split["loss"], split["gradient_norm"]] == pytest.approx(means)


def test_a_reward_function_of_ones_own_decides() -> None:
    """Each step logs its mean; one that returns no number is an error that names the task."""
    model, tokenizer = warm()
    args = RFTConfig(**SMALL)

    def turns(trajectory: Trajectory) -> float:
        return len(trajectory.turns) / 4

    def broken(trajectory: Trajectory) -> float:
        return float("nan")

    keeper = Keeper()
    common: dict[str, Any] = {"tokenizer": tokenizer, "envs": [ENV], "args": args, "style": STYLE}
    rft = RFTTrainer(model=model, reward=turns, callbacks=[keeper], **common)
    (row,) = rft.train()
    assert row["reward"] == pytest.approx(sum(map(turns, keeper.steps[0])) / len(keeper.steps[0]))

    with pytest.raises(InvalidValueError, match=r"The reward of 'corridor/easy/train/\d+' is nan"):
        RFTTrainer(model=model, reward=broken, **common).train()


def test_an_adapter_has_the_layers_that_are_named() -> None:
    """An unknown layer is refused with those that there are."""
    model, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    rft = trainer(model, tokenizer, lora_rank=2, lora_targets=("q_proj", "v_proj"))
    trained = {n.split(".lora_")[0].rpartition(".")[2] for n in rft._learner.snapshot()}
    assert trained == {"q_proj", "v_proj"}

    other, tokenizer = build_tiny(["text"], 0, TinySize(1, 16, 2, 300, 512))
    with pytest.raises(InvalidValueError, match=r"no linear layer 'query'.* down_proj, gate_proj"):
        trainer(other, tokenizer, lora_rank=2, lora_targets=("query",))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 0.775, 0.55, 0.325]),
        ("cosine", [0.5, 1.0, 0.868198, 0.55, 0.231802]),
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule: str, expected: list[float]) -> None:
    """One step of warmup and four of decay, down to a tenth."""
    config = RFTConfig(max_steps=5, warmup_steps=1)
    shares = [learning_rate_share(config, step, schedule, 0.1) for step in range(5)]

    assert shares == pytest.approx(expected, abs=1e-6)


def test_a_training_from_a_folder_with_an_adapter_resumes_to_the_bit(tmp_path: Path) -> None:
    """A second stage, whose start is the adapter of the first, is resumed as the first one is."""
    base, tokenizer = warm()
    base.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    settings: dict[str, Any] = {"lora_rank": 2, "kl_coef": 0.01, "valid_coef": 0.5}
    first = trainer(*load_model(tmp_path / "base"), **settings)
    first.train()
    first.save_model(tmp_path / "adapter")

    settings |= {"max_steps": 2, "output_dir": str(tmp_path / "whole")}
    whole = trainer(*load_model(tmp_path / "adapter"), **settings)
    whole.train()
    shutil.copytree(tmp_path / "whole" / "step_000001", tmp_path / "cut" / "step_000001")
    settings["output_dir"] = str(tmp_path / "cut")
    resumed = trainer(*load_model(tmp_path / "adapter"), **settings)
    resumed.train(resume_from_checkpoint=True)

    weights, others = whole._learner.snapshot(), resumed._learner.snapshot()
    assert weights
    assert all(torch.equal(weight, others[name]) for name, weight in weights.items())

"""Two processes that share the weights make the update that one process makes with all of them.

Started as a program, this file trains into a folder.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, distributed

from agentgym_gen import PromptStyle, Registered, register
from agentgym_gen.errors import InvalidValueError, ResultExistsError
from agentgym_gen.trainers import (
    RFTConfig,
    RFTTrainer,
    SFTConfig,
    SFTTrainer,
    build_tiny,
    demonstrations,
    load_model,
)
from agentgym_gen.trainers.algorithm.losses import sft_loss
from agentgym_gen.trainers.algorithm.scoring import score
from agentgym_gen.trainers.models.tiny import TinySize
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.packing.micro_batches import Sample, fill_up, pack
from agentgym_gen.trainers.parallel.distributed import Distributed, checksum
from agentgym_gen.trainers.parallel.sharding import check_sharding

ENVS, STYLE = ["rftgen/Corridor-easy-v0"], PromptStyle("action", instruction=False)
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]
WARM: dict[str, Any] = {"batch_size": 8, "lora_rank": 0, "micro_batch_tokens": 200}
RFT: dict[str, Any] = {
    **{"max_steps": 2, "tasks_per_step": 3, "num_generations": 4, "max_turns": 3},
    **{"max_new_tokens": 8, "lora_rank": 0, "learning_rate": 1e-2, "micro_batch_tokens": 200},
    **{"valid_coef": 1.0, "turn_cost": 0.01, "eval_steps": 2, "eval_tasks": 3, "kl_coef": 0.1},
    "gradient_checkpointing": True,
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def train_all(folder: Path, *, fsdp: bool) -> None:
    """Warm up a model and train it by its episodes; fine-tune another one in bfloat16."""
    model, tokenizer = tiny()
    warm_up = warm_start(model, tokenizer, fsdp=fsdp, max_steps=40, learning_rate=1e-2)
    warm_up.train()
    warm_up.save_model(folder / "warm")
    reinforce(model, tokenizer, folder / "rft", fsdp=fsdp)
    half, tokenizer = tiny(torch.bfloat16)
    settings = {"max_steps": 4, "save_steps": 2, "learning_rate": 1e-4}
    warm_start(half, tokenizer, fsdp=fsdp, output_dir=str(folder / "half"), **settings).train()


def resume_all(folder: Path) -> None:
    """Train again from the middle of `train_all`, in two processes."""
    for name, step in (("rft", "step_000001"), ("half", "step_000002")):
        if Distributed().is_main:
            shutil.copytree(folder / name / step, folder / f"{name} again" / step)
    distributed.barrier()
    trainer = reinforce(*load_model(folder / "warm"), folder / "rft again", fsdp=True)
    trainer.merge_and_save(folder / "merged")
    with pytest.raises(ResultExistsError):  # in both processes
        trainer.merge_and_save(folder / "merged")
    half, tokenizer = tiny(torch.bfloat16)
    output = str(folder / "half again")
    settings = {"max_steps": 4, "save_steps": 2, "learning_rate": 1e-4, "output_dir": output}
    warm_start(half, tokenizer, fsdp=True, **settings).train(resume_from_checkpoint=True)


def tiny(dtype: torch.dtype = torch.float32) -> tuple[Model, Tokenizer]:
    """Return a model of two layers."""
    model, tokenizer = build_tiny(TEXTS, size=TinySize(2, 16, 2, 300, 512))
    return model.to(dtype), tokenizer


def warm_start(model: Model, tokenizer: Tokenizer, **settings: object) -> SFTTrainer:
    """Return a trainer on demonstrations."""
    shown = demonstrations(ENVS, tokenizer, STYLE, number=20)
    return SFTTrainer(model, tokenizer, SFTConfig(**{**WARM, **settings}), shown)


def reinforce(model: Model, tokenizer: Tokenizer, folder: Path, *, fsdp: bool) -> RFTTrainer:
    """Train by episodes, on from a checkpoint if there is one."""
    args = RFTConfig(**RFT, output_dir=str(folder), fsdp=fsdp)
    trainer = RFTTrainer(model=model, tokenizer=tokenizer, envs=ENVS, args=args, style=STYLE)
    trainer.train(resume_from_checkpoint=True)
    return trainer


def start_two(folder: Path) -> None:
    """Run this file in two processes."""
    root = Path(__file__).parents[2]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29518"]
    path = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(
        [sys.executable, *launcher, __file__, str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights in *folder*."""
    saved = load_file(folder / "model.safetensors")
    return {name: tensor.double() for name, tensor in saved.items()}


def distance(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Return the length of the difference between two sets of weights."""
    assert first.keys() == second.keys()
    return sum(float((first[name] - second[name]).square().sum()) for name in first) ** 0.5


def log(folder: Path) -> list[dict[str, float]]:
    """Return the rows of the log in *folder*."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def state(folder: Path) -> dict[str, Any]:
    """Return the state of the optimizer in *folder*."""
    saved: dict[str, Any] = torch.load(folder / "optimizer.pt")
    return saved


@pytest.fixture(scope="module")
def runs(_corridor: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the trainings of `train_all`: in `one` process, and in `two`."""
    folder = tmp_path_factory.mktemp("runs")
    start_two(folder / "two")
    train_all(folder / "one", fsdp=False)
    return folder


@pytest.mark.slow
def test_two_processes_with_parts_of_the_weights_train_as_one(runs: Path) -> None:
    """Losses, norms and gradients differ by rounding: sums of float32 in another order.

    AdamW divides a gradient by its size, so that the few weights whose gradient is hardly more than
    rounding move otherwise; together they are less than a thousandth of the update.
    """
    one, two = (log(runs / name / "rft") for name in ("one", "two"))
    keys = ("success", "valid", "reward", "loss", "gradient_norm", "entropy", "train_tokens", "kl")
    for key in keys:
        expected = pytest.approx([row[key] for row in two], rel=1e-4, abs=1e-5)
        assert [row[key] for row in one] == expected, key
    assert max(row["gradient_norm"] for row in one) > 1, "no gradient was clipped"
    assert one[1]["kl"] > 0
    assert one[1]["eval/valid"] == two[1]["eval/valid"]

    last = "rft/step_000002"
    start, first, second = (
        weights(runs / name) for name in ("one/warm", f"one/{last}", f"two/{last}")
    )
    assert distance(first, second) < 1e-3 * distance(first, start)
    states = [state(runs / name / last)["state"] for name in ("one", "two")]
    for number, values in states[0].items():
        torch.testing.assert_close(
            values["exp_avg"], states[1][number]["exp_avg"], rtol=1e-3, atol=1e-5
        )


@pytest.mark.slow
def test_weights_in_bfloat16_have_parts_in_single_precision(runs: Path) -> None:
    """The master copies are those of one process, which rounds the same weights."""
    names = ("one", "two")
    masters = [state(runs / name / "half" / "step_000004")["masters"] for name in names]
    model, _ = tiny(torch.bfloat16)
    start = {name: weight.detach().float() for name, weight in model.named_parameters()}

    assert all(master.dtype == torch.float32 for master in masters[1].values())
    assert distance(*masters) < 1e-3 * distance(masters[0], start)
    saved = load_file(runs / "two" / "half" / "step_000004" / "model.safetensors")
    for name, master in masters[1].items():
        assert torch.equal(saved[name], master.bfloat16()), name


@pytest.mark.slow
@pytest.mark.parametrize("last", ["rft/step_000002", "half/step_000004"])
def test_a_divided_run_resumes_to_the_bit(runs: Path, last: str) -> None:
    """Two processes that go on from a checkpoint write the weights of a run without a break."""
    whole, resumed = (runs / "two" / name for name in (last, last.replace("/", " again/")))

    assert distance(weights(whole), weights(resumed)) == 0
    if last.startswith("rft"):
        assert distance(weights(runs / "two" / "merged"), weights(whole)) == 0


@pytest.mark.slow
def test_one_process_goes_on_from_a_checkpoint_of_two(runs: Path, tmp_path: Path) -> None:
    """A checkpoint has the form of one process, whoever has written it."""
    shutil.copytree(runs / "two" / "rft" / "step_000001", tmp_path / "step_000001")
    reinforce(*load_model(runs / "two" / "warm"), tmp_path, fsdp=False)
    resumed = weights(tmp_path / "step_000002")
    start, second = (weights(runs / "two" / "rft" / f"step_00000{step}") for step in (1, 2))

    assert distance(resumed, second) < 1e-3 * distance(second, start)


def test_a_batch_without_samples_adds_nothing() -> None:
    """Its loss is 0, and so is its gradient, at every weight."""
    model, tokenizer = tiny()
    (shown,) = demonstrations(ENVS, tokenizer, STYLE, number=1)
    batches = pack([Sample(sequence) for sequence in shown.sequences()], 200, 0)
    filled = fill_up(batches, 4, 0)
    assert len(filled) == 4
    assert filled[: len(batches)] == batches
    scores = score(model, filled[-1])
    loss = sft_loss(scores.logp_N, filled[-1].weight_N) + scores.entropy_N.sum()
    loss.backward()

    assert float(loss.detach()) == 0
    assert all(not weight.grad.any() for weight in model.parameters())


def test_weights_that_cannot_be_divided_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process, an adapter, two precisions, and a launcher that asks for it alone."""
    model, tokenizer = tiny()
    with pytest.raises(InvalidValueError, match="this is the only one; start the script with"):
        warm_start(model, tokenizer, fsdp=True)
    with pytest.raises(InvalidValueError, match="set `lora_rank=0`, not 16"):
        SFTConfig(fsdp=True, lora_rank=16)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(InvalidValueError, match="the settings have `fsdp=False`"):
        warm_start(model, tokenizer)
    model.lm_head.bfloat16()
    with pytest.raises(InvalidValueError, match="bfloat16 and"):
        check_sharding(model, 2, fsdp=True)


def test_processes_that_start_from_different_weights_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One weight that differs in its last bit is enough."""
    (model, _), (other, _) = tiny(), tiny()
    assert checksum(model) == checksum(other)
    with torch.no_grad():
        weight = other.lm_head.weight
        weight[1, 2] = torch.nextafter(weight[1, 2], weight.new_tensor(1e9))
    assert checksum(model) != checksum(other)

    processes = Distributed()
    processes.size = 2
    monkeypatch.setattr(processes, "gather", lambda own: [*own, checksum(other)])
    with pytest.raises(InvalidValueError, match="differ between the processes"):
        processes.check_same_weights(model)
    processes.check_same_weights(other)


@pytest.mark.parametrize(("episodes", "size"), [(12, 3), (12, 5), (3, 4), (0, 2)])
def test_shares_of_the_episodes_are_blocks_of_neighbours(episodes: int, size: int) -> None:
    """Together they are all episodes in their order, and none is longer by more than one."""
    processes, blocks = Distributed(), []
    processes.size = size
    for rank in range(size):
        processes.rank = rank
        blocks.append(processes.block(range(episodes)))

    assert [number for block in blocks for number in block] == list(range(episodes))
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1


if __name__ == "__main__":
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    train_all(Path(sys.argv[1]), fsdp=True)
    resume_all(Path(sys.argv[1]))

"""The real packages behind `report_to` and `load_in_8bit`: what they store is read back."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations
from agentgym_gen.trainers.models.loading import load_model
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model that sometimes gives a valid action."""
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    place = tmp_path_factory.mktemp("model")
    model, tokenizer = build_tiny(TEXTS, size=TinySize(2, 64, 2, 300, 512))
    shown = demonstrations([ENV], tokenizer, STYLE, number=8)
    warm = SFTConfig(learning_rate=3e-3, max_steps=20, batch_size=8, lora_rank=0)
    SFTTrainer(model, tokenizer, warm, shown).train()
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send nothing anywhere, and keep all files in the folder of the test."""
    for name, value in {
        "HF_HUB_OFFLINE": "1",
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "WANDB_DIR": str(tmp_path),
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
    }.items():
        monkeypatch.setenv(name, value)


def train(folder: Path, **settings: Any) -> tuple[RFTTrainer, list[dict[str, Any]]]:  # noqa: ANN401
    """Return a trainer of the model in *folder* after two steps, and their rows."""
    args = RFTConfig(
        lora_rank=2,
        max_steps=2,
        tasks_per_step=2,
        num_generations=4,
        max_turns=2,
        max_new_tokens=8,
        valid_coef=0.5,
        **settings,
    )
    trainer = RFTTrainer(model=str(folder), envs=[ENV], args=args, style=STYLE)
    return trainer, trainer.train()


def test_tensorboard_has_every_row(folder: Path, tmp_path: Path) -> None:
    """The scalars that TensorBoard reads are those of the rows, by step."""
    _, rows = train(folder, report_to=("tensorboard",), output_dir=str(tmp_path / "out"))

    stored = EventAccumulator(str(tmp_path / "out" / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in stored.Scalars("turns")] == [
        (row["step"], row["turns"]) for row in rows
    ]


def test_trackio_has_every_row(folder: Path, tmp_path: Path) -> None:
    """Its database has a run with the name of the folder, and a line for each step."""
    train(folder, report_to=("trackio",), output_dir=str(tmp_path / "corridor"))

    with sqlite3.connect(tmp_path / "trackio" / "agentgym-gen.db") as database:
        steps = database.execute("select run_name, step from metrics order by step").fetchall()
    assert steps == [("corridor", 1), ("corridor", 2)]


def test_wandb_keeps_the_run(folder: Path, tmp_path: Path) -> None:
    """The run is stored offline, in a file that ``wandb sync`` can send later."""
    train(folder, report_to=("wandb",), run_name="corridor", output_dir=str(tmp_path / "out"))

    (stored,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    assert b"zero_variance_groups" in stored.read_bytes()


def test_a_base_of_8_bits_is_trained_beside_an_adapter(folder: Path, tmp_path: Path) -> None:
    """Its matrices stay integers; the adapter also loads beside the same base in full precision."""
    trainer, rows = train(folder, load_in_8bit=True, output_dir=str(tmp_path / "out"))
    reloaded, tokenizer = load_model(tmp_path / "out" / "step_000002")
    ids = torch.tensor([tokenizer("walk to door 2")["input_ids"]])
    with torch.no_grad():
        gap = (trainer.model(ids).logits - reloaded(ids).logits).abs().max()

    kinds = {str(weight.dtype) for weight in trainer.model.parameters()}
    assert kinds == {"torch.int8", "torch.float32"}
    assert {str(weight.dtype) for weight in reloaded.parameters()} == {"torch.float32"}
    assert 0 < gap < 0.5
    gaps = [row["sampler_gap"] for row in rows if "sampler_gap" in row]
    assert gaps
    assert max(gaps) < 0.01

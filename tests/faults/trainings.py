"""Trainings for the tests of faults: a small model in the corridor of `toy_world`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faults.programs import run_as_command

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.cli.main import main
from agentgym_gen.trainers.config import RFTConfig, SFTConfig
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.rft import RFTTrainer
from agentgym_gen.trainers.sft import SFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)


PLAN = """
name = "tiny"
seeds = [0]

[model]
build = "tiny"
layers = 1
width = 32
heads = 2
vocabulary = 300
context = 1024
text_episodes = 8

[style]
format = "action"
instruction = false
window = 0

[environments.Sokoban]

[warm_start]
max_steps = 4
batch_size = 4
save_steps = 2

[warm_start.demonstrations]
"rftgen/Sokoban-easy-v0" = 8

[rft]
max_steps = 2
tasks_per_step = 2
num_generations = 2
max_new_tokens = 4
max_turns = 2
invalid_penalty = 0.1

[test]
tasks = 2
samples = 1
max_new_tokens = 4
max_turns = 2

[difficulty]
environments = ["Sokoban"]
arms = ["easy"]
tiers = ["easy"]
"""
"""A study of a base with a warm start and one model trained from it, each tested on two boards."""


def prepared(name: str) -> Callable[[Path], int]:
    """Return the program *name*: the trainings ``sft`` and ``rft``, or the study ``tiny``."""
    hide_progress_bars()
    register(Registered("Corridor", "toy_world:CorridorWorld"))
    return {"sft": sft, "rft": rft, "tiny": study}[name]


def study(folder: Path) -> int:
    """Run the study from the command line; its model is really trained."""
    plan = folder.with_name(f"{folder.name}.toml")
    plan.write_text(PLAN, encoding="utf-8")
    return main(["study", "run", str(plan), "--yes", "--workers", "1", "--out", str(folder)])


def sft(folder: Path) -> int:
    """Train on demonstrations for six steps, with a checkpoint after every second one."""
    args = SFTConfig(output_dir=str(folder), max_steps=6, save_steps=2, batch_size=4, lora_rank=0)
    trainer = SFTTrainer(*tiny(), args, expert_episodes(8))
    return run_as_command(lambda _: trainer.train(resume_from_checkpoint=True))


def rft(folder: Path) -> int:
    """Train by rewards for three steps, with a checkpoint after each; two are kept."""
    model, tokenizer = warm()
    args = RFTConfig(
        output_dir=str(folder),
        max_steps=3,
        tasks_per_step=2,
        num_generations=4,
        max_turns=4,
        max_new_tokens=6,
        learning_rate=1e-3,
        invalid_penalty=0.1,
        turn_cost=0.01,
        lora_rank=0,
    )
    trainer = RFTTrainer(model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=STYLE)
    return run_as_command(lambda _: trainer.train(resume_from_checkpoint=True))


def tiny() -> tuple[Model, Tokenizer]:
    """Return a model that knows the words of the corridor."""
    return build_tiny(expert_texts([ENV], STYLE, number=8), 0, TinySize(1, 32, 2, 300, 512))


def warm() -> tuple[Model, Tokenizer]:
    """Return a model after a warm start on demonstrations."""
    model, tokenizer = tiny()
    args = SFTConfig(max_steps=30, batch_size=4, learning_rate=5e-3, lora_rank=0)
    SFTTrainer(model, tokenizer, args, expert_episodes(8)).train()
    return model, tokenizer


def expert_episodes(number: int) -> list[object]:
    """Return the successful ones of *number* episodes of the expert."""
    return demonstrations([ENV], tiny()[1], STYLE, number=number)  # type: ignore[return-value]

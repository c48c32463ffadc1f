"""The files of a checkpoint, as kinds of files; apart from the others because they need torch."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from transformers.utils import logging

from agentgym_gen.trainers import SFTConfig, build_tiny, checkpoint, load_model
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars
from agentgym_gen.trainers.models.tiny import TinySize
from tools.file_kinds import FileKind

TO_GO_ON = ("state.json", "optimizer.pt", "model.safetensors")
AS_A_MODEL = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def checkpoint_kinds() -> list[FileKind]:
    """Return the files of a checkpoint, which is read to go on from, or as a model."""
    hide_progress_bars()
    logging.set_verbosity_error()
    model, tokenizer = build_tiny(["north east south west"], 0, TinySize(1, 32, 1, 300, 512))
    learner = Learner(model, tokenizer, SFTConfig(lora_rank=0, max_steps=1), lambda _: 1.0)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    learner._optimizer.step(1.0)  # so that there is a state of the optimizer
    with tempfile.TemporaryDirectory() as scratch:
        state = {"config": {}, "history": [{"step": 1, "loss": 0.5}]}
        folder = checkpoint.write(Path(scratch), 1, state, learner.write_files)
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}

    def kind(name: str, use: str) -> FileKind:
        beside = {other: raw for other, raw in contents.items() if other != name}
        read = learner.resume if use == "to go on" else load_model
        return FileKind(f"checkpoint {use}, {name}", name, contents[name], read, beside)

    return [
        *(kind(name, "to go on") for name in TO_GO_ON),
        *(kind(name, "as a model") for name in AS_A_MODEL),
    ]

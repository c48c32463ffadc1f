"""What both trainers do with a loss: the optimizer, the learning rate, and going on from a file."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from agentgym_gen.errors import InvalidValueError, TrainingError
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.handles import Model, Tokenizer
from agentgym_gen.trainers.model import choose_threads, make_trainable
from agentgym_gen.trainers.tokens import MicroBatch

Row = dict[str, Any]
"""One row of the log."""


class Learner:
    """A model, its optimizer and how many updates were made.

    The model stays in evaluation mode: with dropout, what is scored would not be the distribution
    that was sampled from.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, saved beside it.
        config: The settings.
        schedule: From the number of updates made to the share of the learning rate.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        config: TrainConfig,
        schedule: Callable[[int], float],
    ) -> None:
        choose_threads(model)
        self.model = make_trainable(model, config.lora_rank, config.lora_alpha, config.seed)
        self.tokenizer = tokenizer
        self.config = config
        self.step = 0
        self.history: list[Row] = []
        self._schedule = schedule
        self._weights = {
            name: weight for name, weight in self.model.named_parameters() if weight.requires_grad
        }
        self._optimizer = torch.optim.AdamW(
            self._weights.values(),
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=config.weight_decay,
        )

    def update(
        self, batches: list[MicroBatch], loss_of: Callable[[MicroBatch], Tensor]
    ) -> tuple[float, float]:
        """Make one update from the sum of the losses; return that sum and the gradient's norm.

        Raises:
            TrainingError: if the loss or the gradient is not a number.
        """
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in batches:
            loss = loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        norm = float(
            torch.nn.utils.clip_grad_norm_(self._weights.values(), self.config.max_grad_norm)
        )
        if not math.isfinite(total) or not math.isfinite(norm):
            raise TrainingError(
                f"The loss ({total}) or its gradient ({norm}) is not a number at step {self.step}; "
                "lower `learning_rate` or go on from an earlier checkpoint"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._schedule(self.step)
        self._optimizer.step()
        return total, norm

    def snapshot(self) -> dict[str, Tensor]:
        """Return a copy of the trained weights."""
        return {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def restore(self, snapshot: dict[str, Tensor]) -> None:
        """Put the trained weights of *snapshot* back."""
        for name, weight in self._weights.items():
            weight.copy_(snapshot[name])

    def record(self, row: Row) -> None:
        """Add *row* to the history and to the log file."""
        self.history.append(row)
        if self.config.output_dir:
            path = Path(self.config.output_dir) / "log.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    def save(self, *, always: bool = False) -> Path | None:
        """Write a checkpoint if one is due, and return its folder."""
        every = self.config.save_steps
        due = always or (every > 0 and self.step % every == 0)
        if not due or not self.config.output_dir:
            return None
        state = {"config": dataclasses.asdict(self.config), "history": self.history}
        return checkpoint.write(Path(self.config.output_dir), self.step, state, self._fill)

    def resume(self, wanted: bool | str | Path) -> None:
        """Go on from a checkpoint: its weights, optimizer, step and log.

        Raises:
            DataError: if it is none, or cannot be read.
            InvalidValueError: if it is of another model.
        """
        path = checkpoint.find(Path(self.config.output_dir or "."), wanted)
        if path is None:
            return
        state = checkpoint.read_state(path)
        self._load_weights(path)
        saved = torch.load(path / "optimizer.pt", map_location="cpu", weights_only=True)
        self._optimizer.load_state_dict(saved)
        self.step, self.history = state["step"], state["history"]
        if self.config.output_dir:
            rows = "".join(json.dumps(row) + "\n" for row in self.history)
            Path(self.config.output_dir).mkdir(parents=True, exist_ok=True)
            (Path(self.config.output_dir) / "log.jsonl").write_text(rows, encoding="utf-8")

    def _fill(self, folder: Path) -> None:
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        torch.save(self._optimizer.state_dict(), folder / "optimizer.pt")

    @torch.no_grad()
    def _load_weights(self, path: Path) -> None:
        saved: dict[str, Tensor] = {}
        for file in sorted(path.glob("*.safetensors")):
            saved |= load_file(file)
        for name, weight in self._weights.items():
            # PEFT leaves the adapter's name out of the file
            found = saved.get(name, saved.get(name.replace(".default.", ".")))
            if found is None or found.shape != weight.shape:
                raise InvalidValueError(f"The checkpoint {str(path)!r} is of another model")
            weight.copy_(found)


def warmup(config: TrainConfig, step: int) -> float:
    """Return the share of the learning rate at *step*: a linear rise, then 1."""
    return min(1.0, (step + 1) / (config.warmup_steps + 1))


def cosine(config: TrainConfig, step: int, final: float) -> float:
    """Return the share of the learning rate at *step*: a rise, then a cosine down to *final*."""
    if step < config.warmup_steps:
        return warmup(config, step)
    done = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

"""What both trainers do with a loss: optimizer, learning rate, checkpoints and the log file."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import os
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError, TrainingError
from agentgym_gen.seeding import stream
from agentgym_gen.system.files import append_text, atomic_write, open_regular, write_jsonl
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.distributed import Distributed
from agentgym_gen.trainers.logging.model_card import write_card
from agentgym_gen.trainers.models.adapters import adapter_dropout, make_trainable, save_weights
from agentgym_gen.trainers.models.device import choose_threads, describe_device
from agentgym_gen.trainers.models.memory import autocast, explain_oom, gradient_checkpointing
from agentgym_gen.trainers.models.publishing import save_merged
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.optimizer import Optimizer, Snapshot
from agentgym_gen.trainers.packing.micro_batches import MicroBatch
from agentgym_gen.trainers.packing.prefix_tree import supports_tree_attention

_LOAD_ERRORS = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError),
    *(TypeError, AttributeError, pickle.UnpicklingError),
)
"""What torch raises for a file that holds no state of an optimizer, or that of another one."""

LOG = logging.getLogger(__name__)

LOG_FILE = "log.jsonl"
"""The file of the log in the output folder, one row a line."""

_LOG_START = b'{"step": '
"""How every log begins."""


class Learner:
    """A model, its optimizer and the number of updates made.

    The model stays in evaluation mode, so that the loss scores the distribution that was sampled
    from. Only an adapter may have dropout, in updates (`TrainConfig.lora_dropout`).

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, which is saved with it.
        config: The settings.
        schedule: Maps the number of updates made to a share of the learning rate.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        config: TrainConfig,
        schedule: Callable[[int], float],
    ) -> None:
        choose_threads(model)
        adapter = config.lora_rank, config.lora_alpha, config.seed, config.lora_targets
        self.model = make_trainable(model, *adapter, config.lora_dropout)
        self.tokenizer = tokenizer
        self.config = config
        self.tree_attention = supports_tree_attention(self.model)
        """Whether sequences that share a prefix can share a row."""
        self.distributed = Distributed()
        self.step = 0
        self.history: list[LogRow] = []
        self._schedule = schedule
        self._weights = {
            name: weight for name, weight in self.model.named_parameters() if weight.requires_grad
        }
        self._optimizer = Optimizer(self._weights, config)
        self._updates = 0
        """How many updates this step has made, which names streams of dropout with the step."""
        self._saved: Path | None = None
        """The checkpoint that has the present weights, if there is one."""

    def update(
        self, batches: list[MicroBatch], loss_of: Callable[[MicroBatch], Tensor]
    ) -> tuple[float, float]:
        """Make one update from the sum of the losses; return that sum and the gradient's norm.

        Args:
            batches: All micro batches of the update; each process takes its share of them.
            loss_of: Returns the loss of a micro batch, which is a part of the sum.

        Raises:
            TrainingError: if the loss or the gradient is not a number, or memory is full.
        """
        optimizer, task = self._optimizer, f"the update of step {self.step + 1}"
        optimizer.zero_grad()
        total, bad_batch = 0.0, None
        for number, batch in self.distributed.shard(list(enumerate(batches))):
            with (
                adapter_dropout(
                    self.model, self._dropout_seed(number), enabled=self.config.lora_dropout > 0
                ),
                explain_oom(task, *memory_remedies(batch, self.config)),
                autocast(self.model, bf16=self.config.bf16),
                gradient_checkpointing(self.model, enabled=self.config.gradient_checkpointing),
            ):
                loss = loss_of(batch)
                loss.backward()  # type: ignore[no-untyped-call]
            optimizer.collect_gradients()
            if bad_batch is None and not math.isfinite(float(loss.detach())):
                bad_batch = batch
            total += float(loss.detach())
        (total,) = self.distributed.sum(total)
        self.distributed.sum_gradients(optimizer.gradient_holders)
        norm = optimizer.clip()
        if not math.isfinite(total) or not math.isfinite(norm):
            raise self._not_a_number(total, norm, bad_batch or batches[-1])
        remedy = "lower `lora_rank`" if self.config.lora_rank else "train an adapter (`lora_rank`)"
        with explain_oom(task, remedy, "take a smaller model"):
            optimizer.step(self._schedule(self.step))
        self._updates += 1
        self._saved = None
        return total, norm

    def _dropout_seed(self, number: int) -> int:
        """Return the seed of the dropout of micro batch *number* of the present update."""
        key = "dropout", self.step, self._updates, number
        return int(stream(*key, entropy=self.config.seed).integers(1 << 62))

    def _not_a_number(self, total: float, norm: float, bad_batch: MicroBatch) -> TrainingError:
        saved = ""
        if self.config.output_dir:
            path = Path(self.config.output_dir) / f"not_a_number_{self.step + 1:06d}.pt"
            with atomic_write(path) as file:
                torch.save(dataclasses.asdict(bad_batch), file)
            saved = f"; the batch is in {str(path)!r}"
        return TrainingError(
            f"The loss ({total}) or its gradient ({norm}) is not a number at step "
            f"{self.step + 1}{saved}; lower `learning_rate` or go on from an earlier checkpoint"
        )

    def snapshot(self) -> Snapshot:
        """Return a copy of the trained weights."""
        return self._optimizer.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Set the trained weights to those of *snapshot*."""
        self._optimizer.restore(snapshot)
        self._saved = None

    def end_step(self) -> None:
        """Count a step that was made."""
        self.step, self._updates = self.step + 1, 0

    def record(self, row: LogRow) -> None:
        """Add *row* to the history and to the log file.

        Raises:
            DataError: if the file cannot be written.
        """
        self.history.append(row)
        if self.config.output_dir and self.distributed.is_main:
            with self._log() as path:
                append_text(path, json.dumps(row) + "\n")

    def save(self) -> Path | None:
        """Write a checkpoint, where there is an output folder, and return its folder.

        Raises:
            DataError: if it cannot be written.
        """
        if not self.config.output_dir:
            return None
        state = self._state()
        root, keep = Path(self.config.output_dir), self.config.save_total_limit
        path = self.distributed.run_on_main(
            lambda: checkpoint.write(root, self.step, state, self.write_files, keep=keep)
        )
        self._saved = path
        return path

    def save_best(self) -> None:
        """Write the present weights into ``best``, where there is an output folder.

        Raises:
            DataError: if they cannot be written.
        """
        if not self.config.output_dir:
            return
        root, state = Path(self.config.output_dir), self._state()
        self.distributed.run_on_main(
            lambda: checkpoint.write_best(root, self.step, state, self.save_model)
        )

    def check_best(self, step: int | None) -> None:
        """Set weights in ``best`` aside that are not those of *step*, which the log calls best."""
        if not self.config.output_dir or not self.distributed.is_main:
            return
        root = Path(self.config.output_dir)
        with checkpoint.writing(root / checkpoint.BEST, "the best weights"):
            aside = checkpoint.set_other_best_aside(root, step)
        if aside is not None:
            LOG.info("The best weights were those of another course, and are in %s now", aside)

    def _state(self) -> dict[str, Any]:
        return {
            "config": dataclasses.asdict(self.config),
            "runs_on": describe_device(self.model),
            "history": self.history,
        }

    @property
    def is_saved(self) -> bool:
        """Whether the output folder has a checkpoint of this step, with the present weights."""
        folder = checkpoint.folder_of(Path(self.config.output_dir), self.step)
        return self._saved is not None and self._saved.resolve() == folder.resolve()

    def resume(self, resume_from: bool | str | Path) -> None:
        """Load the weights, optimizer, step and log of a checkpoint, or start anew without one.

        Args:
            resume_from: True loads the latest checkpoint, a path that one, False none.

        Raises:
            DataError: if the path is no checkpoint, or it cannot be read.
            InvalidValueError: if the checkpoint is of another model.
            ResultExistsError: if a training would start where another one has left checkpoints, or
                somebody else a file with the name of the log.
        """
        root = Path(self.config.output_dir or ".")
        path = checkpoint.find(root, resume_from)
        if path is None:
            self._start(root)
            return
        state = checkpoint.read_state(path)
        self._load_weights(path)
        self._load_optimizer(path / "optimizer.pt")
        self.step, self.history = state["step"], state["history"]
        self._saved = path if path.resolve().parent == root.resolve() else None
        if self.config.output_dir:
            self.distributed.run_on_main(partial(checkpoint.set_newer_aside, root, path))
        if self.config.output_dir and self.distributed.is_main:
            with self._log() as path:
                write_jsonl(path, self.history)

    def _start(self, root: Path) -> None:
        """Start a training, unless another one has left checkpoints that would count as newer.

        The log of a run that was killed before its first checkpoint is removed.
        """
        if not self.config.output_dir or self.step > 0:
            return
        latest = checkpoint.latest(root)
        if latest is not None:
            raise ResultExistsError(
                f"{str(root)!r} holds checkpoints of a training, the latest is {latest.name!r}; "
                "go on with `train(resume_from_checkpoint=True)`, or choose another `output_dir`"
            )
        if self.distributed.is_main:
            _check_log(root / LOG_FILE)
            with self._log() as path:
                path.unlink(missing_ok=True)

    def write_files(self, folder: Path) -> None:
        """Write the model, its card and the state of the optimizer into *folder*.

        Without an update since the last checkpoint, only the card is new.
        """
        if self._saved is not None and self._saved.is_dir():
            checkpoint.link_files(self._saved, folder)
            write_card(folder, self.model, self.config, self.history)
            return
        self.save_model(folder)
        _save(self._optimizer.state_dict(), folder / "optimizer.pt")

    def save_model(self, folder: Path) -> None:
        """Write the adapter, or the whole model, with its tokenizer and a card into *folder*."""
        save_weights(self.model, folder)
        self.tokenizer.save_pretrained(folder)
        write_card(folder, self.model, self.config, self.history)

    def save_merged(self, folder: Path) -> None:
        """Write the model with its adapter merged, its tokenizer and a card into *folder*."""
        save_merged(self.model, folder)
        self.tokenizer.save_pretrained(folder)
        write_card(folder, self.model, self.config, self.history)

    @contextlib.contextmanager
    def _log(self) -> Iterator[Path]:
        path = Path(self.config.output_dir) / LOG_FILE
        with checkpoint.writing(path, "the log"):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield path

    def _load_optimizer(self, path: Path) -> None:
        """Load the state in *path*: tensors and numbers; anything else in it is refused unread."""
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            self._optimizer.load_state_dict(saved)
        except _LOAD_ERRORS as error:
            raise DataError(
                f"Cannot read {path} of the checkpoint: {str(error)[:200]}; go on from an older one"
            ) from error

    @torch.no_grad()
    def _load_weights(self, path: Path) -> None:
        saved: dict[str, Tensor] = {}
        for file in sorted(path.glob("*.safetensors")):
            try:
                saved |= load_file(file)
            except (OSError, SafetensorError, ValueError, KeyError) as error:
                raise DataError(
                    f"Cannot read {file} of the checkpoint: {error}; go on from an older one"
                ) from error
        for name, weight in self._weights.items():
            # PEFT leaves the adapter's name out of the file
            tensor = saved.get(name, saved.get(name.replace(".default.", ".")))
            if tensor is None or tensor.shape != weight.shape:
                raise InvalidValueError(f"The checkpoint {str(path)!r} is of another model")
            weight.copy_(tensor)


def _check_log(path: Path) -> None:
    """Raise if *path* is there and no log of a training: it is not ours to remove.

    Raises:
        ResultExistsError: if that is so.
    """
    if not path.exists() and not path.is_symlink():
        return
    start = None
    with contextlib.suppress(OSError), os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
        start = file.read(len(_LOG_START))
    if start in (b"", _LOG_START):
        return
    raise ResultExistsError(
        f"{path} is there and is no log of a training; move it away, or choose another `output_dir`"
    )


def _save(value: object, path: Path) -> None:
    # Into an open file: given a path, torch does not report why it could not write.
    with path.open("wb") as file:
        torch.save(value, file)


def memory_remedies(batch: MicroBatch, config: TrainConfig) -> list[str]:
    """Return what helps when *batch* does not fit into memory: a single row cannot be divided."""
    rows, width = batch.ids_BT.shape
    remedies = []
    if rows > 1:
        remedies.append(
            f"lower `micro_batch_tokens` ({config.micro_batch_tokens}; this batch had {rows} rows "
            f"of {width} tokens)"
        )
    if not config.gradient_checkpointing:
        remedies.append("set `gradient_checkpointing=True`")
    if rows == 1:
        remedies.append(
            f"lower `max_episode_tokens`, or show fewer turns (this batch was one row of {width} "
            "tokens)"
        )
    return remedies


def warmup(config: TrainConfig, step: int) -> float:
    """Return the share of the learning rate at *step*: a linear rise, then 1."""
    return min(1.0, (step + 1) / (config.warmup_steps + 1))


def learning_rate_share(config: TrainConfig, step: int, schedule: str, final: float) -> float:
    """Return the share of the learning rate at *step*: a rise, and then its schedule.

    Args:
        config: The settings.
        step: How many steps were made.
        schedule: ``constant``, or ``linear`` or ``cosine`` down to *final*.
        final: The share at the end.
    """
    if step < config.warmup_steps or schedule == "constant":
        return warmup(config, step)
    progress = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
    progress = min(1.0, progress)
    left = 1 - progress if schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return final + (1 - final) * left

"""What both trainers do with a loss: optimizer, learning rate, checkpoints and the log file."""

from __future__ import annotations

import dataclasses
import logging
import math
import pickle
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError, TrainingError
from agentgym_gen.seeding import stream
from agentgym_gen.system.files import atomic_write
from agentgym_gen.trainers import checkpoint
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.log_file import append_row, remove_log, replace_rows
from agentgym_gen.trainers.logging.model_card import write_card
from agentgym_gen.trainers.models.adapters import (
    adapter_dropout,
    make_trainable,
    save_weights,
    saved_weights,
)
from agentgym_gen.trainers.models.device import choose_threads, describe_device
from agentgym_gen.trainers.models.memory import autocast, explain_oom, gradient_checkpointing
from agentgym_gen.trainers.models.publishing import save_merged
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.optimizer import Optimizer, Snapshot
from agentgym_gen.trainers.packing.micro_batches import MicroBatch, Sample, fill_up, pack
from agentgym_gen.trainers.packing.prefix_tree import supports_tree_attention
from agentgym_gen.trainers.parallel.distributed import Distributed
from agentgym_gen.trainers.parallel.sharding import check_sharding, part_like, shard

_LOAD_ERRORS = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError),
    *(TypeError, AttributeError, pickle.UnpicklingError),
)
"""What torch raises for a file that holds no state of an optimizer, or that of another one."""

LOG = logging.getLogger(__name__)

T = TypeVar("T")


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
        self.distributed = Distributed()
        check_sharding(model, self.distributed.size, fsdp=config.fsdp)
        adapter = config.lora_rank, config.lora_alpha, config.seed, config.lora_targets
        self.model = make_trainable(model, *adapter, config.lora_dropout)
        self.tokenizer = tokenizer
        self.config = config
        self.distributed.check_same_weights(self.model)
        self._sharded = shard(self.model) if config.fsdp else None
        with self.whole_model() as whole:
            self.tree_attention = supports_tree_attention(whole)
            """Whether sequences that share a prefix can share a row."""
        self.step = 0
        self.history: list[LogRow] = []
        self.rows: list[LogRow] = []
        """Those of all steps, of which the log has one in `logging_steps`."""
        self._schedule = schedule
        self._weights = {
            name: weight for name, weight in self.model.named_parameters() if weight.requires_grad
        }
        rounded = self._sharded is not None and torch.finfo(self._sharded.dtype).bits < 32
        self._optimizer = Optimizer(self._weights, config, rounded=rounded)
        self._updates = 0
        """How many updates this step has made, which names streams of dropout with the step."""
        self._saved: Path | None = None
        """The checkpoint that has the present weights, if there is one."""

    def whole_model(self) -> AbstractContextManager[Model]:
        """Return the context of the model with whole weights, to play and to write files.

        Where weights are divided, all processes have to enter together; within it, entering again
        costs nothing.
        """
        return nullcontext(self.model) if self._sharded is None else self._sharded.whole()

    def pack(self, samples: Sequence[Sample], pad_id: int) -> list[MicroBatch]:
        """Return *samples* as micro batches; where weights are divided, as many for each process.

        Args:
            samples: The sequences.
            pad_id: The token at padding.
        """
        budget = self.config.micro_batch_tokens
        batches = pack(samples, budget, pad_id, tree_attention=self.tree_attention)
        if self._sharded is None:
            return batches
        return fill_up(batches, self.distributed.size, pad_id)

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
        total = 0.0
        bad_numbers: list[int] = []
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
            if not math.isfinite(float(loss.detach())):
                bad_numbers.append(number)
            total += float(loss.detach())
        (total,) = self.distributed.sum(total)
        if self._sharded is None:  # or else they are summed already
            self.distributed.sum_gradients(optimizer.gradient_holders)
        norm = optimizer.clip()
        if not math.isfinite(total) or not math.isfinite(norm):
            bad_numbers = self.distributed.gather(bad_numbers) or [len(batches) - 1]
            raise self._not_a_number(total, norm, batches[min(bad_numbers)])
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
        if self.config.output_dir and self.distributed.is_main:
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
            append_row(Path(self.config.output_dir), row)

    def save(self) -> Path | None:
        """Write a checkpoint, where there is an output folder, and return its folder.

        Raises:
            DataError: if it cannot be written.
        """
        if not self.config.output_dir:
            return None
        state = self._state()
        root, keep = Path(self.config.output_dir), self.config.save_total_limit
        # All processes have to agree on whether weights are gathered.
        (changed,) = self.distributed.sum(float(not self._is_on_disk()))
        with self.whole_model() if changed else nullcontext():
            main = self.distributed.is_main
            optimizer = self._optimizer.state_dict(keep=main) if changed else None
            write_files = partial(self.write_files, optimizer=optimizer)
            path = self.distributed.run_on_main(
                lambda: checkpoint.write(root, self.step, state, write_files, keep=keep)
            )
        self._saved = checkpoint.folder_of(root, self.step)
        return path

    def save_best(self) -> None:
        """Write the present weights into ``best``, where there is an output folder.

        Raises:
            DataError: if they cannot be written.
        """
        if not self.config.output_dir:
            return
        root, state = Path(self.config.output_dir), self._state()
        self.write_on_main(lambda: checkpoint.write_best(root, self.step, state, self.save_model))

    def write_on_main(self, write: Callable[[], T]) -> T | None:
        """Call *write* in the main process, with whole weights, while the others wait."""
        with self.whole_model():
            return self.distributed.run_on_main(write)

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
        divided = f", divided among {self.distributed.size} processes"
        return {
            "config": dataclasses.asdict(self.config),
            "runs_on": describe_device(self.model) + (divided if self._sharded else ""),
            "history": self.history,
            **({} if self.rows == self.history else {"rows": self.rows}),
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
        if resume_from is True and not self.config.output_dir:
            raise InvalidValueError("A training goes on in its `output_dir`, and this one has none")
        path = checkpoint.find(root, resume_from)
        if path is None:
            self._start(root)
            return
        if self.config.output_dir:
            checkpoint.check_course(root, path)
        state = checkpoint.read_state(path)
        checkpoint.check_kind(path, state, self.config)
        checkpoint.check_scale(path, state, self.config)
        self._load_weights(path)
        self._load_optimizer(path / "optimizer.pt")
        self.step, self.history, self.rows = state["step"], state["history"], state["rows"]
        self._saved = path if path.resolve().parent == root.resolve() else None
        if self.config.output_dir:
            self.distributed.run_on_main(partial(checkpoint.enter, root, path))
        if self.config.output_dir and self.distributed.is_main:
            replace_rows(root, self.history)

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
            remove_log(root)

    def write_files(self, folder: Path, optimizer: dict[str, Any] | None = None) -> None:
        """Write the model, its card and the state of the optimizer into *folder*.

        Without an update since the last checkpoint, only the card is new.

        Args:
            folder: The folder.
            optimizer: The state of the optimizer; None takes the present one.
        """
        if self._saved is not None and self._is_on_disk():
            checkpoint.link_files(self._saved, folder)
            write_card(folder, self.model, self.config, self.history)
            return
        self.save_model(folder)
        _save(optimizer or self._optimizer.state_dict(), folder / "optimizer.pt")

    def _is_on_disk(self) -> bool:
        return self._saved is not None and self._saved.is_dir()

    def save_model(self, folder: Path) -> None:
        """Write the adapter, or the whole model, with its tokenizer and a card into *folder*.

        Where weights are divided, this is for `write_on_main`.
        """
        with self.whole_model() as model:
            save_weights(model, folder)
            self._write_rest(folder)

    def save_merged(self, folder: Path) -> None:
        """Write the model with its adapter merged, its tokenizer and a card into *folder*."""
        with self.whole_model() as model:
            save_merged(model, folder)
            self._write_rest(folder)

    def _write_rest(self, folder: Path) -> None:
        self.tokenizer.save_pretrained(folder)
        write_card(folder, self.model, self.config, self.history)

    def _load_optimizer(self, path: Path) -> None:
        """Load the state in *path*: tensors and numbers; anything else in it is refused unread."""
        try:
            # Processes that take parts of the file share its pages in memory.
            mapped = self._sharded is not None
            saved = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
            self._optimizer.load_state_dict(saved)
        except _LOAD_ERRORS as error:
            raise DataError(
                f"Cannot read {path} of the checkpoint: {str(error)[:200]}; go on from an older one"
            ) from error

    @torch.no_grad()
    def _load_weights(self, path: Path) -> None:
        saved = saved_weights(path, self.model, self._weights)
        for name, weight in self._weights.items():
            tensor = saved.get(name)
            if tensor is None or tensor.shape != weight.shape:
                raise InvalidValueError(f"The checkpoint {str(path)!r} is of another model")
            weight.copy_(part_like(tensor, weight))


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

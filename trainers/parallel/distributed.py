"""Data parallel training: several processes, each of which plays and scores its share.

``accelerate launch`` and ``torchrun`` start the processes and name each by environment variables.
Episodes are gathered, so that every process has all of them, and gradients are summed: the update
is that of one process with the joined batch. Only the main process writes files.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor

from agentgym_gen.errors import AgentGymGenError, InvalidValueError, TrainingError
from agentgym_gen.system.processors import launched_processes
from agentgym_gen.trainers.models.device import local_device
from agentgym_gen.trainers.models.types import Model

T = TypeVar("T")

_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""The type of integers with so many bytes."""


class Distributed:
    """The processes of a training, of which this is one."""

    def __init__(self) -> None:
        launched = launched_processes()
        self.size = launched.size
        """How many processes there are."""
        self.rank = launched.rank
        """The number of this process, from 0."""
        if self.size > 1 and torch.cuda.is_available():
            torch.cuda.set_device(local_device())
        if self.size > 1 and not distributed.is_initialized():
            # If torch imports it later, it keeps the group, and leaving that does not end gloo's
            # threads: one that frees a tensor while the interpreter ends aborts the process.
            import_module("torch._dynamo")
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
            atexit.register(_leave_group)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def logger(self, logger: logging.Logger) -> logging.Logger:
        """Return *logger* in the main process; in the others, one of its name that is silent."""
        if self.is_main:
            return logger
        silent = logging.Logger(logger.name)  # outside of the tree, so that nothing sets it up
        silent.disabled = True
        return silent

    def shard(self, items: Sequence[T]) -> list[T]:
        """Return this process's share of *items*: each ``size``-th, from its own number on.

        Where items are ordered by length, all processes get short and long ones.
        """
        return list(items[self.rank :: self.size])

    def block(self, items: Sequence[T]) -> list[T]:
        """Return this process's share of *items*: a block of neighbours.

        The episodes of a task stay together, and so does the prefix that they share, where the
        tasks divide evenly among the processes.
        """
        start, end = (len(items) * rank // self.size for rank in (self.rank, self.rank + 1))
        return list(items[start:end])

    def gather(self, block: list[T]) -> list[T]:
        """Return the items of all processes, those of the first process first."""
        if self.size == 1:
            return block
        blocks: list[Any] = [None] * self.size
        distributed.all_gather_object(blocks, block)
        return [item for own in blocks for item in own]

    def sum_gradients(self, weights: Iterable[Tensor]) -> None:
        """Replace the gradients by their sums over all processes.

        A weight without a gradient in any of them keeps none: to the optimizer, a gradient of zero
        would be another thing.
        """
        if self.size == 1:
            return
        held = list(weights)
        with_gradient = torch.tensor([weight.grad is not None for weight in held]).to(_device())
        distributed.all_reduce(with_gradient, op=distributed.ReduceOp.MAX)
        for weight, anywhere in zip(held, with_gradient.tolist(), strict=True):
            if not anywhere:
                continue
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            distributed.all_reduce(weight.grad)

    def sum(self, *values: float) -> list[float]:
        """Return the sums of *values* over all processes."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=_device())
        distributed.all_reduce(sums)
        return [float(value) for value in sums]

    def run_on_main(self, work: Callable[[], T]) -> T | None:
        """Do *work* in the main process, while the others wait; return its result there.

        An error of it is raised in all processes, so that none waits for one that has left.
        """
        if self.size == 1:
            return work()
        result: T | None = None
        error: Exception | None = None
        if self.is_main:
            try:
                result = work()
            except Exception as raised:  # noqa: BLE001  (raised again in every process)
                error = raised
        shared: list[Any] = [_portable(error)]
        distributed.broadcast_object_list(shared)
        if error or shared[0]:
            raise error or shared[0]
        return result

    def check_same_weights(self, model: Model) -> None:
        """Raise unless every process starts from the same weights.

        A model with random weights is another one in each process, unless all use one seed.

        Raises:
            InvalidValueError: if they differ.
        """
        if self.size > 1 and len(set(self.gather([checksum(model)]))) > 1:
            raise InvalidValueError(
                "The weights of the model differ between the processes, which train one model "
                "together; load it in all of them from one place, or call `torch.manual_seed` "
                "before it is built"
            )


LAST_MOMENTS = 0.3
"""How many seconds gloo's threads get to free the tensors of the last collective."""


def _leave_group() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
        # Divided weights keep the group, and so its threads. One that still frees a tensor when the
        # interpreter ends would abort the process, as was seen once; the main thread waits without
        # the lock that it needs.
        time.sleep(LAST_MOMENTS)


def _device() -> str:
    """Return where a tensor has to be that is sent to other processes."""
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"


def _portable(error: Exception | None) -> AgentGymGenError | None:
    """Return *error* as one that can be sent: errors of libraries may not be picklable."""
    if error is None or isinstance(error, AgentGymGenError):
        return error
    return TrainingError(f"The main process failed: {error!r}")


@torch.no_grad()
def checksum(model: Model) -> int:
    """Return a number that is another one where a weight of *model* is another one.

    The bits of each weight are summed as integers, exactly and in any order. Weights that are
    divided among processes do not count.
    """
    total = 0
    for weight in model.parameters():
        if isinstance(weight, DTensor):
            continue
        bits = weight.detach().contiguous().view(-1).view(_INTEGERS[weight.element_size()])
        total = (total * 1_000_003 + int(bits.sum(dtype=torch.int64))) % (1 << 61)
    return total

"""Data parallel training: several processes, each of which plays and scores its share.

``accelerate launch`` and ``torchrun`` start the processes and name each by environment variables.
Episodes are gathered, so that every process knows all of them, and gradients are added up: the
update is that of one process with the joined batch. The first process alone writes files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

T = TypeVar("T")


class Distributed:
    """The processes of a training, of which this is one."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        """How many there are."""
        self.rank = int(os.environ.get("RANK", "0")) if self.size > 1 else 0
        """The number of this one, from 0."""
        if self.size > 1 and torch.cuda.is_available():
            torch.cuda.set_device(local_device())
        if self.size > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def shard(self, items: Sequence[T]) -> list[T]:
        """Return those of *items* that are this process's."""
        return list(items[self.rank :: self.size])

    def gather(self, mine: list[T]) -> list[T]:
        """Return the items of all processes in the order that `share` dealt them."""
        if self.size == 1:
            return mine
        dealt: list[Any] = [None] * self.size
        distributed.all_gather_object(dealt, mine)
        whole: list[T] = [dealt[0][0]] * sum(map(len, dealt)) if any(dealt) else []
        for rank, items in enumerate(dealt):
            whole[rank :: self.size] = items
        return whole

    def sum_gradients(self, weights: Iterable[Tensor]) -> None:
        """Add up the gradients of all processes, in each of them."""
        if self.size == 1:
            return
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            distributed.all_reduce(weight.grad)

    def sum(self, *values: float) -> list[float]:
        """Return the sums of *values* over all processes."""
        if self.size == 1:
            return list(values)
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(sums)
        return [float(value) for value in sums]

    def run_on_main(self, work: Callable[[], T]) -> T | None:
        """Do *work* in the first process, while the others wait for it."""
        done = work() if self.is_main else None
        if self.size > 1:
            distributed.barrier()
        return done


def local_device() -> str:
    """Return the device of this process: its own GPU, or the CPU."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"

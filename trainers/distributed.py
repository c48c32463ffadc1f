"""Data parallel training: several processes, each of which plays and scores its share.

``accelerate launch`` and ``torchrun`` start the processes and name each by environment variables.
Episodes are gathered, so that every process has all of them, and gradients are summed: the update
is that of one process with the joined batch. Only the main process writes files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from agentgym_gen.trainers.models.device import local_device

T = TypeVar("T")


class Distributed:
    """The processes of a training, of which this is one."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        """How many processes there are."""
        self.rank = int(os.environ.get("RANK", "0")) if self.size > 1 else 0
        """The number of this process, from 0."""
        if self.size > 1 and torch.cuda.is_available():
            torch.cuda.set_device(local_device())
        if self.size > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def shard(self, items: Sequence[T]) -> list[T]:
        """Return this process's share of *items*: each ``size``-th, from its own number on."""
        return list(items[self.rank :: self.size])

    def gather(self, shard: list[T]) -> list[T]:
        """Return the items of all processes, in the order that they had before `shard`."""
        if self.size == 1:
            return shard
        shards: list[Any] = [None] * self.size
        distributed.all_gather_object(shards, shard)
        # A list of the right length, overwritten below: the first process has an item if any has.
        items: list[T] = [shards[0][0]] * sum(map(len, shards)) if any(shards) else []
        for rank, own in enumerate(shards):
            items[rank :: self.size] = own
        return items

    def sum_gradients(self, weights: Iterable[Tensor]) -> None:
        """Replace the gradients by their sums over all processes."""
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
        """Do *work* in the main process, while the others wait; return its result there."""
        result = work() if self.is_main else None
        if self.size > 1:
            distributed.barrier()
        return result

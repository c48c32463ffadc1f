"""Where a model runs: the device of this process, and how many threads a CPU gives it."""

from __future__ import annotations

import os

import torch

from agentgym_gen.system.processors import free_memory, usable_processors
from agentgym_gen.trainers.models.types import Model

SMALL_MODEL = 30_000_000
"""On a CPU, a model with fewer parameters runs fastest on one thread."""


def local_device() -> str:
    """Return the device of this process: its own GPU, or the CPU."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK') or 0}"


def free_device_memory() -> tuple[str, int | None]:
    """Return what this process's device is called, and how many bytes of its memory are free.

    None stands for a number that the system does not say.
    """
    if not torch.cuda.is_available():
        return "this machine", free_memory()
    device = torch.device(local_device())
    return torch.cuda.get_device_name(device), int(torch.cuda.mem_get_info(device)[0])


def choose_threads(model: Model) -> None:
    """Use one thread for a small model on a CPU, and one for each processor for a larger one.

    ``OMP_NUM_THREADS`` decides where it is set.
    """
    if os.environ.get("OMP_NUM_THREADS"):
        return
    count = sum(parameter.numel() for parameter in model.parameters())
    if next(model.parameters()).device.type == "cpu":
        torch.set_num_threads(1 if count < SMALL_MODEL else usable_processors())


def describe_device(model: Model) -> str:
    """Return the device, the precision and the threads of *model*, in words."""
    weight = next(model.parameters())
    threads = f", {torch.get_num_threads()} threads" if weight.device.type == "cpu" else ""
    return f"{weight.device} in {str(weight.dtype).removeprefix('torch.')}{threads}"

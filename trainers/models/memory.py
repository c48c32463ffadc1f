"""What decides how much memory a model takes, and the error when there is not enough.

Quantised weights are chosen when a model is loaded (`agentgym_gen.trainers.models.loading`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from agentgym_gen.errors import TrainingError
from agentgym_gen.trainers.models.types import Model

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")
"""What the messages of torch contain when there is no more memory."""


def autocast(model: Model, *, bf16: bool) -> AbstractContextManager[object]:
    """Return the context in which *model* samples and scores: autocast to bfloat16, or nothing."""
    device = next(model.parameters()).device.type
    return torch.autocast(device, torch.bfloat16) if bf16 else nullcontext()


@contextmanager
def gradient_checkpointing(model: Model, *, enabled: bool) -> Iterator[None]:
    """Compute activations again in the backward pass instead of keeping them, if *enabled*.

    transformers checkpoints in training mode only. So the layers alone are put into training mode:
    their parts stay in evaluation mode, without dropout, and the sampler keeps its cache. Shares of
    dropout that a layer applies itself are 0 meanwhile.
    """
    if not enabled:
        yield
        return
    layers = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]
    _set_checkpointing(model, "enable", {"use_reentrant": False})
    shares = [
        (layer, name, value)
        for layer in layers
        for name, value in vars(layer).items()
        if isinstance(value, float) and "drop" in name
    ]
    for layer in layers:
        layer.training = True  # the flag of the layer itself; `train()` would reach its parts
    for layer, name, _ in shares:
        setattr(layer, name, 0.0)
    try:
        yield
    finally:
        for layer in layers:
            layer.training = False
        for layer, name, value in shares:
            setattr(layer, name, value)
        _set_checkpointing(model, "disable")


def _set_checkpointing(model: Model, action: str, *settings: object) -> None:
    # transformers 5.23 has renamed the methods, and warns of the old names
    new, old = f"activation_checkpointing_{action}", f"gradient_checkpointing_{action}"
    getattr(model, new if hasattr(model, new) else old)(*settings)


def return_freed_memory() -> None:
    """Return the memory of tensors that were freed to the system, where the C library keeps it.

    glibc takes blocks of less than 32 MB, such as the keys of one layer, from a heap that shrinks
    at its end only.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


@contextmanager
def explain_oom(task: str, *remedies: str) -> Iterator[None]:
    """Turn an out-of-memory error into one that says which settings help in this case.

    Args:
        task: What is done inside, such as ``a rollout``.
        remedies: What helps, such as ``lower `max_concurrent```; the best first.

    Raises:
        TrainingError: if memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        message = str(error).lower()
        is_oom = isinstance(error, MemoryError) or any(text in message for text in OUT_OF_MEMORY)
        if not is_oom:
            raise
        raise TrainingError(
            f"Memory ran out in {task}; {', or '.join(remedies)}; the last checkpoint is whole"
        ) from error

"""What decides how much memory a model takes: precision, activations, and what to do when it ends.

Quantised weights are chosen when a model is loaded (`load_model`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from agentgym_gen.errors import TrainingError
from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.models.types import Model

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")
"""What errors of torch say when there is no more memory."""


def autocast(model: Model, *, bf16: bool) -> AbstractContextManager[object]:
    """Return the context in which *model* samples and scores: autocast to bfloat16, or nothing."""
    device = next(model.parameters()).device.type
    return torch.autocast(device, torch.bfloat16) if bf16 else nullcontext()


@contextmanager
def gradient_checkpointing(model: Model, config: TrainConfig) -> Iterator[None]:
    """Compute activations again in the backward pass, if the settings say so.

    transformers does so in training mode only. The layers alone are put into it: what is inside
    them stays in evaluation mode, without dropout, and the sampler keeps its cache.
    """
    if not config.gradient_checkpointing:
        yield
        return
    layers = [one for one in model.modules() if isinstance(one, GradientCheckpointingLayer)]
    _set_checkpointing(model, "enable", {"use_reentrant": False})
    for layer in layers:
        layer.training = True
    try:
        yield
    finally:
        for layer in layers:
            layer.training = False
        _set_checkpointing(model, "disable")


def _set_checkpointing(model: Model, way: str, *settings: object) -> None:
    # transformers 5.23 has renamed the methods, and warns of the old names
    new, old = f"activation_checkpointing_{way}", f"gradient_checkpointing_{way}"
    getattr(model, new if hasattr(model, new) else old)(*settings)


@contextmanager
def explain_oom(where: str, *settings: str) -> Iterator[None]:
    """Turn an error of torch for want of memory into a sentence that says which setting to lower.

    Raises:
        TrainingError: if memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        full = isinstance(error, MemoryError) or any(
            words in str(error).lower() for words in OUT_OF_MEMORY
        )
        if not full:
            raise
        lower = " or ".join(f"`{knob}`" for knob in settings)
        raise TrainingError(
            f"Memory ran out in {where}; lower {lower}, or go on from the last checkpoint with a "
            "smaller model"
        ) from error

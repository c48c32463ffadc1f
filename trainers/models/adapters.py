"""Which weights of a model are trained and saved: those of a LoRA adapter, or all."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch

from agentgym_gen.errors import InvalidValueError, missing_extra
from agentgym_gen.trainers.models.types import Model

LOG = logging.getLogger(__name__)


def make_trainable(model: Model, lora_rank: int, lora_alpha: int, seed: int) -> Model:
    """Return *model* with a new LoRA adapter, or with all weights trainable at rank 0.

    A model that has an adapter already keeps it and goes on training it.

    Raises:
        InvalidValueError: if the model has an adapter of another rank.
        MissingExtraError: if peft is not installed.
    """
    if hasattr(model, "peft_config"):
        return _unfreeze_adapter(model, lora_rank)
    if lora_rank == 0:
        LOG.info("All weights are trained, without an adapter")
        return model.requires_grad_(True)
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise missing_extra("peft", "train", "A LoRA adapter", error) from error
    config = LoraConfig(
        r=lora_rank, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    # peft draws the adapter from the global generator, which is restored afterwards
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft 0.21 reads a property that transformers 5.23 has renamed
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config).eval()


def save_weights(model: Model, folder: Path) -> None:
    """Write the adapter of *model*, or all its weights, and its settings into *folder*."""
    with warnings.catch_warnings():
        # peft 0.18 looks for a model that was never on a disk, and warns that it is not there
        warnings.filterwarnings("ignore", "Could not find a config file in", UserWarning)
        model.save_pretrained(folder)


def _unfreeze_adapter(model: Model, lora_rank: int) -> Model:
    ranks = {config.r for config in model.peft_config.values()}
    if ranks != {lora_rank}:
        raise InvalidValueError(
            f"The model has an adapter of rank {sorted(ranks)}, but `lora_rank` is {lora_rank!r}"
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    return model

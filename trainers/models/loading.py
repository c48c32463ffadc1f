"""Loading a model and its tokenizer, and making its weights trainable."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as hf_logging

from agentgym_gen.errors import DataError, InvalidValueError, missing_extra
from agentgym_gen.trainers.models.types import Model, Tokenizer
from agentgym_gen.trainers.distributed import local_device
from agentgym_gen.trainers.models.smollm2 import SMOLLM2, model_folder

LOG = logging.getLogger(__name__)

SMALL_MODEL = 30_000_000
"""On a CPU, a model with fewer parameters runs fastest on one thread."""


def load_model(
    name: str | Path,
    *,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    load_in_8bit: bool = False,
) -> tuple[Model, Tokenizer]:
    """Return the causal language model *name* and its tokenizer.

    Args:
        name: A name on the hub, a folder (one with an adapter in it loads its base as well), or
            ``smollm2``, which needs no hub.
        device: Where it runs; None takes this process's GPU if there is one.
        dtype: The precision; None is bfloat16 on a GPU, and single precision on a CPU, most of
            which compute bfloat16 several times slower.
        load_in_8bit: Whether the base's weights are quantised to 8 bits, beside an adapter.

    Raises:
        DataError: if there is no such model.
        MissingExtraError: if 8 bits are asked for without bitsandbytes.
    """
    where = device or local_device()
    precision = dtype or (torch.bfloat16 if where.startswith("cuda") else torch.float32)
    source = str(model_folder() if str(name) == SMOLLM2 else name)
    extra = {"quantization_config": _eight_bits(), "device_map": where} if load_in_8bit else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        model: Model = AutoModelForCausalLM.from_pretrained(
            source, dtype=precision, use_safetensors=True, trust_remote_code=False, **extra
        )
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # tokenizers raises plain ones for a damaged file
        raise DataError(
            f"Cannot load the model {source!r}: it is neither a folder with a whole model, its "
            f"weights in safetensors, nor a name that the hub answers now ({error})"
        ) from error
    model = model.eval() if load_in_8bit else model.to(where).eval()
    choose_threads(model)
    LOG.info("Loaded %s on %s in %s", source, where, precision)
    return model, tokenizer


def _eight_bits() -> object:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise missing_extra("bitsandbytes", "quant", "A base of 8 bits")
    from transformers import BitsAndBytesConfig

    # it warns at every product of matrices that are not in half precision
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    return BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]


def describe_device(model: Model) -> str:
    """Return the device, the precision and the threads of *model*, in words."""
    weight = next(model.parameters())
    threads = f", {torch.get_num_threads()} threads" if weight.device.type == "cpu" else ""
    return f"{weight.device} in {str(weight.dtype).removeprefix('torch.')}{threads}"


def hide_progress_bars() -> None:
    """Keep transformers from drawing a bar for each small file; callers show their own progress."""
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def choose_threads(model: Model) -> None:
    """Use one thread for a small model on a CPU, and all that there are for a larger one."""
    count = sum(parameter.numel() for parameter in model.parameters())
    if next(model.parameters()).device.type == "cpu":
        torch.set_num_threads(1 if count < SMALL_MODEL else usable_processors())


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make_trainable(model: Model, lora_rank: int, lora_alpha: int, seed: int) -> Model:
    """Return *model* with a new LoRA adapter, or with all weights trainable at rank 0.

    A model that has an adapter already goes on with it.

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
    except ModuleNotFoundError as error:
        raise missing_extra("peft", "train", "A LoRA adapter") from error
    config = LoraConfig(
        r=lora_rank, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # peft 0.21 asks for a property that transformers 5.23 has renamed
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config).eval()


def _unfreeze_adapter(model: Model, lora_rank: int) -> Model:
    found = {config.r for config in model.peft_config.values()}
    if found != {lora_rank}:
        raise InvalidValueError(
            f"The model has an adapter of rank {sorted(found)}, but `lora_rank` is {lora_rank!r}"
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    return model

"""Which weights of a model are trained, those of a LoRA adapter or all; adapters in folders."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from agentgym_gen.errors import DataError, InvalidValueError, missing_extra
from agentgym_gen.system.untrusted_files import MEGABYTE, parse_json, read_text
from agentgym_gen.trainers.models.checks.weights import check_finite, check_keys
from agentgym_gen.trainers.models.types import Model

NOT_PLAIN = ("use_dora", "lora_bias", "modules_to_save", "trainable_token_indices")
"""The settings of LoRA that train more than two matrices a layer."""

LOG = logging.getLogger(__name__)

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of an adapter."""

MAX_RANK = 4096
"""The highest rank of an adapter from a folder; adapters of higher rank are larger than layers."""


def make_trainable(
    model: Model,
    lora_rank: int,
    lora_alpha: int,
    seed: int,
    targets: Sequence[str] = (),
    dropout: float = 0.0,
) -> Model:
    """Return *model* with a new LoRA adapter, or with all weights trainable at rank 0.

    A model that has an adapter already keeps it and goes on training it.

    Args:
        model: A causal language model.
        lora_rank: The rank of the adapter.
        lora_alpha: Its scale, times the rank.
        seed: The root of its weights.
        targets: The ends of the names of its layers; empty is all linear layers.
        dropout: The share of its inputs that `adapter_dropout` leaves out.

    Raises:
        InvalidValueError: if the model has an adapter of another rank, scale or other layers, or no
            layer of such a name.
        MissingExtraError: if peft is not installed.
    """
    if hasattr(model, "peft_config"):
        _check_adapter(model, lora_rank, lora_alpha, targets)
        return _unfreeze_adapter(model, dropout).eval()
    if lora_rank == 0:
        LOG.info("All weights are trained, without an adapter")
        return model.requires_grad_(True).eval()
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise missing_extra("peft", "train", "A LoRA adapter", error) from error
    config = LoraConfig(
        r=lora_rank,
        lora_alpha=lora_alpha,
        lora_dropout=dropout,
        target_modules=_checked_targets(model, targets) or "all-linear",
        task_type="CAUSAL_LM",
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


def saved_weights(path: Path, model: Model, names: Iterable[str]) -> dict[str, Tensor]:
    """Return the tensors of the checkpoint *path*, by the *names* that they have in *model*.

    transformers may write weights under other names than they have in memory, such as the experts
    of a mixture, which are one tensor there: then it reads the folder itself.

    Args:
        path: The folder.
        model: The model that the weights are for.
        names: The names of its trained weights.

    Raises:
        DataError: if a file cannot be read.
    """
    saved: dict[str, Tensor] = {}
    for file in sorted(path.glob("*.safetensors")):
        try:
            saved |= load_file(file)
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise DataError(
                f"Cannot read {file} of the checkpoint: {error}; go on from an older one"
            ) from error
    # PEFT leaves the adapter's name out of the file
    in_files = {name: name if name in saved else name.replace(".default.", ".") for name in names}
    if hasattr(model, "peft_config") or all(name in saved for name in in_files.values()):
        return {name: saved[own] for name, own in in_files.items() if own in saved}
    try:
        loaded, info = type(model).from_pretrained(path, dtype="auto", output_loading_info=True)
    except (OSError, ValueError, RuntimeError):  # the folder of a model of another class
        return {}
    missing = info["missing_keys"]
    return {name: weight for name, weight in loaded.state_dict().items() if name not in missing}


def _checked_targets(model: Model, targets: Sequence[str]) -> list[str]:
    linear = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            ends = sorted({name.rpartition(".")[2] for name in linear})
            raise InvalidValueError(
                f"The model has no linear layer {target!r} (`lora_targets`); it has: "
                f"{', '.join(ends)}"
            )
    return list(targets)


def _check_adapter(model: Model, lora_rank: int, lora_alpha: int, targets: Sequence[str]) -> None:
    """Raise unless the adapter of *model* is the one that the settings describe."""
    if list(model.peft_config) != ["default"]:
        raise InvalidValueError(
            f"The model has the adapters {list(model.peft_config)}, and one called 'default' is "
            "trained on: load it with `PeftModel.from_pretrained(model, folder)`"
        )
    if not hasattr(model, "get_base_model"):
        raise InvalidValueError(
            "An earlier training has put its adapter into this model, and what would be saved now "
            "could not be loaded again; pass the `model` of that trainer instead"
        )
    check_plain_lora(model)
    config = model.peft_config["default"]
    layers = config.target_modules
    layers = [layers] if isinstance(layers, str) else sorted(layers or ())
    own = {"lora_rank": config.r, "lora_alpha": config.lora_alpha, "lora_targets": layers}
    settings = {"lora_rank": lora_rank, "lora_alpha": lora_alpha, "lora_targets": sorted(targets)}
    for name, value in settings.items():
        if value not in (own[name], []):
            raise InvalidValueError(
                f"The model has an adapter with `{name}` {own[name]!r}, and the settings have "
                f"{value!r}: an adapter is trained on as it is"
            )


def check_plain_lora(model: Model) -> None:
    """Raise unless all that the adapters of *model* add is a product of two matrices a layer.

    Raises:
        InvalidValueError: with what else there is, which would be left out of merged weights.
    """
    for config in model.peft_config.values():
        kind = getattr(config.peft_type, "value", config.peft_type)
        more = [name for name in NOT_PLAIN if getattr(config, name, None)]
        if kind != "LORA" or more:
            raise InvalidValueError(
                f"The adapter is {' with '.join((kind, *more))}, and plain LORA is what is trained "
                "and merged here; merge it with PEFT (`merge_and_unload`), and load the result"
            )


def _unfreeze_adapter(model: Model, dropout: float) -> Model:
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    for part in model.modules():
        for name in getattr(part, "lora_dropout", ()):
            own = torch.nn.Dropout(dropout) if dropout else torch.nn.Identity()
            part.lora_dropout[name] = own.eval()
    return model


@contextmanager
def adapter_dropout(model: Model, seed: int, *, enabled: bool) -> Iterator[None]:
    """Leave out a share of the adapter's inputs inside, chosen by *seed*, if *enabled*.

    The rest of the model stays in evaluation mode. The global generator, which torch's dropout
    draws from, is as before afterwards.
    """
    if not enabled:
        yield
        return
    device = next(model.parameters()).device
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        with _dropout_mode(model, training=True):
            yield


@contextmanager
def no_dropout(model: Model) -> Iterator[None]:
    """Use the whole adapter inside, also within `adapter_dropout`; no random number is drawn."""
    with _dropout_mode(model, training=False):
        yield


@contextmanager
def _dropout_mode(model: Model, *, training: bool) -> Iterator[None]:
    parts = [part for name, part in model.named_modules() if "lora_dropout" in name.split(".")]
    before = [part.training for part in parts]
    for part in parts:
        part.training = training
    try:
        yield
    finally:
        for part, mode in zip(parts, before, strict=True):
            part.training = mode


def is_adapter(folder: Path) -> bool:
    """Return whether *folder* holds an adapter."""
    return (folder / SETTINGS).is_file()


def base_of(folder: Path) -> str:
    """Return the name or folder of the model that the adapter in *folder* is for.

    Raises:
        DataError: if its settings cannot be read, or are not those of a LoRA adapter.
    """
    path = folder / SETTINGS
    settings = parse_json(read_text(path, "Settings", MEGABYTE), repr(str(path)))
    base = settings.get("base_model_name_or_path") if isinstance(settings, dict) else None
    if not base or not isinstance(base, str):
        raise DataError(f"The adapter {str(folder)!r} does not say what model it is for")
    if settings.get("peft_type") != "LORA":
        raise DataError(
            f"The adapter {str(folder)!r} is of the kind {settings.get('peft_type')!r}, and only "
            "'LORA' is loaded"
        )
    _check_ranks(folder, settings)
    return base


def _check_ranks(folder: Path, settings: dict[str, Any]) -> None:
    pattern = settings.get("rank_pattern") or {}
    ranks = [settings.get("r"), *(pattern.values() if isinstance(pattern, dict) else [pattern])]
    for rank in ranks:
        if type(rank) is not int or not 1 <= rank <= MAX_RANK:
            raise DataError(
                f"The adapter {str(folder)!r} has the rank {rank!r}; a rank is 1 to {MAX_RANK}"
            )


def load_adapter(model: Model, folder: Path) -> Model:
    """Return *model* with the adapter in *folder*, which can be trained on.

    Raises:
        DataError: if its weights are not those of an adapter for *model*, or no numbers.
    """
    from peft import PeftModel, get_peft_model_state_dict

    path = folder / WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            stored = set(file.keys())
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"Cannot load the model {str(folder)!r}: its adapter {WEIGHTS!r} cannot be read "
            f"({error})"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of missing keys, which are an error below
        with_adapter = PeftModel.from_pretrained(model, str(folder), is_trainable=True).eval()
        expected = set(get_peft_model_state_dict(with_adapter))
    info = {"missing_keys": expected - stored, "unexpected_keys": stored - expected}
    check_keys(info, str(folder))
    check_finite(with_adapter, str(folder))
    return with_adapter

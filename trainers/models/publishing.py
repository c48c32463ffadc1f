"""A trained model for others: an adapter merged into its base, and folders on the hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.trainers.models.adapters import check_plain_lora
from agentgym_gen.trainers.models.types import Model

__all__ = ["merged_weights", "push_folder", "save_merged"]


def save_merged(model: Model, folder: Path) -> None:
    """Write *model* as one whole model into *folder*, its adapter added to the weights.

    The model in memory stays as it is, to the bit.

    Raises:
        ResultExistsError: if *folder* has a model already.
        InvalidValueError: if the base is quantised.
    """
    if any(folder.glob("*.safetensors")):
        raise ResultExistsError(f"{folder} has the weights of a model; choose another folder")
    if not hasattr(model, "peft_config"):
        model.save_pretrained(folder)
        return
    model.get_base_model().save_pretrained(folder, state_dict=merged_weights(model))


@torch.no_grad()
def merged_weights(model: Model) -> dict[str, Tensor]:
    """Return the weights of the base of *model* with those of its adapter added, by name.

    The sum is made in single precision and rounded once to the precision of the base.

    Raises:
        InvalidValueError: if the base is quantised.
    """
    check_plain_lora(model)
    base = model.get_base_model()
    merged: dict[str, Tensor] = {}
    deltas: dict[str, Tensor] = {}
    for name, part in base.named_modules():
        if not hasattr(part, "get_delta_weight"):
            continue
        weight = part.get_base_layer().weight
        if not weight.is_floating_point():
            raise InvalidValueError(
                f"An adapter cannot be merged into weights of {weight.dtype} (`load_in_8bit`); "
                "load the base in full, with the adapter, and merge that"
            )
        deltas[name] = sum(part.get_delta_weight(key).float() for key in part.active_adapters)
    for name, tensor in base.state_dict().items():
        if ".lora_" in name:
            continue
        plain_name = name.replace(".base_layer.", ".")
        delta = deltas.get(plain_name.removesuffix(".weight"))
        if delta is not None and plain_name.endswith(".weight"):
            tensor = (tensor.float() + delta.to(tensor.device)).to(tensor.dtype)
        merged[plain_name] = tensor
    return merged


def push_folder(repo_id: str, write: Callable[[Path], None], *, private: bool = True) -> str:
    """Upload what *write* writes into a folder as the model *repo_id*; return its address.

    Args:
        repo_id: The name on the hub, ``user/model``; it is made if there is none.
        write: Writes the files into a folder.
        private: Whether only its owner sees a model that is made.

    Raises:
        DataError: if the hub cannot be reached, or refuses the name or the token.
    """
    import huggingface_hub

    hub = huggingface_hub.HfApi()
    with TemporaryDirectory(prefix="agentgym-gen-") as temporary:
        folder = Path(temporary)
        write(folder)
        try:
            repo_id = hub.create_repo(repo_id, private=private, exist_ok=True).repo_id
            commit = hub.upload_folder(
                repo_id=repo_id, folder_path=folder, commit_message="Upload of agentgym-gen"
            )
        except Exception as error:  # the client and its transport raise many kinds
            raise DataError(
                f"Cannot upload the model {repo_id!r}: {error}; log in with `hf auth login`, and "
                "see that the name is one of yours"
            ) from error
    return str(getattr(commit, "commit_url", repo_id))

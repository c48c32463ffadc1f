"""Whether the weights that were loaded are those that the model has, and numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from agentgym_gen.errors import DataError
from agentgym_gen.trainers.models.types import Model

SHOWN = 3
"""How many keys an error names."""


def check_keys(loading_info: Mapping[str, Any], source: str) -> None:
    """Raise unless the files of the model *source* hold its weights, all of them and no others.

    transformers gives random values to weights that are missing, and leaves out those that it does
    not expect: a model with a layer less, or with renamed keys, would play nonsense in silence.

    Args:
        loading_info: What ``from_pretrained(..., output_loading_info=True)`` returns.
        source: The folder or the name, for the message.

    Raises:
        DataError: if keys are missing, or more than expected.
    """
    missing, unexpected = loading_info["missing_keys"], loading_info["unexpected_keys"]
    if not missing and not unexpected:
        return
    parts = [f"missing {_names(missing)}"] if missing else []
    parts += [f"unexpected {_names(unexpected)}"] if unexpected else []
    raise DataError(
        f"The files of the model {source!r} do not hold its weights: {'; '.join(parts)}. They are "
        "damaged, or those of another 'config.json'; where that is meant, load it with "
        "transformers and pass the object with its `tokenizer`"
    )


def check_finite(model: Model, source: str) -> None:
    """Raise unless all weights of *model* are numbers.

    Raises:
        DataError: if one is NaN or infinite.
    """
    bad = [name for name, tensor in _tensors(model) if not _is_finite(tensor)]
    if bad:
        raise DataError(
            f"The model {source!r} has weights that are NaN or infinite: {_names(bad)}; its files "
            "are damaged, or the training that wrote them had failed"
        )


def _tensors(model: Model) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _is_finite(tensor: Tensor) -> bool:
    if not tensor.is_floating_point() or tensor.numel() == 0 or tensor.is_meta:
        return True
    # NaN is the least and the greatest of all, so no tensor of truth values is needed
    least, greatest = torch.aminmax(tensor.detach())
    return bool(torch.isfinite(least) & torch.isfinite(greatest))


def _names(keys: Collection[str]) -> str:
    first = ", ".join(map(repr, sorted(keys)[:SHOWN]))
    return f"{first} and {len(keys) - SHOWN} more" if len(keys) > SHOWN else first

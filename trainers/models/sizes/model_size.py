"""How large a model is, from its config: built without memory, on torch's ``meta`` device.

A forward pass on that device computes no numbers, but every tensor that is kept for the backward
pass has its shape. So the memory of activations is counted, not assumed, whatever the architecture.

Axes: ``_B`` rows of a batch, ``_T`` tokens of a row, ``_U`` places with logits, ``_V`` vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from agentgym_gen.errors import AgentGymGenError, DataError
from agentgym_gen.trainers.models.adapters import base_of, is_adapter, make_trainable
from agentgym_gen.trainers.models.checks.positions import longest_sequence
from agentgym_gen.trainers.models.checks.settings import check_settings
from agentgym_gen.trainers.models.device import local_device
from agentgym_gen.trainers.models.smollm2 import SMOLLM2, model_folder
from agentgym_gen.trainers.models.types import Model

__all__ = ["ModelSize", "meta_model", "model_size"]

META = torch.device("meta")


@dataclass(frozen=True)
class ModelSize:
    """The size of a model with what is trained of it."""

    model: Model = field(repr=False)
    """The model on the ``meta`` device, with its adapter if it has one."""
    parameters: int
    """How many weights it has, without an adapter."""
    adapter: int
    """How many weights its adapter has."""
    linear: int
    """How many weights its linear layers have, but for the output's: those that 8 bits shrink."""
    trained: int
    """How many weights are trained."""
    vocabulary: int
    """How many tokens there are."""
    context: int
    """The longest sequence; 2^30 where nothing says it."""
    widest: int
    """The greatest width of a linear layer but the output's."""
    cache_numbers: int
    """How many numbers the key-value cache holds for each token."""

    @property
    def gathered(self) -> int:
        """How many weights are whole at once in an update of divided weights (FSDP).

        Those of two layers, and all that are in no layer.
        """
        layers = max(1, int(self.model.config.num_hidden_layers))
        return self.parameters - self.linear + 2 * self.linear // layers

    def activations(self, rows: int, tokens: int, places: int, *, checkpointing: bool) -> int:
        """Return how many bytes an update keeps between the forward and the backward pass.

        Args:
            rows: How many rows a micro batch has.
            tokens: How many tokens each has.
            places: After how many of them logits are computed.
            checkpointing: Whether each layer keeps its input only, and is computed again.
        """
        saved = _saved_bytes(self.model, rows, tokens, places)
        if not checkpointing:
            return saved.layers + saved.logits
        config = self.model.config
        state = (
            rows * tokens * int(config.hidden_size) * next(self.model.parameters()).element_size()
        )
        layers = int(config.num_hidden_layers)
        return int(layers * state + saved.layers // layers + saved.logits)


def meta_model(name: str | Path, dtype: torch.dtype | None = None) -> Model:
    """Return the model *name* without its weights: its config alone is read.

    Args:
        name: A folder, a name on the hub, or ``smollm2``; of an adapter's folder, its base.
        dtype: The precision; None is that in which `load_model` would load it.

    Raises:
        DataError: if there is no such model, or its settings are not those of one.
    """
    own_dtype = torch.float32 if local_device() == "cpu" else torch.bfloat16
    source = str(model_folder() if str(name) == SMOLLM2 else name)
    source = base_of(Path(source)) if is_adapter(Path(source)) else source
    try:
        check_settings(source)
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        with META:
            model = _from_config(config, dtype or own_dtype)
    except AgentGymGenError:
        raise
    except Exception as error:  # transformers and its hub client raise many kinds
        raise DataError(
            f"Cannot read the settings of the model {source!r}: it is neither a folder with a "
            f"model, nor a name that the hub answers now ({error})"
        ) from error
    return model


def _from_config(config: Any, dtype: torch.dtype) -> Model:  # noqa: ANN401
    load: Any = AutoModelForCausalLM.from_config
    return load(config, dtype=dtype).eval()


def model_size(model: Model, lora_rank: int, lora_targets: Sequence[str] = ()) -> ModelSize:
    """Return the size of *model*, which may be on any device, and of an adapter of that rank.

    Args:
        model: A model without an adapter; only its config is used.
        lora_rank: The rank; 0 trains all weights.
        lora_targets: The layers of the adapter, as `TrainConfig.lora_targets` has them.
    """
    dtype = next(model.parameters()).dtype
    with META:
        copy = _from_config(model.config, dtype)
    parameters = sum(weight.numel() for weight in copy.parameters())
    head = copy.get_output_embeddings()
    linear = [
        part
        for part in copy.modules()
        if isinstance(part, torch.nn.Linear | Conv1D) and part is not head
    ]
    shapes = [tuple(part.weight.shape) for part in linear]
    with META:
        copy = make_trainable(copy, lora_rank, 2 * max(1, lora_rank), 0, lora_targets)
    trained = sum(weight.numel() for weight in copy.parameters() if weight.requires_grad)
    config = model.config
    return ModelSize(
        model=copy,
        parameters=parameters,
        adapter=trained if lora_rank else 0,
        linear=sum(rows * columns for rows, columns in shapes),
        trained=trained,
        vocabulary=int(config.vocab_size),
        context=longest_sequence(config),
        widest=max((max(shape) for shape in shapes), default=int(config.hidden_size)),
        cache_numbers=_cache_numbers(copy),
    )


@torch.no_grad()
def _cache_numbers(model: Model) -> int:
    """Return how many numbers a token has in the key-value cache: it is filled with two."""
    ids_BT = torch.zeros((1, 2), dtype=torch.long, device=META)
    with _MetaAttention():
        mask_B1TT = torch.zeros((1, 1, 2, 2), device=META)
        cache = model(input_ids=ids_BT, attention_mask=mask_B1TT, use_cache=True).past_key_values
    tensors = (t for layer in cache.layers for t in (layer.keys, layer.values))
    return sum(int(tensor.numel()) for tensor in tensors) // 2


@dataclass(frozen=True)
class _Saved:
    """How many bytes are kept for the backward pass."""

    layers: int
    logits: int


def _saved_bytes(model: Model, rows: int, tokens: int, places: int) -> _Saved:
    """Return how many bytes of different tensors a forward pass keeps, weights not included."""
    weights = {weight.untyped_storage()._cdata for weight in _tensors(model)}
    # The address of a storage names it while it lives, and so it is kept until all are counted.
    kept: dict[int, torch.UntypedStorage] = {}
    layers = 0

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage
        return tensor

    def select(_: object, inputs: tuple[Tensor]) -> tuple[Tensor]:
        nonlocal layers
        layers = sum(storage.nbytes() for storage in kept.values())
        return (inputs[0].flatten(0, 1)[:places][None],)

    hook = model.get_output_embeddings().register_forward_pre_hook(select)
    ids_BT = torch.zeros((rows, tokens), dtype=torch.long, device=META)
    # Given a whole mask, transformers does not look at its content, of which there is none.
    mask_B1TT = torch.zeros((rows, 1, tokens, tokens), device=META)
    try:
        with saved_tensors_hooks(keep, lambda tensor: tensor), _MetaAttention():
            output = model(input_ids=ids_BT, attention_mask=mask_B1TT, use_cache=False)
            logits_UV = output.logits[0].float() / 2
            (logits_UV[:, 0] - logits_UV.logsumexp(dim=-1)).sum()
    finally:
        hook.remove()
    total = sum(storage.nbytes() for storage in kept.values())
    # The entropy needs three more arrays of this size for a moment, the gradient two.
    return _Saved(layers, total - layers + 3 * logits_UV.numel() * 4)


def _tensors(model: Model) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


class _FusedAttention(torch.autograd.Function):
    """What a fused kernel of attention keeps: its inputs, its output, and one number a query."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:  # noqa: ANN401
        output = query.new_empty((*query.shape[:-1], value.shape[-1]))
        ctx.save_for_backward(query, key, value, output, query.new_empty(query.shape[:-1]).float())
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
        raise NotImplementedError


class _MetaAttention(TorchFunctionMode):
    """On the ``meta`` device torch would take the kernel that keeps all weights of attention."""

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        if func is torch.nn.functional.scaled_dot_product_attention:
            inputs = {**dict(zip(("query", "key", "value"), args, strict=False)), **(kwargs or {})}
            attend: Any = _FusedAttention.apply
            return attend(inputs["query"], inputs["key"], inputs["value"])
        return func(*args, **(kwargs or {}))

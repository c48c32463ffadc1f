"""Weights that are divided among processes: fully sharded data parallelism (FSDP).

Each process holds a part of every weight, of its gradient and of the optimizer's state. torch's
`fully_shard` gathers the weights of a layer while the layer is computed, and sums its gradient into
the parts. Such a forward pass is made by all processes together, and every process has to make as
many of them. Episodes and files do not go by that: they get a plain model with whole weights
(`ShardedModel.whole`). Left out: adapters, weights in more than one precision, and parts that are
kept in the memory of the CPU.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn import Module, Parameter
from transformers.modeling_layers import GradientCheckpointingLayer

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.models.types import Model

__all__ = ["ShardedModel", "check_sharding", "exchange", "part_like", "shard", "whole"]

ACCELERATE_VARIABLE = "ACCELERATE_USE_FSDP"
"""The environment variable that ``accelerate launch --use_fsdp`` sets."""

_sharded_models: WeakKeyDictionary[Model, ShardedModel] = WeakKeyDictionary()
"""The models that are divided: a second trainer of one goes on with it."""


def check_sharding(model: Model, size: int, *, fsdp: bool) -> None:
    """Raise unless the weights of *model* can be divided as the settings say.

    Args:
        model: A causal language model.
        size: How many processes there are.
        fsdp: Whether the weights are to be divided.

    Raises:
        InvalidValueError: if that is not possible.
    """
    if not fsdp and model in _sharded_models:
        raise InvalidValueError(
            "The weights of this model are divided among the processes by an earlier trainer; set "
            "`fsdp=True` for this one, too"
        )
    if not fsdp and os.environ.get(ACCELERATE_VARIABLE, "").lower() == "true":
        raise InvalidValueError(
            "`accelerate launch` was started with FSDP, and the settings have `fsdp=False`; set "
            "`fsdp=True` with `lora_rank=0`, or start it without `--use_fsdp`"
        )
    if fsdp and size == 1:
        raise InvalidValueError(
            "`fsdp` divides the weights among several processes, and this is the only one; start "
            "the script with `torchrun --nproc-per-node N` or `accelerate launch`, or set "
            "`fsdp=False`"
        )
    if fsdp and not hasattr(FSDPModule, "set_force_sum_reduction_for_comms"):
        raise InvalidValueError(
            f"`fsdp` needs a newer torch than {torch.__version__}, one that can sum gradients "
            "(`set_force_sum_reduction_for_comms`); 2.13 was tested"
        )
    precisions = {str(weight.dtype) for weight in model.parameters()}
    if fsdp and model not in _sharded_models and len(precisions) > 1:
        raise InvalidValueError(
            f"`fsdp` needs all weights in one precision, and this model has "
            f"{' and '.join(sorted(precisions))}; load it with `dtype=`"
        )


def shard(model: Model) -> ShardedModel:
    """Divide the weights of *model* among the processes, unless they are divided already."""
    if model not in _sharded_models:
        _sharded_models[model] = ShardedModel(model)
    return _sharded_models[model]


class ShardedModel:
    """The parts of a model's weights that this process holds.

    Weights of less than single precision are held in single precision, which is what the optimizer
    moves, and rounded when they are gathered.

    Args:
        model: A causal language model, the same in every process; it is divided in place.
    """

    def __init__(self, model: Model) -> None:
        self.dtype = next(model.parameters()).dtype
        """The precision in which the model is computed."""
        self._plain = _without_weights(model)
        self._depth = 0
        _divide(model, self.dtype)
        self._parts = dict(model.named_parameters())

    @contextmanager
    def whole(self) -> Iterator[Model]:
        """Yield a plain model with whole weights; all processes have to enter together.

        Within it, the same model is yielded again, and nothing is gathered.
        """
        if not self._depth:
            self._fill()
        self._depth += 1
        try:
            yield self._plain
        finally:
            self._depth -= 1
            if not self._depth:
                _set_weights(self._plain, {})

    @torch.no_grad()
    def _fill(self) -> None:
        rounded = ((name, part.to(self.dtype)) for name, part in self._parts.items())
        _set_weights(self._plain, {name: whole(part) for name, part in rounded})


def whole(tensor: Tensor) -> Tensor:
    """Return *tensor* with the parts of all processes, which have to call this together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def part_like(tensor: Tensor, weight: Tensor) -> Tensor:
    """Return the part of *tensor* that this process holds where it is divided as *weight* is.

    Each process has all of *tensor*, so that nothing is sent.
    """
    if not isinstance(weight, DTensor):
        return tensor
    near = tensor.to(weight.device)
    part = distribute_tensor(near, weight.device_mesh, weight.placements, src_data_rank=None)
    return part.clone()  # or else it would keep the memory of the whole


def exchange(first: Tensor, second: Tensor) -> None:
    """Give each of two tensors the numbers of the other.

    FSDP gathers from the memory of a part, so that another tensor in its place would not count.
    """
    if not isinstance(first, DTensor) or not isinstance(second, DTensor):
        first.data, second.data = second.data, first.data
        return
    with torch.no_grad():
        numbers = first.to_local().clone()
        first.to_local().copy_(second.to_local())
        second.to_local().copy_(numbers)


def _divide(model: Model, dtype: torch.dtype) -> None:
    """Apply `fully_shard` to each layer of *model*, and to what is left."""
    device = next(model.parameters()).device.type
    mesh = init_device_mesh(device, (distributed.get_world_size(),))
    policy = MixedPrecisionPolicy()
    if torch.finfo(dtype).bits < 32:
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    # Inner layers come before outer ones, and the model, which takes the rest, at the end.
    layers = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]
    for part in (*reversed(layers), model):
        for weight in part.parameters():
            if not isinstance(weight, DTensor):
                weight.data = weight.data.float()
        # A pass without a backward one would leave weights gathered, which a later update of the
        # parts would not reach: they are given back after every forward pass.
        divided = fully_shard(part, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
        # The weights of the tokens add up to 1 over all processes, so gradients are added up and
        # not averaged.
        divided.set_gradient_divide_factor(1.0)
        divided.set_force_sum_reduction_for_comms(True)


def _without_weights(model: Model) -> Model:
    """Return a copy of *model* whose weights have shapes and no numbers."""
    placeholders = {id(weight): _placeholder(weight) for weight in model.parameters()}
    # what `deepcopy` finds in this table it takes for the copy; shared weights stay shared
    return copy.deepcopy(model, placeholders)


def _placeholder(weight: Tensor) -> Parameter:
    return _frozen(torch.empty_like(weight, device="meta"))


def _frozen(tensor: Tensor) -> Parameter:
    return Parameter(tensor, requires_grad=False)


def _set_weights(plain: Model, weights: dict[str, Tensor]) -> None:
    """Replace the weights of *plain* by *weights*, and by placeholders where there is none."""
    replaced: dict[int, Parameter] = {}
    for name, old in list(plain.named_parameters(remove_duplicate=False)):
        if id(old) not in replaced:  # the first name of a shared weight is that of `weights`
            new = weights.get(name)
            replaced[id(old)] = _placeholder(old) if new is None else _frozen(new)
        path, _, attribute = name.rpartition(".")
        owner: Module = plain.get_submodule(path)
        setattr(owner, attribute, replaced[id(old)])

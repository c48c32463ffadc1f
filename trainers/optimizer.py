"""AdamW over the weights that are trained, in single precision whatever the model is held in.

A step of AdamW moves a weight by about the learning rate. In bfloat16 a weight of 0.02 has
neighbours at a distance of 1e-4, so that a step of 1e-6 is rounded away, almost always. Weights of
less than single precision therefore have master copies, which the optimizer moves; the model gets
them rounded. Gradients of micro batches add up in single precision for the same reason.

Where weights are divided among processes, so are the states, and what is saved is whole: a run may
go on with another number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from agentgym_gen.trainers.config import TrainConfig
from agentgym_gen.trainers.parallel.sharding import part_like, whole

Snapshot = dict[str, Tensor]
"""A copy of the weights that are trained, by name."""

_MASTERS = "masters"
"""The key of the master copies in the saved state."""


class Optimizer:
    """AdamW, with master copies of the weights where they are needed.

    Args:
        weights: The weights that are trained, by name.
        config: The settings.
        rounded: Whether the model computes with these weights rounded, as it does where they are
            divided among processes: they are their own master copies.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], config: TrainConfig, *, rounded: bool = False
    ) -> None:
        self._weights = dict(weights)
        self._rounded = rounded
        self._masters = {
            name: weight.detach().float().requires_grad_()
            for name, weight in self._weights.items()
            if torch.finfo(weight.dtype).bits < 32
        }
        self._config = config
        self._adamw = torch.optim.AdamW(
            self._moved().values(),
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=config.weight_decay,
        )

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights of the model, by name."""
        return self._weights

    @property
    def gradient_holders(self) -> list[Tensor]:
        """The tensors whose gradients are summed over processes and clipped."""
        return list(self._moved().values())

    def zero_grad(self) -> None:
        """Remove the gradients."""
        self._adamw.zero_grad(set_to_none=True)
        for weight in self._weights.values():
            weight.grad = None

    def collect_gradients(self) -> None:
        """Add the gradients of a micro batch to those of the master copies."""
        for name, master in self._masters.items():
            gradient = self._weights[name].grad
            if gradient is None:
                continue
            total = gradient.float() if master.grad is None else master.grad + gradient
            master.grad, self._weights[name].grad = total, None

    def clip(self) -> float:
        """Scale the gradients to the greatest norm that is allowed; return their norm before."""
        holders = [tensor for tensor in self.gradient_holders if tensor.grad is not None]
        gradients = [tensor.grad for tensor in holders if tensor.grad is not None]
        norm = whole(torch.nn.utils.get_total_norm(gradients))  # over the parts of all processes
        torch.nn.utils.clip_grads_with_norm_(holders, self._config.max_grad_norm, norm)
        return float(norm)

    def step(self, share: float) -> None:
        """Make a step at this *share* of the learning rate."""
        for group in self._adamw.param_groups:
            group["lr"] = self._config.learning_rate * share
        self._adamw.step()
        self._round()

    def snapshot(self) -> Snapshot:
        """Return a copy of the weights, in the precision in which they are trained."""
        return {name: weight.detach().clone() for name, weight in self._moved().items()}

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Set the weights to those of *snapshot*."""
        for name, weight in self._moved().items():
            weight.copy_(snapshot[name])
        self._round()

    def state_dict(self, *, keep: bool = True) -> dict[str, Any]:
        """Return what a training needs to go on: AdamW's state, and the master copies.

        Args:
            keep: Whether this process wants it; all have to call this where weights are divided.
        """
        state = self._adamw.state_dict()
        state["state"] = {
            number: {name: _gathered(value, keep=keep) for name, value in values.items()}
            for number, values in state["state"].items()
        }
        masters = self._weights if self._rounded else self._masters
        if not masters:
            return state
        copies = {name: _gathered(copy.detach(), keep=keep) for name, copy in masters.items()}
        return state | {_MASTERS: copies}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` has returned; the weights of the model are loaded already.

        Raises:
            LookupError: if master copies are missing.
            RuntimeError: if one has another shape.
            ValueError: if the state is that of another model.
        """
        masters = state.pop(_MASTERS, {})
        for number, weight in enumerate(self._moved().values()):
            values = state["state"].get(number, {})
            for name, value in values.items():
                if value.shape == weight.shape:
                    values[name] = part_like(value, weight)
        self._adamw.load_state_dict(state)
        for name, master in (self._weights if self._rounded else self._masters).items():
            master.copy_(part_like(masters[name], master))

    def _moved(self) -> dict[str, Tensor]:
        """Return the tensors that AdamW moves: a weight itself, or its master copy."""
        return self._weights | self._masters

    @torch.no_grad()
    def _round(self) -> None:
        for name, master in self._masters.items():
            self._weights[name].copy_(master)


def _gathered(value: Any, *, keep: bool) -> Any:  # noqa: ANN401  (a tensor or a number)
    """Return *value*; the parts of a divided tensor are joined in the memory of the CPU."""
    if not isinstance(value, DTensor):
        return value
    tensor = whole(value)
    return tensor.cpu() if keep else None

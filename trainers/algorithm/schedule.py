"""The share of the learning rate at each step: a rise, and then constant, linear or cosine."""

from __future__ import annotations

import math

from agentgym_gen.trainers.config import TrainConfig

__all__ = ["learning_rate_share"]


def learning_rate_share(config: TrainConfig, step: int, schedule: str, final: float) -> float:
    """Return the share of the learning rate at *step*: a rise, and then its schedule.

    Args:
        config: The settings.
        step: How many steps were made.
        schedule: ``constant``, or ``linear`` or ``cosine`` down to *final*.
        final: The share at the end.
    """
    if step < config.warmup_steps or schedule == "constant":
        return _warmup(config, step)
    progress = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
    progress = min(1.0, progress)
    left = 1 - progress if schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return final + (1 - final) * left


def _warmup(config: TrainConfig, step: int) -> float:
    """Return the share of the learning rate at *step*: a linear rise, then 1."""
    return min(1.0, (step + 1) / (config.warmup_steps + 1))

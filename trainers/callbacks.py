"""Callbacks in the manner of transformers: the events of a training, and what a callback can do.

A method takes the settings, the state of the training, a control and named extras, as those of
``transformers.TrainerCallback`` do. A callback that uses only what is listed here works with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.config import TrainConfig

__all__ = [
    "EVENTS",
    "CallbackHandler",
    "LogRow",
    "TrainerCallback",
    "TrainerControl",
    "TrainerState",
]

LogRow: TypeAlias = dict[str, Any]
"""One row of the log."""

EVENTS = (
    "on_train_begin",
    "on_step_begin",
    "on_step_end",
    "on_log",
    "on_evaluate",
    "on_save",
    "on_train_end",
)
"""The events, in the order of a step."""


@dataclass
class TrainerState:
    """How far a training is."""

    max_steps: int
    """How many steps there will be."""
    global_step: int = 0
    """How many steps were made."""
    log_history: list[LogRow] = field(default_factory=list)
    """The rows logged so far."""
    is_world_process_zero: bool = True
    """Whether this process is the one that writes files."""


@dataclass
class TrainerControl:
    """What a callback may request; a request is carried out after the step and then reset."""

    should_training_stop: bool = False
    """End the training after this step."""
    should_save: bool = False
    """Write a checkpoint after this step."""
    should_evaluate: bool = False
    """Evaluate after this step."""


class TrainerCallback:
    """Does nothing at any event; a subclass overrides the methods that it needs.

    The extras are ``model`` and ``processing_class`` (the tokenizer) at every event, ``row`` and,
    in reinforcement fine-tuning, ``trajectories`` at `on_step_end`, ``logs`` at `on_log`,
    ``metrics`` at `on_evaluate` and ``path`` at `on_save`.
    """

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Training begins, or goes on."""

    def on_step_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """A step begins."""

    def on_step_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """A step has ended."""

    def on_log(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """A row was logged."""

    def on_evaluate(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """An evaluation was made."""

    def on_save(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """A checkpoint was written."""

    def on_train_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Training has ended, or was interrupted."""


class CallbackHandler:
    """Calls several callbacks, one after the other.

    Args:
        callbacks: The callbacks; each has a method for at least one of `EVENTS`.
        args: The settings.
        extras: The extras of every event.

    Raises:
        InvalidValueError: if an object has no method for any event.
    """

    def __init__(self, callbacks: Iterable[object], args: TrainConfig, **extras: object) -> None:
        self._callbacks = list(callbacks)
        for callback in self._callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, name) for name in EVENTS):
                raise InvalidValueError(
                    f"A callback is an instance with methods such as `on_step_end`, not "
                    f"{callback!r}"
                )
        self._args = args
        self._extras = extras
        self.state = TrainerState(args.max_steps)
        self.control = TrainerControl()

    def call(self, event: str, **extras: object) -> None:
        """Call the method *event* of every callback that has it."""
        for callback in self._callbacks:
            method = getattr(callback, event, None)
            if method is not None:
                method(self._args, self.state, self.control, **self._extras, **extras)

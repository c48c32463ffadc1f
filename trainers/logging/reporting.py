"""Where the rows of the log go besides ``log.jsonl``: progress bar, TensorBoard, trackio, W&B.

A service is imported only if `TrainConfig.report_to` names it.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from agentgym_gen.errors import MissingExtraError
from agentgym_gen.trainers.callbacks import LogRow, TrainerCallback, TrainerControl, TrainerState
from agentgym_gen.trainers.config import TrainConfig


class ProgressCallback(TrainerCallback):
    """A bar with the estimated time left, on a terminal, where tqdm is installed.

    Args:
        title: The text before the bar.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Show the bar."""
        if importlib.util.find_spec("tqdm") is None or not state.is_world_process_zero:
            return
        from tqdm.auto import tqdm

        first, total = state.global_step, state.max_steps
        self._bar = tqdm(total=total, initial=first, desc=self._title, disable=None, leave=False)

    def on_step_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: Any
    ) -> None:
        """Move the bar one step on."""
        if self._bar is not None:
            row: LogRow = extras["row"]
            measurements = {key: row[key] for key in ("loss", "success") if key in row}
            self._bar.set_postfix(measurements, refresh=False)
            self._bar.update(1)

    def on_train_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


class TensorBoardCallback(TrainerCallback):
    """Writes the numbers of each row as TensorBoard's scalars into ``output_dir/tensorboard``."""

    def __init__(self) -> None:
        _import_service("tensorboard")
        self._writer: Any = None

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Open the file."""
        if state.is_world_process_zero:
            from torch.utils.tensorboard import SummaryWriter

            folder = str(Path(args.output_dir or ".") / "tensorboard")
            self._writer = SummaryWriter(folder)

    def on_log(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: Any
    ) -> None:
        """Write a row."""
        if self._writer is not None:
            for key, value in numbers(extras["logs"]).items():
                self._writer.add_scalar(key, value, state.global_step)

    def on_train_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


class TrackingCallback(TrainerCallback):
    """Sends rows to a tracking service: W&B, or trackio, which has the same functions.

    Args:
        service: The name of its module, with ``init``, ``log`` and ``finish``.
    """

    def __init__(self, service: str) -> None:
        self._module = _import_service(service)
        self._open = False

    def on_train_begin(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """Start a run with the settings."""
        if state.is_world_process_zero:
            name = args.run_name or Path(args.output_dir).name or None
            settings = dataclasses.asdict(args)
            self._module.init(project="agentgym-gen", name=name, config=settings)
            self._open = True

    def on_log(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: Any
    ) -> None:
        """Send a row."""
        if self._open:
            self._module.log(numbers(extras["logs"]), step=state.global_step)

    def on_train_end(
        self, args: TrainConfig, state: TrainerState, control: TrainerControl, **extras: object
    ) -> None:
        """End the run."""
        if self._open:
            self._module.finish()


def reporters(args: TrainConfig) -> list[TrainerCallback]:
    """Return the callbacks that `TrainConfig.report_to` names.

    Raises:
        MissingExtraError: if a service is not installed.
    """
    return [
        TensorBoardCallback() if name == "tensorboard" else TrackingCallback(name)
        for name in args.report_to
    ]


def numbers(row: LogRow) -> dict[str, float]:
    """Return the numbers of *row* but for its step, which is the axis that they are drawn over."""
    return {
        key: float(value)
        for key, value in row.items()
        if isinstance(value, int | float) and key != "step"
    }


def _import_service(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"`report_to` names {name!r}, which is not installed; run: pip install {name}"
        ) from error

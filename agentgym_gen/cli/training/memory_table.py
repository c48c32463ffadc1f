"""The table of the memory that trainings would need, as ``train`` and ``study run`` print it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentgym_gen.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from agentgym_gen.study.run.memory import TrainingMemory


def print_memory(trainings: Sequence[TrainingMemory], processes: int = 1) -> None:
    """Print the memory of each of *trainings* by part, and what is free.

    Args:
        trainings: The trainings of a run.
        processes: How many of them run side by side.
    """
    for training in trainings:
        print_line(f"\nMemory of the {training.title}, in MB of 2^20 bytes:\n")
        print_table(training.estimate.rows())
        device = training.device
        free = "unknown" if device.free is None else f"{device.free / 2**20:,.0f} MB"
        side_by_side = f", for {processes} side by side" if processes > 1 else ""
        print_line(f"\nfree on {device.name}: {free}{side_by_side}")
        if device.free is not None and training.estimate.most * processes > device.free:
            print_line(
                "Episodes that fill their limit would not fit; `max_episode_tokens` and "
                "`max_concurrent` bound them"
            )

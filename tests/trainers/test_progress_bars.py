"""Bars of other libraries are hidden, and leave no semaphore behind."""

import subprocess
import sys

PROGRAM = """
import io
from agentgym_gen.trainers.models.progress_bars import hide_progress_bars
hide_progress_bars()
from tqdm import std
from transformers.utils.logging import is_progress_bar_enabled
list(std.tqdm(range(2), file=io.StringIO()))
print(hasattr(std.TqdmDefaultWriteLock, "mp_lock"), is_progress_bar_enabled())
"""


def test_a_hidden_bar_makes_no_semaphore() -> None:
    """Python would warn of it when a training is stopped by Ctrl-C."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "False"]

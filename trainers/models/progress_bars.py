"""The progress bars of transformers."""

from __future__ import annotations

import threading


def hide_progress_bars() -> None:
    """Keep transformers from drawing a bar for each small file; callers show their own progress.

    Bars of this process are no longer kept apart from those of others by a semaphore: Python warns
    of one that is left by a process that was stopped.
    """
    from tqdm import tqdm
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    tqdm.set_lock(threading.RLock())

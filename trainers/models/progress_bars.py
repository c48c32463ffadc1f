"""The progress bars of transformers."""

from __future__ import annotations


def hide_progress_bars() -> None:
    """Keep transformers from drawing a bar for each small file; callers show their own progress."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

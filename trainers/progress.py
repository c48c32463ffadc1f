"""A progress bar with an estimate of the end, where tqdm is installed; else nothing is shown."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Progress:
    """Shows how far a training is, and passes its log on.

    The bar is shown on a terminal only.

    Args:
        title: What is trained.
        total: How many steps there are.
        done: How many were made before.
        on_log: Called with each row.
    """

    def __init__(
        self, title: str, total: int, done: int, on_log: Callable[[dict[str, Any]], None] | None
    ) -> None:
        self._on_log = on_log
        self._bar: Any = None
        if importlib.util.find_spec("tqdm") is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, initial=done, desc=title, disable=None, leave=False)

    def __enter__(self) -> Progress:
        """Return the bar itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, row: dict[str, Any]) -> None:
        """Show that a step was made."""
        if self._on_log is not None:
            self._on_log(row)
        if self._bar is not None:
            shown = {key: row[key] for key in ("loss", "success") if key in row}
            self._bar.set_postfix(shown, refresh=False)
            self._bar.update(1)

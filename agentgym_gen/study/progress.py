"""What a study says while it runs: which stage it is at, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

QUICKLY = 1.0
"""Seconds under which a stage is taken for one that an earlier run had finished."""


class Progress:
    """Counts the stages of a run.

    Args:
        weights: How long each stage takes, in any one unit.
        say: Called with each line.
        prefix: What every line begins with.
    """

    def __init__(
        self, weights: Sequence[float], say: Callable[[str], None], prefix: str = ""
    ) -> None:
        self._weights, self._say, self._prefix = weights, say, prefix
        self._done = 0
        self._timed = self._spent = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce the stage *name*, and count it when it is over."""
        done = sum(self._weights[: self._done]) / sum(self._weights)
        self._say(f"{self._prefix}{bar(done)} {name}{self._left()}")
        start = time.monotonic()
        yield
        seconds = time.monotonic() - start
        if seconds >= QUICKLY:
            self._timed += self._weights[self._done]
            self._spent += seconds
        self._done += 1

    def detail(self, line: str) -> None:
        """Pass on a *line* about the stage that is running."""
        self._say(f"{self._prefix}{' ' * len(bar(0.0))} {line.strip()}")

    def _left(self) -> str:
        if not self._timed:
            return ""
        minutes = self._spent / self._timed * sum(self._weights[self._done :]) / 60
        return f" (about {minutes:.0f} min left)" if minutes >= 1 else " (under a minute left)"


def bar(share: float) -> str:
    """Return *share*, 0 to 1, as a bar.

    >>> bar(0.5)
    '[##########..........]  50 %'
    """
    full = round(20 * share)
    return f"[{'#' * full}{'.' * (20 - full)}] {share:4.0%}".replace("%", " %")

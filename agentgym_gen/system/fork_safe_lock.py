"""A lock between threads that a forked child finds free.

A fork copies locks as they are, and no thread but its own: a lock that another thread held just
then would be held in the child for ever. What our locks guard is put in place in one step, so that
the child may take them anew.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType


class Guard:
    """A lock for ``with``, made anew in a forked child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _ALIVE.add(self)

    def __enter__(self) -> None:
        """Take the lock, waiting for it."""
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it go."""
        self._lock.release()

    def renew(self) -> None:
        """Forget who holds it."""
        self._lock = threading.Lock()


_ALIVE: weakref.WeakSet[Guard] = weakref.WeakSet()


def _renew_all() -> None:
    for guard in list(_ALIVE):
        guard.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

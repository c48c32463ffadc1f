"""A lock between threads that is free in a forked child.

A fork copies every lock in its state of that moment, but only the thread that forks: a lock that
another thread held would stay locked in the child for ever. What these locks protect is assigned in
one step and therefore never half-done, so that the child may start with a new lock.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType


class ForkSafeLock:
    """A lock for ``with``, replaced by a free one in a forked child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _INSTANCES.add(self)

    def __enter__(self) -> None:
        """Take the lock, waiting for it."""
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the lock."""
        self._lock.release()

    def renew(self) -> None:
        """Replace the lock by a free one."""
        self._lock = threading.Lock()


_INSTANCES: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _renew_all() -> None:
    for lock in list(_INSTANCES):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

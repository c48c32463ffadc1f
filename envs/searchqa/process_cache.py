"""A cache for what all worlds of a process share, whichever thread makes it first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from agentgym_gen.system.fork_safe_lock import ForkSafeLock

ValueT = TypeVar("ValueT")

_values: dict[Hashable, object] = {}
_locks: dict[Hashable, ForkSafeLock] = {}
_locks_lock = ForkSafeLock()


def get_or_make(key: Hashable, make: Callable[[], ValueT]) -> ValueT:
    """Return what *make* returns, called only once for each *key*.

    A second thread waits for the first one instead of making the same again. Each key has a lock of
    its own, so that different things are made at the same time.
    """
    with _locks_lock:
        lock = _locks.setdefault(key, ForkSafeLock())
    with lock:
        if key not in _values:
            _values[key] = make()
        return _values[key]  # type: ignore[return-value]  # a key has one type


__all__ = ["get_or_make"]

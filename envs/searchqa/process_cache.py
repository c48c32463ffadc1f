"""What all worlds of a process share: made once, whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from agentgym_gen.system.fork_safe_lock import Guard

MadeT = TypeVar("MadeT")

_made: dict[Hashable, object] = {}
_locks: dict[Hashable, Guard] = {}
_table = Guard()


def get_or_make(key: Hashable, make: Callable[[], MadeT]) -> MadeT:
    """Return what *make* returns, made only once for each *key*.

    A second thread waits for the first one instead of making the same again.
    """
    with _table:
        lock = _locks.setdefault(key, Guard())
    with lock:
        if key not in _made:
            _made[key] = make()
        return _made[key]  # type: ignore[return-value]  # a key has one type


__all__ = ["get_or_make"]

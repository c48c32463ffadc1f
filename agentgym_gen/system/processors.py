"""How many processors there are to use."""

from __future__ import annotations

import os


def usable_processors() -> int:
    """Return how many processors this process may use, at least one.

    A container or ``taskset`` may allow fewer than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1

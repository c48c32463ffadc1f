"""How many processors this process may use."""

import os

import pytest

from agentgym_gen.system.processors import usable_processors


def test_the_affinity_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may use 3 of 64 processors uses 3."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 9}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)

    assert usable_processors() == 3


@pytest.mark.parametrize(("count", "expected"), [(8, 8), (None, 1)])
def test_without_affinity_the_machine_counts(
    monkeypatch: pytest.MonkeyPatch, count: int | None, expected: int
) -> None:
    """Where the system has no affinity all processors count, and 1 where they are unknown."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)

    assert usable_processors() == expected

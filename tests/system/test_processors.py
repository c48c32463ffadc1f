"""How many processors this process may use."""

import os

import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.system.processors import launched_processes, usable_processors


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


def test_a_launcher_names_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is empty is one that is not set, and what is no number is a sentence."""
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "3")
    assert (launched_processes().size, launched_processes().rank) == (4, 3)
    monkeypatch.setenv("WORLD_SIZE", "")
    assert launched_processes().is_main

    monkeypatch.setenv("WORLD_SIZE", "four")
    with pytest.raises(InvalidValueError, match=r"'WORLD_SIZE'.* is a whole number, not 'four'"):
        launched_processes()

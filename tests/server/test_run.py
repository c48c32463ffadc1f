"""How a server is run: what it changes in its process, and gives back."""

from __future__ import annotations

import gc

import pytest

from agentgym_gen.server import run


def test_the_garbage_collector_is_as_before_when_a_server_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it serves, collections are rare; then thresholds and tracked objects are restored."""
    before, during = gc.get_threshold(), []

    class Runner:
        def __init__(self, **_: object) -> None:
            during.append((gc.get_threshold()[0], gc.get_freeze_count() > 0))
            raise KeyboardInterrupt

    monkeypatch.setattr("asyncio.Runner", Runner)
    with pytest.raises(KeyboardInterrupt):
        run.run_server(["rftgen/Sokoban-easy-v0"])
    assert during == [(run.NEW_OBJECTS, True)]
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0

"""Two runs on one folder: the second refuses and says who holds it, until the first has ended."""

import platform
import signal
from pathlib import Path

import pytest
from faults.processes import Fault, is_one_sentence, leftovers, started, subject
from faults.scene import Scene

ALONE: list[object] = ["study", "calibration"]
ALONE += [pytest.param(name, marks=pytest.mark.slow) for name in ("sft", "rft")]
"""The programs that want their folder for themselves; games may be made by many."""


@pytest.mark.parametrize("scene", ALONE, indirect=True)
def test_the_second_run_is_refused_until_the_first_is_killed(scene: Scene, tmp_path: Path) -> None:
    """It names the process; the lock is free as soon as that is gone, and the next run goes on."""
    folder = tmp_path / "x"
    halfway = Fault(len(scene.changes) // 2, signal.SIGSTOP)
    with started(subject(scene.name, folder), folder, halfway) as first:
        first.wait_until_stopped()
        before = sorted(path for path in folder.rglob("*"))
        second = scene.run(folder)
        held = f"(process {first.pid} on {platform.node()}); wait for it, end it, or choose another"

        assert (second.code, is_one_sentence(second.err)) == (2, True), second.err
        assert held in second.err
        assert sorted(path for path in folder.rglob("*")) == before
        first.process.kill()
        first.end()
    third = scene.run(folder)

    assert third.code == 0, third.err
    assert scene.found(folder) == scene.facts
    assert leftovers(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["games"], indirect=True)
def test_two_may_make_games_in_one_cache(scene: Scene, tmp_path: Path) -> None:
    """One is stopped while it makes a game, and killed: the other waits for that one only."""
    folder = tmp_path / "x"
    halfway = Fault(1, signal.SIGSTOP, "open .making.*card.json")
    with started(subject("games", folder), folder, halfway) as first:
        first.wait_until_stopped()
        with started(subject("games", folder), folder) as second:
            first.process.kill()
            first.end()
            assert second.end().code == 0

    assert scene.found(folder) == scene.facts
    assert leftovers(folder) == []

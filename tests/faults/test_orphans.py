"""No child outlives its parent: neither the jobs of a study nor engines and what they start."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.processes import (
    Victim,
    descendants,
    is_alive,
    is_one_sentence,
    leftovers,
    started,
    subject,
    until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are found by /proc")

ENDS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


def at_work(folder: Path) -> set[int]:
    """Return the numbers that processes have left in *folder*; a trace may not be written yet."""
    return {int(number) for path in folder.rglob("busy") if (number := path.read_text())}


@pytest.fixture(params=["study", "games"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Victim, set[int]]]:
    """A program whose children are at work, and their numbers."""
    command: tuple[str, ...] = (sys.executable, "-m", "faults.idle_study", str(tmp_path))
    if request.param == "games":
        pytest.importorskip("textworld")
        command = subject("games", tmp_path, "2", "faults.idle_clerk")
    with started(command, tmp_path) as victim:
        assert until(lambda: len(at_work(tmp_path)) == 2, 300), "nobody is at work"
        children = set(descendants(victim.pid))
        yield victim, children
        for child in filter(is_alive, children):
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("number", ENDS)
def test_children_end_with_their_parent(
    busy: tuple[Victim, set[int]], number: int, tmp_path: Path
) -> None:
    """However it ends; Ctrl-C is sent to all, and only the parent says something."""
    victim, children = busy
    assert at_work(tmp_path) <= children
    if number == signal.SIGINT:
        os.killpg(victim.pid, number)
    else:
        victim.process.send_signal(number)
    ended = victim.end()

    assert until(lambda: not any(map(is_alive, children)), 20), "children are alive"
    if number == signal.SIGKILL:
        assert ended.code == -9
    else:
        assert (ended.code, is_one_sentence(ended.err)) == (128 + number, True), ended.err
        assert leftovers(tmp_path) == []

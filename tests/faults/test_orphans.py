"""No child process outlives its parent: not the jobs of a study, not engines and their children."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.processes import (
    RunningProgram,
    descendants,
    is_alive,
    is_one_sentence,
    leftovers,
    program_command,
    start_program,
    wait_until,
)
from systems import needs

pytestmark = needs("Linux", "/proc, where children are found")

ENDS = ["SIGKILL", "SIGTERM", "SIGINT"]


def busy_pids(folder: Path) -> set[int]:
    """Return the process ids that have been written to *folder*; a file may still be empty."""
    return {int(pid) for path in folder.rglob("busy") if (pid := path.read_text())}


@pytest.fixture(params=["study", "games"])
def busy(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[RunningProgram, set[int]]]:
    """A program whose children are at work, and their process ids."""
    command: tuple[str, ...] = (sys.executable, "-m", "faults.idle_study", str(tmp_path))
    if request.param == "games":
        pytest.importorskip("textworld")
        command = program_command("games", tmp_path, "2", "faults.idle_builder")
    with start_program(command, tmp_path) as program:
        assert wait_until(lambda: len(busy_pids(tmp_path)) == 2), "nobody is at work"
        children = set(descendants(program.pid))
        yield program, children
        for child in filter(is_alive, children):
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("name", ENDS)
def test_children_end_with_their_parent(
    busy: tuple[RunningProgram, set[int]], name: str, tmp_path: Path
) -> None:
    """However a program ends, its children end; after Ctrl-C only the parent prints a sentence."""
    program, children = busy
    number = signal.Signals[name]
    assert busy_pids(tmp_path) <= children
    if number == signal.SIGINT:
        os.killpg(program.pid, number)
    else:
        program.process.send_signal(number)
    ended = program.end()

    assert wait_until(lambda: not any(map(is_alive, children)), 20), "children are alive"
    if number == signal.SIGKILL:
        assert ended.code == -9
    else:
        assert (ended.code, is_one_sentence(ended.err)) == (128 + number, True), ended.err
        assert leftovers(tmp_path) == []

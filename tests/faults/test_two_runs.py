"""Of two runs on one folder the second is refused, and told who holds it, until the first ends."""

import platform
from pathlib import Path

import pytest
from faults.processes import Fault, is_one_sentence, leftovers, program_command, start_program
from faults.reference_run import Program
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")

EXCLUSIVE: list[object] = ["study", "calibration"]
EXCLUSIVE += [pytest.param(name, marks=pytest.mark.slow) for name in ("sft", "rft")]
"""The programs that lock their folder; games may be made by several processes at once."""


@pytest.mark.parametrize("program", EXCLUSIVE, indirect=True)
def test_the_second_run_is_refused_until_the_first_is_killed(
    program: Program, tmp_path: Path
) -> None:
    """The error names the first process; when it has been killed, the next run resumes."""
    folder = tmp_path / "x"
    halfway = Fault(len(program.changes) // 2, "SIGSTOP")
    with start_program(program_command(program.name, folder), folder, halfway) as first:
        first.wait_until_stopped()
        before = sorted(path for path in folder.rglob("*"))
        second = program.run(folder)
        holder = (
            f"(process {first.pid} on {platform.node()}); wait for it, end it, or choose another"
        )

        assert (second.code, is_one_sentence(second.err)) == (2, True), second.err
        assert holder in second.err
        assert sorted(path for path in folder.rglob("*")) == before
        first.process.kill()
        first.end()
    third = program.run(folder)

    assert third.code == 0, third.err
    assert program.read_facts(folder) == program.facts
    assert leftovers(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("program", ["games"], indirect=True)
def test_two_may_make_games_in_one_cache(program: Program, tmp_path: Path) -> None:
    """One is stopped while it makes a game, and killed: the other waits for that game only."""
    folder = tmp_path / "x"
    halfway = Fault(1, "SIGSTOP", "open .making.*card.json")
    with start_program(program_command("games", folder), folder, halfway) as first:
        first.wait_until_stopped()
        with start_program(program_command("games", folder), folder) as second:
            first.process.kill()
            first.end()
            assert second.end().code == 0

    assert program.read_facts(folder) == program.facts
    assert leftovers(folder) == []

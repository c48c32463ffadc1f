"""A run that was killed with -9 before any change of its folder ends with the same results."""

from pathlib import Path

import numpy as np
import pytest
from faults.processes import Fault, leftovers
from faults.reference_run import Program, program_params
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")

KILLS = 4
"""How often a run is killed at random points."""

NAMED_POINTS: list[object] = [
    ("study", "os.rename .*plan.json"),
    ("study", "os.rename .*recipe.json"),
    ("study", "os.rename .*transcripts"),
    ("study", "os.rename .*cell.json"),
    ("calibration", "os.rename .*played.json"),
    ("calibration", "os.rename .*easy.txt"),
    ("calibration", "os.rename .*hard.txt"),
    ("calibration", "os.remove .*played.json"),
    ("games", "os.rename .*card.json"),
    ("games", "os.rename .*/whole"),
    ("sft", "os.rename .*000004.draft"),
    ("sft", "open .*optimizer.pt"),
    ("rft", "os.rename .*000002.draft"),
    ("rft", "open log.jsonl"),
    *(
        pytest.param("tiny", point, marks=pytest.mark.slow)
        for point in (
            "os.rename models/base.s0/.step_000002.draft",
            "os.rename models/base.s0/.recipe.json",
            "os.rmdir models/.*/step_00000",
            "os.rename models/sokoban-easy.s0/.step_000001.draft",
            "os.rename .report.md",
        )
    ),
]
"""The changes that make a result: it exists after them and not before."""

STRIDES = {"study": 5, "calibration": 2, "games": 4, "sft": 16, "rft": 16, "tiny": 60}
"""For each program, the step from one change at which a run is killed to the next."""


def check_resumes(program: Program, folder: Path) -> None:
    """Run the program in *folder* to its end, and compare the results with an undisturbed run."""
    ended = program.run(folder)
    if program.name == "calibration" and "is there already" in ended.err:
        # It had written its last list when it was killed, and lists are never overwritten.
        assert program.read_facts(folder) == program.facts
        return

    assert ended.code == 0, ended.err
    assert program.read_facts(folder) == program.facts
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    "program", program_params("study", "calibration", slow=("sft", "rft")), indirect=True
)
def test_killed_at_random_points(program: Program, tmp_path: Path) -> None:
    """A run that is killed several times in a row ends with the same results."""
    rng = np.random.default_rng([26, 3, 12, 0, 11])
    killed = 0
    for _ in range(KILLS):
        at = int(rng.integers(1, len(program.changes) // 2))
        killed += program.run(tmp_path / "x", Fault(at)).code == -9

    assert killed > 1
    check_resumes(program, tmp_path / "x")


@pytest.mark.parametrize(("program", "point"), NAMED_POINTS, indirect=["program"])
def test_killed_at_a_named_point(program: Program, point: str, tmp_path: Path) -> None:
    """A run that is killed just before a result is complete makes it when it is resumed."""
    assert program.run(tmp_path / "x", Fault(1, pattern=point)).code == -9

    check_resumes(program, tmp_path / "x")


@pytest.mark.parametrize("program", program_params(slow=tuple(STRIDES)), indirect=True)
def test_killed_before_every_change(program: Program, tmp_path: Path) -> None:
    """A run may be killed at any of its changes; one in so many is tried."""
    for at in range(1, len(program.changes) + 1, STRIDES[program.name]):
        assert program.run(tmp_path / str(at), Fault(at)).code == -9
        check_resumes(program, tmp_path / str(at))

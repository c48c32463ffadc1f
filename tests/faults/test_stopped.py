"""After a stop signal a run prints one sentence, leaves nothing half-written, and can go on."""

import signal
from pathlib import Path

import numpy as np
import pytest
from faults.processes import Fault, is_one_sentence, leftovers
from faults.programs import FACTS
from faults.reference_run import Program, program_params
from systems import needs

pytestmark = needs("POSIX", "the signals and forks of these programs")

SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.mark.parametrize(
    "program",
    program_params("study", "calibration", "games", "rft", slow=("sft", "tiny")),
    indirect=True,
)
def test_a_stopped_run_says_so_and_goes_on(program: Program, tmp_path: Path) -> None:
    """Each signal stops one run at a random point; the exit code is the one that shells expect."""
    rng = np.random.default_rng([26, 3, 12, 0, 12])
    endings = []
    for name in SIGNALS:
        at = int(rng.integers(2, len(program.changes) // 3))
        ended = program.run(tmp_path / "x", Fault(at, name))
        endings.append((ended.code, is_one_sentence(ended.err.lstrip()), ended.err))
        assert leftovers(tmp_path / "x") == []

    assert endings == [
        (128 + signal.Signals[name], True, MESSAGES[program.name]) for name in SIGNALS
    ]
    assert program.run(tmp_path / "x").code == 0
    assert program.read_facts(tmp_path / "x") == program.facts


MESSAGES = dict.fromkeys(FACTS, "agentgym-gen: stopped\n")
MESSAGES |= dict.fromkeys(
    ("calibration", "games", "tiny"), "agentgym-gen: stopped; the same command goes on from here\n"
)
"""For each program, its sentence; only a command of the command line says that it goes on."""

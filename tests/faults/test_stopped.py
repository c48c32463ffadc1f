"""Asked to end, a run ends with one sentence, leaves nothing half-written, and goes on later."""

import signal
from pathlib import Path

import numpy as np
import pytest
from faults.processes import Fault, is_one_sentence, leftovers
from faults.scene import Scene, programs
from faults.subjects import FACTS

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize(
    "scene", programs("study", "calibration", "games", "rft", slow=("sft", "tiny")), indirect=True
)
def test_a_stopped_run_says_so_and_goes_on(scene: Scene, tmp_path: Path) -> None:
    """Each signal once, at drawn points of one run; shells know the exit code."""
    rng = np.random.default_rng([26, 3, 12, 0, 12])
    stopped = []
    for number in SIGNALS:
        at = int(rng.integers(2, len(scene.changes) // 3))
        ended = scene.run(tmp_path / "x", Fault(at, number))
        stopped.append((ended.code, is_one_sentence(ended.err.lstrip()), ended.err))
        assert leftovers(tmp_path / "x") == []

    assert stopped == [(128 + n, True, SAID[scene.name]) for n in SIGNALS]
    assert scene.run(tmp_path / "x").code == 0
    assert scene.found(tmp_path / "x") == scene.facts


SAID = dict.fromkeys(FACTS, "agentgym-gen: stopped\n")
SAID |= dict.fromkeys(
    ("calibration", "games", "tiny"), "agentgym-gen: stopped; the same command goes on from here\n"
)
"""By program, what it says; the others are no commands of their own."""

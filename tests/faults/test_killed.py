"""Killed with -9 before any change of its folder, a run goes on and ends with the same numbers."""

from pathlib import Path

import numpy as np
import pytest
from faults.processes import Fault, leftovers
from faults.scene import Scene, programs

KILLS = 4
"""How often a run is killed at drawn points."""

POINTS: list[object] = [
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
"""The changes on either side of which a result is there or not."""

EVERY = {"study": 5, "calibration": 2, "games": 4, "sft": 16, "rft": 16, "tiny": 60}
"""By program, of how many changes each one is met by a run that is killed there."""


def check_goes_on(scene: Scene, folder: Path) -> None:
    """Run the program in *folder* to its end, and compare with the undisturbed run."""
    ended = scene.run(folder)
    if scene.name == "calibration" and "is there already" in ended.err:
        # It was at its end when it was killed, and lists are never overwritten.
        assert scene.found(folder) == scene.facts
        return

    assert ended.code == 0, ended.err
    assert scene.found(folder) == scene.facts
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    "scene", programs("study", "calibration", slow=("sft", "rft")), indirect=True
)
def test_killed_at_drawn_points(scene: Scene, tmp_path: Path) -> None:
    """Several times, one after the other."""
    rng = np.random.default_rng([26, 3, 12, 0, 11])
    killed = 0
    for _ in range(KILLS):
        at = int(rng.integers(1, len(scene.changes) // 2))
        killed += scene.run(tmp_path / "x", Fault(at)).code == -9

    assert killed > 1
    check_goes_on(scene, tmp_path / "x")


@pytest.mark.parametrize(("scene", "point"), POINTS, indirect=["scene"])
def test_killed_at_a_named_point(scene: Scene, point: str, tmp_path: Path) -> None:
    """Just before the change that makes a result."""
    assert scene.run(tmp_path / "x", Fault(1, point=point)).code == -9

    check_goes_on(scene, tmp_path / "x")


@pytest.mark.parametrize("scene", programs(slow=tuple(EVERY)), indirect=True)
def test_killed_before_every_change(scene: Scene, tmp_path: Path) -> None:
    """Of many, one in so many."""
    for at in range(1, len(scene.changes) + 1, EVERY[scene.name]):
        assert scene.run(tmp_path / str(at), Fault(at)).code == -9
        check_goes_on(scene, tmp_path / str(at))

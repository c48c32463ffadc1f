"""The distances between interfaces are measured once, and the report reads them."""

from pathlib import Path

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.describe.distance import distance, profile
from agentgym_gen.errors import DataError
from agentgym_gen.study import run_plan
from agentgym_gen.study.results.distances import read_distances, write_distances
from agentgym_gen.study.run import distances as module
from agentgym_gen.study.run.distances import measure_distances

SOKOBAN, CRAFT = "rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-menu-v0"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small study, which was run."""
    out = tmp_path_factory.mktemp("study")
    run_plan(small_plan(), out, log=print, recipe=PretendRecipe())
    return out


def test_a_run_measures_what_the_regression_needs(finished: Path) -> None:
    """A column has a distance from each other interface that was trained."""
    distances = read_distances(finished)

    assert set(distances) == {(CRAFT, "native"), (SOKOBAN, "menu"), (SOKOBAN, "listed")}
    listed = profile(SOKOBAN, options={"interface": "listed"})
    expected = distance(profile(SOKOBAN), listed).mean
    assert distances[SOKOBAN, "listed"] == pytest.approx(expected, abs=1e-6)


def test_distances_are_measured_once(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run leaves the file as it is."""
    monkeypatch.setattr(module, "_profile", None)
    before = (finished / "distances.json").read_bytes()
    measure_distances(small_plan(), finished, print)

    assert (finished / "distances.json").read_bytes() == before


def test_a_failed_measurement_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The study goes on without the distances."""

    def fail(*_: str) -> None:
        raise ValueError("no expert")

    lines: list[str] = []
    monkeypatch.setattr(module, "_profile", fail)
    measure_distances(small_plan(), tmp_path, lines.append)

    assert lines == ["The distances between interfaces were not measured: no expert"]
    assert read_distances(tmp_path) == {}


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"distances": [{"column": "c"}]}', '{"distances": [3]}', "{"]
)
def test_a_file_without_distances_is_an_error(tmp_path: Path, text: str) -> None:
    """The error names the file."""
    (tmp_path / "distances.json").write_text(text)
    with pytest.raises(DataError, match=r"distances\.json"):
        read_distances(tmp_path)


def test_a_distance_is_a_share(tmp_path: Path) -> None:
    """A distance above 1 is refused."""
    write_distances(tmp_path, {(SOKOBAN, "listed"): 1.5})
    with pytest.raises(DataError, match=r"distances\.json"):
        read_distances(tmp_path)

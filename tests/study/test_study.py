"""A study as an object, its data frames, its cost and its status."""

from pathlib import Path

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.errors import DataError, MissingExtraError
from agentgym_gen.study import Study
from agentgym_gen.study import study as module
from agentgym_gen.study.run.cost import Cost, count_cost
from agentgym_gen.study.run.status import status_lines


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the small study, run."""
    study = Study(small_plan(), tmp_path_factory.mktemp("study"))
    study.run(recipe=PretendRecipe(), workers=1, log=str)
    return study


def test_a_study_is_made_of_a_preset() -> None:
    """Its results are in `runs` unless another folder is given."""
    study = Study("quick")

    assert study.out == Path("runs/quick")
    assert study.plan.name == "quick"


def test_a_study_is_opened_from_its_folder(done: Study) -> None:
    """It has the same plan."""
    again = Study.open(done.out)

    assert again.plan.key() == done.plan.key()
    assert repr(again) == f"<Study 'small' in {str(done.out)!r}: 34 of 34 jobs done>"


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    """The error says that it has no plan."""
    with pytest.raises(DataError, match=r"holds no study: it has no plan\.json"):
        Study.open(tmp_path)


def test_frames_have_a_row_for_each_row(done: Study) -> None:
    """There is a row for each episode and one for each cell."""
    pytest.importorskip("pandas")
    episodes, cells = done.episodes(), done.cells()

    assert len(episodes) == cells["episodes"].sum()
    assert episodes.groupby("cell")["success"].sum().sum() == cells["successes"].sum()


def test_the_frame_of_gains_is_that_of_the_analysis(done: Study) -> None:
    """It has intervals, the sizes of the sample, and the adjusted p."""
    pytest.importorskip("pandas")
    gains = done.gains().set_index(["arm", "column"])
    row = gains.loc["sokoban-easy", "Sokoban-medium"]
    gain = done.results().gain("sokoban-easy", "rftgen/Sokoban-medium-v0")

    assert (row["gain"], row["low"], row["high"]) == (gain.value, gain.low, gain.high)
    assert row["p_holm"] >= gain.p
    assert (row["tasks"], row["seeds"]) == (6, 2)


def test_the_matrix_has_the_base_first(done: Study) -> None:
    """It has arms by columns; a pair that was not tested is empty."""
    pytest.importorskip("pandas")
    matrix = done.matrix()

    assert matrix.index[0] == "base"
    assert list(matrix.columns)[:2] == ["Sokoban-easy", "Sokoban-medium"]
    assert matrix.isna().loc["mixture", "Sokoban-medium"]


def test_frames_need_the_extra(done: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas, the error names the command that installs it."""
    monkeypatch.setitem(module.sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[study\]'"):
        done.episodes()


def test_the_cost_is_counted_before_a_run(tmp_path: Path) -> None:
    """A seed has 8 models, 7 trainings, two of half the steps, and 17 cells of 12 episodes."""
    plan = small_plan(rft={"max_steps": 10, "tasks_per_step": 2, "num_generations": 4})
    cost = count_cost(plan, tmp_path)

    assert (cost.models, cost.cells) == (16, 34)
    # easy, half easy, its other half, craft, listed, the pair's second, mixture
    assert cost.train_steps == 2 * (10 + 5 + 5 + 10 + 10 + 10 + 10)
    assert cost.train_episodes == cost.train_steps * 8
    assert cost.test_episodes == 34 * 12


def test_nothing_is_left_of_a_finished_study(done: Study) -> None:
    """Its cost is zero."""
    assert count_cost(done.plan, done.out) == Cost(0, 0, 0, 0, 0, 0)


def test_a_cost_is_printed_in_words() -> None:
    """A time below an hour is in minutes, and is called rough."""
    text = str(Cost(2, 4, 0, 10, 80, 48, hours=0.5, tokens=2.5e6))

    assert "2 models to train, 4 cells to test: 10 training steps with 80 episodes" in text
    assert "at most 2.5 million sampled tokens; roughly 30 minutes (from a timed probe)" in text


def test_the_status_has_a_line_for_each_model(done: Study, tmp_path: Path) -> None:
    """The line says whether the model is trained, failed or waits."""
    lines = status_lines(done.plan, done.out)
    assert lines[0].startswith("[####################] 100 % small in")
    assert len(lines) == 2 + len(done.plan.models)

    broken = Study(small_plan(seeds=(0,)), tmp_path)
    broken.run(recipe=PretendRecipe(fail_at="mixture.s0"), workers=1, log=str)
    text = "\n".join(status_lines(broken.plan, broken.out))
    assert "training failed" in text
    assert "failed: train mixture.s0: the graphics card is on fire" in text

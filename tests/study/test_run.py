"""A study from plan to rows, with policies in place of models."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pretend_study import PretendRecipe, SkilledPolicy, small_plan
from systems import needs

from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.study import run_plan
from agentgym_gen.study.plan.plan import ROW_SCHEMA, Cell, ModelId, Stage
from agentgym_gen.study.results.folder import ResultsFolder
from agentgym_gen.study.results.rows import (
    cell_folder,
    read_cells,
    read_curves,
    read_episodes,
    read_failures,
    read_transcripts,
)
from agentgym_gen.study.run.run import claim_folder, sample_column_tasks, stage_seed
from agentgym_gen.system.file_lock import is_locked, lock_folder

CELLS = 2 * (4 + 3 + 0 + 2 + 2 + 2 + 2 + 2)
"""The cells of two seeds: base, easy, half easy, curriculum, craft, listed, pair, mixture."""


def comparable_cells(out: Path) -> list[dict[str, object]]:
    """Return the rows of the cells of *out*, without the keys that differ between two runs."""
    changing = ("seconds", "commit")
    return [{k: v for k, v in row.items() if k not in changing} for row in read_cells(out)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small study, which was run without a break."""
    out = tmp_path_factory.mktemp("finished")
    run_plan(small_plan(), out, log=str, recipe=PretendRecipe())
    return out


def test_every_episode_and_cell_leaves_a_row(finished: Path) -> None:
    """A cell has 6 tasks with 2 samples each, and every row has the schema."""
    rows, cells = read_episodes(finished), read_cells(finished)

    assert len(cells) == CELLS
    assert len(rows) == CELLS * 12
    assert {row["schema"] for row in [*rows, *cells]} == {ROW_SCHEMA}
    assert {row["cell"] for row in rows} == {cell["cell"] for cell in cells}
    assert {(finished / "cells" / cell["cell"]).is_dir() for cell in cells} == {True}


def test_the_row_of_a_cell_has_all_that_is_needed_to_run_it_again(finished: Path) -> None:
    """It has ids, hashes, decoding, versions, and the totals of its episodes."""
    cell = next(row for row in read_cells(finished) if row["cell"] == "base.s1/Sokoban-medium")
    successes = [
        r["success"] for r in read_episodes(finished) if r["cell"] == "base.s1/Sokoban-medium"
    ]

    assert cell["env_id"] == "rftgen/Sokoban-medium-v0"
    assert (cell["env_version"], cell["split"], cell["seed"]) == (0, "test", 1)
    assert len(cell["data_hash"]) == len(cell["prompt_hash"]) == 16
    assert cell["decoding"] == {"temperature": 1.0, "max_new_tokens": 32, "max_turns": None}
    assert cell["versions"]["numpy"] == np.__version__
    assert cell["plan"] == small_plan().key()
    assert (cell["episodes"], cell["tasks"], cell["successes"]) == (12, 6, sum(successes))


def test_there_is_a_transcript_for_every_row(finished: Path) -> None:
    """Transcripts are in the order of the rows and have as many turns."""
    name = "mixture.s0/TextCraft-easy-menu"
    rows = [row for row in read_episodes(finished) if row["cell"] == name]
    transcripts = read_transcripts(finished, name)

    assert [t["task_id"] for t in transcripts] == [row["task_id"] for row in rows]
    assert [len(t["turns"]) for t in transcripts] == [row["turns"] for row in rows]


def test_hashes_differ_by_tasks_and_prompts(finished: Path) -> None:
    """Two interfaces have the same tasks and other prompts; two tiers have other tasks."""
    cells = {row["cell"]: row for row in read_cells(finished)}
    native, listed, medium = (
        cells[f"base.s0/Sokoban-{name}"] for name in ("easy", "easy-listed", "medium")
    )

    assert native["data_hash"] == listed["data_hash"] != medium["data_hash"]
    assert native["prompt_hash"] != listed["prompt_hash"]


def test_curves_are_read_by_model(finished: Path) -> None:
    """Only a model that was trained has a log."""
    curves = read_curves(finished)

    assert [row["success"] for row in curves["sokoban-easy.s0"]] == [0.1, 0.2, 0.3]
    assert "base.s0" not in curves


def test_a_stopped_study_goes_on_with_the_same_rows(finished: Path, tmp_path: Path) -> None:
    """No job that was done is done again."""
    stopped = PretendRecipe(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run_plan(small_plan(), tmp_path, log=str, recipe=stopped)
    done = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*/*/cell.json")}
    again = PretendRecipe()
    run_plan(small_plan(), tmp_path, log=str, recipe=again)

    assert done
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in done.items())
    assert not set(stopped.trained) & set(again.trained)
    assert comparable_cells(tmp_path) == comparable_cells(finished)
    assert read_episodes(tmp_path) == read_episodes(finished)


def test_a_finished_study_is_not_run_again(finished: Path) -> None:
    """Its second run does no job."""
    again = PretendRecipe()
    summary = run_plan(small_plan(), finished, log=str, recipe=again)

    assert (summary.done, again.trained) == ([], [])


def test_cells_of_other_weights_are_not_read(finished: Path, tmp_path: Path) -> None:
    """One model does not have the results of two sets of weights."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    folder = out / "cells" / "mixture.s0"
    row = json.loads((folder / "Sokoban-easy" / "cell.json").read_text())
    (folder / "Sokoban-easy" / "cell.json").write_text(json.dumps({**row, "model_hash": "0" * 16}))
    (folder / "TextCraft-easy-menu" / "cell.json").unlink()
    run_plan(small_plan(), out, log=str, recipe=PretendRecipe())

    with pytest.raises(DataError, match=r"The cells of mixture\.s0 were played with different wei"):
        read_episodes(out)


def test_a_cell_without_its_last_file_is_run_again(finished: Path, tmp_path: Path) -> None:
    """Rows of a killed run are no results."""
    plan = small_plan()
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())
    cell = Cell(plan.models[0], plan.columns[0])
    (cell_folder(tmp_path, cell) / "cell.json").unlink()
    (cell_folder(tmp_path, cell) / "episodes.jsonl").write_text('{"half a row')
    run_plan(plan, tmp_path, log=str, recipe=PretendRecipe())

    assert read_episodes(tmp_path) == read_episodes(finished)


def test_a_failure_is_recorded_and_other_jobs_go_on(tmp_path: Path) -> None:
    """Jobs that need the failed one are not started, and the next run tries it again."""
    plan = small_plan(seeds=(0,))
    summary = run_plan(plan, tmp_path, log=str, recipe=PretendRecipe(fail_at="sokoban-easy.s0"))

    assert list(summary.failed) == ["train sokoban-easy.s0"]
    assert sorted(summary.blocked) == [
        "test sokoban-easy.s0",
        "test sokoban-easy_then_textcraft-easy-menu.s0",
        "train sokoban-easy_then_textcraft-easy-menu.s0",
    ]
    (failure,) = read_failures(tmp_path)
    assert failure["error"] == "the graphics card is on fire"
    assert "in train" in failure["traceback"]
    assert len(read_cells(tmp_path)) == CELLS / 2 - 3 - 2

    assert run_plan(plan, tmp_path, log=str, recipe=PretendRecipe()).failed == {}
    assert read_failures(tmp_path) == []
    assert len(read_cells(tmp_path)) == CELLS / 2


class BadOnMedium(PretendRecipe):
    """A recipe whose policies cannot play medium tasks."""

    def load_policy(self, folder: Path) -> Policy:
        """Return a policy that fails on them."""

        class Bad(SkilledPolicy):
            def act(self, requests: Sequence[Request]) -> list[Completion]:
                if any(request.env.tiers == ("medium",) for request in requests):
                    raise ZeroDivisionError("cannot be played")
                return super().act(requests)

        return Bad(0.5)


def test_a_cell_that_fails_does_not_take_others_with_it(tmp_path: Path) -> None:
    """The other columns of the model have rows."""
    summary = run_plan(small_plan(seeds=(0,)), tmp_path, log=str, recipe=BadOnMedium())
    cells = {row["cell"] for row in read_cells(tmp_path)}

    assert "base.s0/Sokoban-easy" in cells
    assert "base.s0/Sokoban-medium" not in cells
    assert "test base.s0" in summary.failed
    assert any(row["job"] == "base.s0/Sokoban-medium" for row in read_failures(tmp_path))
    assert ResultsFolder(tmp_path).strangers() == []


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    """The second run is refused, and its error names the process of the first."""
    with lock_folder(tmp_path, "nothing"):
        assert is_locked(tmp_path)
        with pytest.raises(ResultExistsError, match=rf"process {os.getpid()} on .*--out"):
            run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe())
    assert not is_locked(tmp_path)


def test_the_results_of_another_plan_are_never_overwritten(finished: Path) -> None:
    """The error names the folder and what to do."""
    with pytest.raises(ResultExistsError, match="choose another folder with --out"):
        run_plan(small_plan(tasks=7), finished, log=str, recipe=PretendRecipe())


@pytest.mark.parametrize("plan", ["{", "[]", '{"key": 1}', "\x00"])
def test_a_plan_that_cannot_be_read_is_one_clear_error(tmp_path: Path, plan: str) -> None:
    """The error comes before any job runs."""
    (tmp_path / "plan.json").write_text(plan)
    with pytest.raises(DataError, match="it is not the plan of a study"):
        run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe())


def test_results_without_a_plan_are_left_alone(tmp_path: Path) -> None:
    """Their plan is not known."""
    (tmp_path / "cells").mkdir()
    with pytest.raises(ResultExistsError, match=r"holds no study, and is not empty"):
        run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe())


def test_another_plan_names_the_key_that_differs(tmp_path: Path) -> None:
    """Both values are shown; a plan that differs in its name alone is the same."""
    claim_folder(small_plan(), tmp_path)
    claim_folder(small_plan(name="other"), tmp_path)

    with pytest.raises(ResultExistsError, match=r"there `test\.tasks` is 6, and here it is 9;"):
        claim_folder(small_plan(tasks=9), tmp_path)
    with pytest.raises(ResultExistsError, match=r"there `seeds` is \[0, 1\], and here it is \[0\]"):
        claim_folder(small_plan(seeds=(0,)), tmp_path)


def test_a_folder_without_rows_is_named(tmp_path: Path) -> None:
    """One without a plan is no study; that of an empty study says what to do."""
    with pytest.raises(DataError, match=r"holds no study: it has no plan\.json"):
        read_episodes(tmp_path)
    claim_folder(small_plan(), tmp_path)
    with pytest.raises(DataError, match="run the study first"):
        read_episodes(tmp_path)


def test_every_model_is_tested_on_the_same_tasks_through_every_interface() -> None:
    """Gains and differences between interfaces can be paired."""
    plan = small_plan()
    native, listed = "rftgen/Sokoban-easy-v0", "rftgen/Sokoban-easy-listed-v0"

    assert sample_column_tasks(plan, native) == sample_column_tasks(plan, listed)
    assert all(task.startswith("sokoban/easy/test/") for task in sample_column_tasks(plan, native))


def test_a_full_disk_ends_the_run_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not recorded as a failure, which could not be written either."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    claim_folder(small_plan(), tmp_path)
    monkeypatch.setattr("agentgym_gen.system.files.os.fsync", full)
    with pytest.raises(DataError, match=r"^Cannot write .*: No space left on device; make room"):
        run_plan(small_plan(), tmp_path, log=str, recipe=PretendRecipe())
    assert list(tmp_path.rglob(".*.json.*")) == []


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from pretend_study import PretendRecipe, small_plan
from agentgym_gen.study import run_plan
run_plan(small_plan(), Path(sys.argv[1]), log=str, recipe=PretendRecipe())
"""


@pytest.mark.slow
@needs("POSIX", "SIGKILL")
def test_a_study_that_is_killed_five_times_ends_with_the_same_numbers(
    finished: Path, tmp_path: Path
) -> None:
    """It is killed with -9, each time when a random number of new files is there."""
    program = RUN.format(tests=str(Path(__file__).parents[1]))
    rng = np.random.default_rng(260312011)
    for _ in range(5):
        number = len(list(tmp_path.rglob("*"))) + int(rng.integers(3, 12))
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
        while process.poll() is None and len(list(tmp_path.rglob("*"))) < number:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(read_cells(tmp_path)) < CELLS
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)

    assert comparable_cells(tmp_path) == comparable_cells(finished)
    assert read_episodes(tmp_path) == read_episodes(finished)


def test_the_plan_file_has_plan_key_and_versions(finished: Path) -> None:
    """The file has the plan, its key, and the versions of packages."""
    record = json.loads((finished / "plan.json").read_text())

    assert record["key"] == small_plan().key()
    assert record["plan"]["seeds"] == [0, 1]
    assert record["versions"]["gymnasium"]


def test_a_stage_that_returns_to_an_environment_plays_other_tasks() -> None:
    """Its seed is another one than that of the first stage, which is the plan's."""
    board, craft = (Stage(name, (f"rftgen/{name}-easy-v0",)) for name in ("Sokoban", "TextCraft"))
    stages = (board, craft, board)
    first, second, third = (stage_seed(ModelId(stages[:n], 3)) for n in (1, 2, 3))

    assert first == 3
    assert len({first, second, third, stage_seed(ModelId(stages, 4))}) == 4


def test_a_setting_bounds_the_episodes_of_tests_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rft.max_concurrent` is for the memory that keys and values take, which tests need, too."""
    sizes: list[int] = []
    act = SkilledPolicy.act

    def counted(self: SkilledPolicy, requests: Sequence[Request]) -> list[Completion]:
        sizes.append(len(requests))
        return act(self, requests)

    monkeypatch.setattr(SkilledPolicy, "act", counted)
    run_plan(small_plan(rft={"max_concurrent": 3}), tmp_path, log=str, recipe=PretendRecipe())

    assert max(sizes) == 3

"""The order of jobs, and the executors that run them."""

import itertools
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.errors import (
    DataError,
    DiskFullError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
)
from agentgym_gen.study import Stage, run_plan
from agentgym_gen.study.results.rows import read_episodes
from agentgym_gen.study.run import executors
from agentgym_gen.study.run.executors import (
    DIED,
    InProcess,
    JobFunction,
    LocalProcesses,
    RayTasks,
    make_executor,
)
from agentgym_gen.study.run.jobs import Job, chain_lengths, make_jobs
from agentgym_gen.study.run.schedule import Log, run_jobs

CHAIN = [
    Job("train", "a", (), 1.0),
    Job("train", "b", ("train a",), 5.0),
    Job("test", "a", ("train a",), 1.0),
    Job("test", "b", ("train b",), 1.0),
]


def test_a_job_comes_after_those_that_it_needs() -> None:
    """The list of the jobs of a plan has this order."""
    names: list[str] = []
    for job in make_jobs(small_plan()):
        assert set(job.needs) <= set(names), job.name
        names.append(job.name)
    assert len(names) == len(set(names))


def test_a_chain_is_as_long_as_its_jobs() -> None:
    """The chain from the training of a has 1 + 5 + 1 = 7, that of b 6, a test 1."""
    assert chain_lengths(CHAIN) == {"train a": 7.0, "train b": 6.0, "test a": 1.0, "test b": 1.0}


def test_jobs_run_once_in_an_order_that_needs_allow() -> None:
    """A job that is finished does not run."""
    jobs: list[str] = []
    summary = run_jobs(CHAIN, {"train a"}, lambda job: jobs.append(job), InProcess(), str)  # type: ignore[func-returns-value]

    assert jobs == ["train b", "test a", "test b"]
    assert summary.done == jobs


def test_a_job_that_needs_a_failed_one_is_not_started() -> None:
    """A test of b needs its training, which has failed."""
    summary = run_jobs(
        CHAIN, (), lambda job: "Error: no" if job == "train b" else None, InProcess(), str
    )

    assert summary.failed == {"train b": "Error: no"}
    assert summary.blocked == ["test b"]
    assert summary.done == ["train a", "test a"]


def test_a_long_chain_of_jobs_is_blocked_as_a_whole() -> None:
    """Thousands of jobs that need each other do not end a run."""
    jobs = [Job("train", "0", (), 1.0)]
    jobs += [Job("train", str(n), (f"train {n - 1}",), 1.0) for n in range(1, 3000)]
    summary = run_jobs(jobs, (), lambda _: "Error: no", InProcess(), lambda _: None)

    assert list(summary.failed) == ["train 0"]
    assert summary.blocked == [job.name for job in jobs[1:]]


def test_a_job_whose_process_dies_is_started_once_more() -> None:
    """Another job may have used up the memory."""
    attempts = itertools.count()

    def run_job(job: str) -> str | None:
        return DIED if job == "train a" and next(attempts) == 0 else None

    summary = run_jobs(CHAIN, (), run_job, InProcess(), str)
    assert len(summary.done) == 4

    summary = run_jobs(CHAIN, (), lambda job: DIED, InProcess(), str)
    assert list(summary.failed) == ["train a"]


def test_progress_is_printed() -> None:
    """A line names the job that starts after a bar, or the error of one that failed.

    The error is the last line of a traceback, and the first of a sentence with an explanation.
    """
    lines: list[str] = []
    errors = {"test a": "Traceback (most recent call last):\n  x\nBad: y", "train b": "No\nSee c"}
    run_jobs(CHAIN, (), errors.get, InProcess(), lines.append)

    assert lines[0] == "[....................]   0 % train a"
    assert any(line.strip() == "test a failed: Bad: y" for line in lines)
    assert any(line.strip() == "train b failed: No" for line in lines)


def die(job: str) -> str | None:
    """End the process as a signal would."""
    os._exit(9)


def greet(job: str) -> str | None:
    """Return a word, as a traceback."""
    return f"hello {job}"


def test_a_dead_process_is_an_error_and_the_next_job_runs() -> None:
    """A new pool of processes takes the place of the broken one."""
    pool = LocalProcesses(1)
    pool.submit(die, "a")
    assert pool.wait() == [("a", DIED)]
    pool.submit(greet, "b")
    assert pool.wait() == [("b", "hello b")]
    pool.close()


def test_processes_give_the_same_rows(tmp_path: Path) -> None:
    """The rows of two processes are those of jobs run one after the other."""
    plan = small_plan(seeds=(0,), tasks=3)
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "two", log=str, recipe=PretendRecipe(), executor=LocalProcesses(2))

    assert read_episodes(tmp_path / "two") == read_episodes(tmp_path / "one")


class FakeTaskError(ConnectionError):
    """The error of Ray for a job that has raised one, its `cause`."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class FakeRay:
    """The part of Ray that `RayTasks` uses, which does every job at once."""

    def __init__(self, broken: str = "") -> None:
        self.exceptions = SimpleNamespace(RayError=ConnectionError, RayTaskError=FakeTaskError)
        self.options: dict[str, Any] = {}
        self.is_shut_down = False
        self._broken = broken
        self._values: dict[str, Any] = {}

    def is_initialized(self) -> bool:
        return bool(self.options)

    def init(self, **options: object) -> None:
        self.options = options

    def remote(self, **options: object) -> Any:  # noqa: ANN401
        def decorate(function: Any) -> Any:  # noqa: ANN401
            def start(run_job: Any, job: str) -> str:  # noqa: ANN401
                try:
                    value = None if job == self._broken else (function(run_job, job),)
                except Exception as error:  # noqa: BLE001  (as Ray does)
                    value = error
                self._values[job] = value
                return job

            return SimpleNamespace(remote=start)

        return decorate

    def wait(self, references: list[str], num_returns: int) -> tuple[list[str], list[str]]:
        return references[:num_returns], references[num_returns:]

    def get(self, reference: str) -> Any:  # noqa: ANN401
        if self._values[reference] is None:
            raise ConnectionError("node lost")
        if isinstance(self._values[reference], Exception):
            raise FakeTaskError(self._values[reference])
        return self._values[reference][0]

    def shutdown(self) -> None:
        self.is_shut_down = True


def test_ray_tasks_give_the_same_rows(tmp_path: Path) -> None:
    """A fake of Ray gives the rows of one process; `test_with_ray_itself` uses the real one."""
    plan, ray = small_plan(seeds=(0,), tasks=3), FakeRay()
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "ray", log=str, recipe=PretendRecipe(), executor=RayTasks(2, ray=ray))

    assert read_episodes(tmp_path / "ray") == read_episodes(tmp_path / "one")
    assert ray.options == {"include_dashboard": False, "num_cpus": 2}
    assert ray.is_shut_down


def test_ray_joins_the_cluster_of_an_address() -> None:
    """No cluster is started then."""
    ray = FakeRay()
    RayTasks(2, "10.0.0.1:6379", ray=ray)

    assert ray.options == {"include_dashboard": False, "address": "10.0.0.1:6379"}


def test_a_lost_node_of_ray_counts_as_a_dead_process() -> None:
    """Its job is started once more."""
    tasks = RayTasks(1, ray=FakeRay(broken="a"))
    tasks.submit(greet, "a")

    assert tasks.wait() == [("a", f"{DIED} (ConnectionError)")]


def fill_the_disk(job: str) -> str | None:
    """Fail as a job does for which there is no room."""
    raise DiskFullError(f"Cannot write {job}")


def lose_the_folder(job: str) -> str | None:
    """Fail as a job does whose results folder was deleted."""
    raise DataError(f"{job} was deleted")


@pytest.mark.parametrize("run_job", [fill_the_disk, lose_the_folder])
@pytest.mark.parametrize("executor", ["in process", "processes", "ray"])
def test_every_executor_raises_what_ends_a_study(executor: str, run_job: JobFunction) -> None:
    """The error of a job comes through as it is; it was taken for a dead process of Ray."""
    makers = {
        "in process": InProcess,
        "processes": lambda: LocalProcesses(1),
        "ray": lambda: RayTasks(1, ray=FakeRay()),
    }
    tasks = makers[executor]()

    def run() -> None:
        tasks.submit(run_job, "a")
        tasks.wait()

    with pytest.raises(DataError) as caught:
        run()
    tasks.close()

    assert type(caught.value) is (DiskFullError if run_job is fill_the_disk else DataError)


@pytest.mark.slow
def test_with_ray_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray on this machine gives the rows of one process; its workers import the recipe of here."""
    pytest.importorskip("ray")
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    plan = small_plan(seeds=(0,), tasks=3)
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "ray", log=str, recipe=PretendRecipe(), executor=RayTasks(2))

    assert read_episodes(tmp_path / "ray") == read_episodes(tmp_path / "one")


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray, the error names the command that installs it."""

    def fail(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(executors.importlib, "import_module", fail)
    with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[ray\]'"):
        make_executor("ray", 2)


def test_an_executor_is_made_by_its_name() -> None:
    """An unknown name and a number of workers below 1 are errors."""
    assert isinstance(make_executor("local", 1), InProcess)
    with pytest.raises(UnknownNameError, match="did you mean 'local'"):
        make_executor("locl", 1)
    with pytest.raises(InvalidValueError, match="`workers` is at least 1, not 0"):
        make_executor("local", 0)


def test_a_warning_names_the_model_that_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trainer knows no name, and several models are trained at a time."""

    class WarningRecipe(PretendRecipe):
        def train(self, base: Path, folder: Path, stage: Stage, seed: int, log: Log) -> None:
            logging.getLogger("agentgym_gen.trainers.rft").warning("No update in %d steps", 3)
            super().train(base, folder, stage, seed, log)

    lines: list[str] = []
    run_plan(small_plan(), tmp_path, log=lines.append, recipe=WarningRecipe())
    warnings = [line.strip() for line in lines if "warning" in line]

    assert "sokoban-easy.s0: warning: No update in 3 steps" in warnings
    assert len(warnings) == len(small_plan().models) - len(small_plan().seeds)
    assert "No update" not in capsys.readouterr().err

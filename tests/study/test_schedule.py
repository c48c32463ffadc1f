"""Jobs in their order, and where they run."""

import itertools
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pretend_study import PretendRecipe, small_plan

from agentgym_gen.errors import InvalidValueError, MissingExtraError, UnknownNameError
from agentgym_gen.study import executors, run_plan
from agentgym_gen.study.results.rows import read_episodes
from agentgym_gen.study.run.executors import (
    DIED,
    InProcess,
    LocalProcesses,
    RayTasks,
    make_executor,
)
from agentgym_gen.study.run.jobs import Job, chain_lengths, make_jobs
from agentgym_gen.study.run.schedule import run_jobs

CHAIN = [
    Job("train", "a", (), 1.0),
    Job("train", "b", ("train a",), 5.0),
    Job("test", "a", ("train a",), 1.0),
    Job("test", "b", ("train b",), 1.0),
]


def test_a_job_comes_after_those_that_it_needs() -> None:
    """In the list of a plan."""
    names: list[str] = []
    for job in make_jobs(small_plan()):
        assert set(job.needs) <= set(names), job.name
        names.append(job.name)
    assert len(names) == len(set(names))


def test_the_job_of_the_longest_chain_is_the_most_urgent() -> None:
    """A: 1 + 5 + 1 = 7; b: 6; its test: 1."""
    assert chain_lengths(CHAIN) == {"train a": 7.0, "train b": 6.0, "test a": 1.0, "test b": 1.0}


def test_jobs_run_once_in_an_order_that_needs_allow() -> None:
    """Those that are finished do not run."""
    ran: list[str] = []
    outcome = run_jobs(CHAIN, {"train a"}, lambda job: ran.append(job), InProcess(), str)  # type: ignore[func-returns-value]

    assert ran == ["train b", "test a", "test b"]
    assert outcome.done == ran


def test_what_needs_a_failed_job_is_not_begun() -> None:
    """At any distance."""
    outcome = run_jobs(
        CHAIN, (), lambda job: "Error: no" if job == "train b" else None, InProcess(), str
    )

    assert outcome.failed == {"train b": "Error: no"}
    assert outcome.blocked == ["test b"]
    assert outcome.done == ["train a", "test a"]


def test_a_job_whose_process_dies_is_begun_once_more() -> None:
    """The fault may be that of one beside it."""
    tries = itertools.count()

    def work(job: str) -> str | None:
        return DIED if job == "train a" and next(tries) == 0 else None

    outcome = run_jobs(CHAIN, (), work, InProcess(), str)
    assert len(outcome.done) == 4

    outcome = run_jobs(CHAIN, (), lambda job: DIED, InProcess(), str)
    assert list(outcome.failed) == ["train a"]


def test_progress_says_what_begins_and_what_failed() -> None:
    """With a bar, and the last line of the traceback."""
    said: list[str] = []
    run_jobs(
        CHAIN, (), lambda job: "x\nBad: y" if job == "test a" else None, InProcess(), said.append
    )

    assert said[0] == "[....................]   0 % train a"
    assert any(line.strip() == "test a failed: Bad: y" for line in said)


def die(job: str) -> str | None:
    """End the process as a signal would."""
    os._exit(9)


def greet(job: str) -> str | None:
    """Return a word, as a traceback."""
    return f"hello {job}"


def test_a_dead_process_is_an_outcome_and_the_next_job_runs() -> None:
    """The pool is made anew."""
    pool = LocalProcesses(1)
    pool.submit(die, "a")
    assert pool.wait() == [("a", DIED)]
    pool.submit(greet, "b")
    assert pool.wait() == [("b", "hello b")]
    pool.close()


def test_processes_give_the_same_rows(tmp_path: Path) -> None:
    """Two at a time, and one after the other."""
    plan = small_plan(seeds=(0,), tasks=3)
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "two", log=str, recipe=PretendRecipe(), executor=LocalProcesses(2))

    assert read_episodes(tmp_path / "two") == read_episodes(tmp_path / "one")


class FakeRay:
    """What `RayTasks` uses of Ray, done at once."""

    def __init__(self, broken: str = "") -> None:
        self.exceptions = SimpleNamespace(RayError=ConnectionError)
        self.started: dict[str, Any] = {}
        self.ended = False
        self._broken = broken
        self._values: dict[str, Any] = {}

    def is_initialized(self) -> bool:
        return bool(self.started)

    def init(self, **options: object) -> None:
        self.started = options

    def remote(self, **options: object) -> Any:  # noqa: ANN401
        def decorate(function: Any) -> Any:  # noqa: ANN401
            def start(work: Any, job: str) -> str:  # noqa: ANN401
                self._values[job] = None if job == self._broken else (function(work, job),)
                return job

            return SimpleNamespace(remote=start)

        return decorate

    def wait(self, references: list[str], num_returns: int) -> tuple[list[str], list[str]]:
        return references[:num_returns], references[num_returns:]

    def get(self, reference: str) -> Any:  # noqa: ANN401
        if self._values[reference] is None:
            raise ConnectionError("node lost")
        return self._values[reference][0]

    def shutdown(self) -> None:
        self.ended = True


def test_ray_tasks_give_the_same_rows(tmp_path: Path) -> None:
    """Told to a fake of Ray; `test_with_ray_itself` asks the real one."""
    plan, ray = small_plan(seeds=(0,), tasks=3), FakeRay()
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "ray", log=str, recipe=PretendRecipe(), executor=RayTasks(2, ray=ray))

    assert read_episodes(tmp_path / "ray") == read_episodes(tmp_path / "one")
    assert ray.started == {"include_dashboard": False, "num_cpus": 2}
    assert ray.ended


def test_ray_joins_the_cluster_of_an_address() -> None:
    """And starts none."""
    ray = FakeRay()
    RayTasks(2, "10.0.0.1:6379", ray=ray)

    assert ray.started == {"include_dashboard": False, "address": "10.0.0.1:6379"}


def test_a_lost_node_of_ray_is_a_dead_process() -> None:
    """So that its job is begun once more."""
    tasks = RayTasks(1, ray=FakeRay(broken="a"))
    tasks.submit(greet, "a")

    assert tasks.wait() == [("a", f"{DIED} (ConnectionError)")]


@pytest.mark.slow
def test_with_ray_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started embedded, where it is installed; its workers have to find the recipe of this test."""
    pytest.importorskip("ray")
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    plan = small_plan(seeds=(0,), tasks=3)
    run_plan(plan, tmp_path / "one", log=str, recipe=PretendRecipe())
    run_plan(plan, tmp_path / "ray", log=str, recipe=PretendRecipe(), executor=RayTasks(2))

    assert read_episodes(tmp_path / "ray") == read_episodes(tmp_path / "one")


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its absence is one sentence with the command."""

    def lacking(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(executors.importlib, "import_module", lacking)
    with pytest.raises(MissingExtraError, match=r"pip install 'agentgym-gen\[ray\]'"):
        make_executor("ray", 2)


def test_an_executor_is_known_by_its_name() -> None:
    """And has at least one slot."""
    assert isinstance(make_executor("local", 1), InProcess)
    with pytest.raises(UnknownNameError, match="did you mean 'local'"):
        make_executor("locl", 1)
    with pytest.raises(InvalidValueError, match="`workers` is at least 1, not 0"):
        make_executor("local", 0)

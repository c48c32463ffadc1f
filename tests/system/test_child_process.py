"""Child processes that answer requests, and what happens when they do not."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from agentgym_gen.errors import BackendError
from agentgym_gen.system.child_process import ChildProcess


@pytest.fixture
def worker() -> Iterator[ChildProcess]:
    """A worker that adds."""
    made = ChildProcess("moody_engine", timeout=30)
    yield made
    made.close()


def alive(pid: int | None) -> bool:
    """Say whether there is a process *pid*."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_child_answers_all_requests(worker: ChildProcess) -> None:
    """It is started by the first one."""
    before = worker.pid
    answers = [worker.ask({"a": n, "b": 1}) for n in range(3)]

    assert (before, answers) == (None, [1, 2, 3])


def test_what_the_child_prints_is_no_answer(worker: ChildProcess) -> None:
    """Neither from Python nor from below it."""
    assert worker.ask({"print": '{"answer": 0}', "a": 2, "b": 2}) == 4


@pytest.mark.parametrize(
    ("request_", "said"), [({"a": 1}, "KeyError: 'b'"), ({"die": 3}, "exit status 3")]
)
def test_a_child_that_fails_is_an_error_and_the_next_request_works(
    worker: ChildProcess, request_: dict[str, int], said: str
) -> None:
    """In a new child."""
    with pytest.raises(BackendError, match=said):
        worker.ask(request_)

    assert worker.ask({"a": 1, "b": 1}) == 2


def test_a_child_that_computes_without_end_is_killed() -> None:
    """After so many seconds of computing."""
    worker = ChildProcess("moody_engine", timeout=0.5)
    worker.ask({"a": 1, "b": 1})  # the first request has the time of the start besides
    with pytest.raises(BackendError, match="gave no answer"):
        worker.ask({"spin": 1})


def test_a_child_that_hangs_is_killed() -> None:
    """After the time that the parent grants, in which the start of the child does not count."""
    worker = ChildProcess("moody_engine", timeout=0.1)
    assert worker.ask({"sleep": 0.3, "a": 1, "b": 1}) == 2
    with pytest.raises(BackendError, match=r"within 0\.1 s"):
        worker.ask({"hang": True})

    assert worker.pid is None


def test_an_answer_is_never_taken_for_that_of_another_request(worker: ChildProcess) -> None:
    """Whoever stops waiting, with Ctrl-C for one, does not get the late answer afterwards."""
    worker.ask({"a": 0, "b": 0})
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        worker.ask({"sleep": 0.5, "a": 1, "b": 1})
    signal.signal(signal.SIGALRM, before)
    time.sleep(0.5)

    assert worker.ask({"a": 2, "b": 2}) == 4


@pytest.mark.parametrize("length", [0, 1, 2**16 - 20, 2**16, 10**6])
def test_messages_of_any_length_arrive(worker: ChildProcess, length: int) -> None:
    """In both directions, with letters of several bytes."""
    text = "é" * length

    assert worker.ask({"a": text, "b": "."}) == text + "."


def test_no_child_outlives_its_worker() -> None:
    """Closed, twice even, or forgotten."""
    closed, forgotten = ChildProcess("moody_engine"), ChildProcess("moody_engine")
    pids = [one.ask({"a": 0, "b": 0}) or one.pid for one in (closed, forgotten)]
    closed.close()
    closed.close()
    del forgotten
    gc.collect()

    assert not any(map(alive, pids))


def test_a_fork_ends_no_child_of_its_parent() -> None:
    """Neither by closing its copy of the worker nor by exiting."""
    program = (
        "import os, sys\n"
        "from agentgym_gen.system.child_process import Worker\n"
        "worker = Worker('moody_engine')\n"
        "worker.ask({'a': 1, 'b': 1})\n"
        "fork = os.fork()\n"
        "if not fork:\n"
        "    worker.close()\n"
        "    sys.exit()\n"
        "os.waitpid(fork, 0)\n"
        "print(worker.ask({'a': 2, 'b': 2}))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("4\n", "")

"""Child processes that answer requests, and what happens when they do not."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from systems import needs

from agentgym_gen.errors import BackendError
from agentgym_gen.system.child_process import ChildProcess

pytestmark = needs("POSIX", "the sockets and signals of `ChildProcess`")


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    """A child process that adds, and fails on request."""
    process = ChildProcess("faulty_worker", timeout=30)
    yield process
    process.close()


def is_alive(pid: int | None) -> bool:
    """Return whether there is a process *pid*."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_child_answers_all_requests(child: ChildProcess) -> None:
    """The first request starts the child."""
    before = child.pid
    answers = [child.ask({"a": n, "b": 1}) for n in range(3)]

    assert (before, answers) == (None, [1, 2, 3])


def test_what_the_child_prints_is_no_answer(child: ChildProcess) -> None:
    """Output of Python and of C code goes nowhere."""
    assert child.ask({"print": '{"answer": 0}', "a": 2, "b": 2}) == 4


@pytest.mark.parametrize(
    ("request_", "message"), [({"a": 1}, "KeyError: 'b'"), ({"die": 3}, "exit status 3")]
)
def test_a_child_that_fails_is_an_error_and_the_next_request_works(
    child: ChildProcess, request_: dict[str, int], message: str
) -> None:
    """The next request starts a new child."""
    with pytest.raises(BackendError, match=message):
        child.ask(request_)

    assert child.ask({"a": 1, "b": 1}) == 2


def test_a_child_that_computes_without_end_is_killed() -> None:
    """A child that computes for longer than the timeout is killed."""
    child = ChildProcess("faulty_worker", timeout=0.5)
    child.ask({"a": 1, "b": 1})  # the first request has more time, for the start
    with pytest.raises(BackendError, match="gave no answer"):
        child.ask({"spin": 1})


def test_a_child_that_hangs_is_killed() -> None:
    """A child that sleeps for longer than the timeout is killed; its start does not count."""
    child = ChildProcess("faulty_worker", timeout=0.1)
    assert child.ask({"sleep": 0.3, "a": 1, "b": 1}) == 2
    with pytest.raises(BackendError, match=r"within 0\.1 s"):
        child.ask({"hang": True})

    assert child.pid is None


def test_an_answer_is_never_taken_for_that_of_another_request(child: ChildProcess) -> None:
    """After a request that was interrupted by Ctrl-C, the late answer is not returned."""
    child.ask({"a": 0, "b": 0})
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        child.ask({"sleep": 0.5, "a": 1, "b": 1})
    signal.signal(signal.SIGALRM, before)
    time.sleep(0.5)

    assert child.ask({"a": 2, "b": 2}) == 4


@pytest.mark.parametrize("length", [0, 1, 2**16 - 20, 2**16, 10**6])
def test_messages_of_any_length_arrive(child: ChildProcess, length: int) -> None:
    """Texts with letters of several bytes arrive whole in both directions."""
    text = "é" * length

    assert child.ask({"a": text, "b": "."}) == text + "."


def test_no_process_outlives_its_object() -> None:
    """The process ends when the object is closed, even twice, or garbage-collected."""
    closed, forgotten = ChildProcess("faulty_worker"), ChildProcess("faulty_worker")
    pids = [child.ask({"a": 0, "b": 0}) or child.pid for child in (closed, forgotten)]
    closed.close()
    closed.close()
    del forgotten
    gc.collect()

    assert not any(map(is_alive, pids))


def test_a_fork_ends_no_child_of_its_parent() -> None:
    """A fork that closes its copy of the object, and exits, leaves the parent's child alive."""
    program = (
        "import os, sys\n"
        "from agentgym_gen.system.child_process import ChildProcess\n"
        "child = ChildProcess('faulty_worker')\n"
        "child.ask({'a': 1, 'b': 1})\n"
        "fork = os.fork()\n"
        "if not fork:\n"
        "    child.close()\n"
        "    sys.exit()\n"
        "os.waitpid(fork, 0)\n"
        "print(child.ask({'a': 2, 'b': 2}))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("4\n", "")

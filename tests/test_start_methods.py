"""The same episode however its process began, and whoever plays beside it: one id an environment.

`test_environments` compares every id between processes with other hash seeds; here the processes
are cold, so that everything which is loaded once is loaded by several at the same time.
"""

import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import threading

import pytest

import agentgym_gen.env.registration as table
from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, draw_task_ids, run
from agentgym_gen.seeding import stream
from agentgym_gen.system.fork_safe_lock import ForkSafeLock

NAMES = [environment.name for environment in table.BUNDLED]
THREADS = 8


def told(name: str) -> str:
    """Return a hash of what experts and random players see and do in two tasks of *name*."""
    env_id, options = f"rftgen/{name}-easy-synonyms-v0", dict(table.ENVIRONMENTS[name].few)
    number = 1 if options else 2
    tasks = draw_task_ids(env_id, "test", number, stream("start methods", name), options)
    episodes = [Episode(env_id, task, options={"max_turns": 8, **options}) for task in tasks]
    seen = [
        [(turn.observation, turn.action) for turn in played.turns]
        for policy in (ExpertPolicy(), RandomPolicy())
        for played in run(episodes, policy, style=PromptStyle("action", instruction=False))
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def told_by_all() -> dict[str, str]:
    """Return what is told of every environment."""
    return {name: told(name) for name in NAMES}


@pytest.fixture(scope="module")
def told_here() -> dict[str, str]:
    """What this process and thread are told."""
    return told_by_all()


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(method, marks=pytest.mark.slow) if method == "spawn" else method
        for method in multiprocessing.get_all_start_methods()
    ],
)
def test_every_start_method_tells_the_same(method: str, told_here: dict[str, str]) -> None:
    """Forked, spawned or from a fork server; forked in a process that has played no thread."""
    code = (
        "import json, multiprocessing, test_start_methods as tests\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(1) as pool:\n"
        "        print(json.dumps(pool.apply(tests.told_by_all)))\n"
    )
    assert json.loads(cold(code)) == told_here


def test_eight_threads_that_begin_at_once_tell_the_same(told_here: dict[str, str]) -> None:
    """In a cold process: all of them want what is loaded once."""
    code = "import json, test_start_methods as tests; print(json.dumps(tests.told_by_threads()))"

    assert json.loads(cold(code)) == [told_here] * THREADS


def told_by_threads() -> list[dict[str, str]]:
    """Return what threads are told that begin together."""
    begin = threading.Barrier(THREADS)

    def play() -> dict[str, str]:
        begin.wait()
        return told_by_all()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        return [told.result() for told in [threads.submit(play) for _ in range(THREADS)]]


def cold(code: str) -> str:
    """Return what a new Python prints that runs *code*."""
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])  # noqa: PTH120  (a path list)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_guard_that_a_thread_holds_is_free_in_a_fork() -> None:
    """And held, still, in the process that was forked."""
    code = (
        "import os, threading\n"
        "from agentgym_gen.system.fork_safe_lock import Guard\n"
        "guard, held, leave = Guard(), threading.Event(), threading.Event()\n"
        "def hold():\n"
        "    with guard:\n"
        "        held.set()\n"
        "        leave.wait()\n"
        "thread = threading.Thread(target=hold)\n"
        "thread.start()\n"
        "held.wait()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    import faulthandler\n"
        "    faulthandler.dump_traceback_later(60, exit=True)\n"
        "    with guard:\n"
        "        os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), guard._lock.locked())\n"
        "leave.set()\n"
    )
    assert cold(code) == "7 True\n"


def test_a_guard_lets_one_in_at_a_time() -> None:
    """It is a lock."""
    guard = ForkSafeLock()
    with guard:
        assert guard._lock.locked()

    assert not guard._lock.locked()

"""An episode is the same however its process was started and whatever other threads play.

`test_environments` compares every id between processes with other hash seeds. Here one id of every
environment is played in fresh processes, so that what is loaded once is loaded by several at the
same time.
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

import agentgym_gen.env.registration as registration
from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env.making import sample_task_ids
from agentgym_gen.seeding import stream

NAMES = [environment.name for environment in registration.BUNDLED]
THREADS = 8


def episode_hash(name: str) -> str:
    """Return a hash of what expert and random policy read and do in two tasks of *name*."""
    env_id, options = (
        f"rftgen/{name}-easy-synonyms-v0",
        dict(registration.ENVIRONMENTS[name].test_kwargs),
    )
    number = 1 if options else 2
    tasks = sample_task_ids(env_id, "test", number, stream("start methods", name), options)
    episodes = [Episode(env_id, task, options={"max_turns": 8, **options}) for task in tasks]
    turns = [
        [(turn.observation, turn.action) for turn in trajectory.turns]
        for policy in (ExpertPolicy(), RandomPolicy())
        for trajectory in run(episodes, policy, style=PromptStyle("action", instruction=False))
    ]
    return hashlib.sha256(json.dumps(turns).encode()).hexdigest()


def episode_hashes() -> dict[str, str]:
    """Return the hash of every environment."""
    return {name: episode_hash(name) for name in NAMES}


def episode_hashes_of_threads() -> list[dict[str, str]]:
    """Return the hashes of threads that start together."""
    barrier = threading.Barrier(THREADS)

    def play() -> dict[str, str]:
        barrier.wait()
        return episode_hashes()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(play) for _ in range(THREADS)]]


@pytest.fixture(scope="module")
def hashes_here() -> dict[str, str]:
    """The hashes of this process and thread."""
    return episode_hashes()


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(method, marks=pytest.mark.slow) if method == "spawn" else method
        for method in multiprocessing.get_all_start_methods()
    ],
)
def test_every_start_method_plays_the_same(method: str, hashes_here: dict[str, str]) -> None:
    """A child that is forked, spawned or started by a fork server plays the same episodes."""
    code = (
        "import json, multiprocessing, test_start_methods as tests\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(1) as pool:\n"
        "        print(json.dumps(pool.apply(tests.episode_hashes)))\n"
    )
    assert json.loads(run_python(code)) == hashes_here


def test_eight_threads_that_start_at_once_play_the_same(hashes_here: dict[str, str]) -> None:
    """In a fresh process eight threads need what is loaded once at the same time."""
    code = (
        "import json, test_start_methods as tests\n"
        "print(json.dumps(tests.episode_hashes_of_threads()))"
    )

    assert json.loads(run_python(code)) == [hashes_here] * THREADS


def run_python(code: str) -> str:
    """Return what a new Python process prints that runs *code*."""
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

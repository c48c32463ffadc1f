"""Tests that every bundled environment passes."""

import concurrent.futures
import json
import multiprocessing
import os
import subprocess
import sys
import warnings

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import agentgym_gen.env.registration as table
from agentgym_gen import env_ids
from agentgym_gen.agents.policy import ExpertPolicy, RandomPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.env import INFO_KEYS
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.ids import EnvId
from agentgym_gen.seeding import stream
from agentgym_gen.testing import NONSENSE, check_world
from agentgym_gen.testing import check_env as check_contract
from agentgym_gen.world import SPLITS

BUNDLED = [environment.name for environment in table.BUNDLED]
TIERS = [(e.name, tier) for e in table.BUNDLED for tier in e.tiers]
SLOW_NAMES = {e.name for e in table.BUNDLED if e.slow_tasks}
PLAIN = PromptStyle("action", instruction=False)


def bundled_ids() -> list[str]:
    """Return the ids of the bundled environments, without those that tests register."""
    return [i for i in env_ids() if EnvId.parse(i).name in BUNDLED]


def kwargs_for(name: str) -> dict[str, object]:
    """Return the keywords with which tests make the environment *name*, or that of an id."""
    bare_name = name if name in table.ENVIRONMENTS else EnvId.parse(name).name
    return table.ENVIRONMENTS[bare_name].test_kwargs


@pytest.mark.parametrize("env_id", bundled_ids())
def test_gymnasiums_checker_has_nothing_to_say(env_id: str) -> None:
    """Gymnasium's checker of environments raises no error and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(env_id, render_mode="ansi", **kwargs_for(env_id))
        check_env(env.unwrapped)
        env.close()


@pytest.mark.parametrize("environment", table.BUNDLED, ids=lambda e: e.name)
def test_the_contract_of_a_world_holds(environment: table.Registered) -> None:
    """The world passes on two tasks of a tier and split, or on one of a tier if tasks are slow."""
    if environment.slow_tasks:
        check_world(
            environment.world,
            tasks_per_split=1,
            splits=("test",),
            options=environment.test_kwargs,
            compared_tasks=2,
        )
    else:
        check_world(environment.world, tasks_per_split=2, compared_tasks=20)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tier"), TIERS)
@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_the_expert_succeeds_in_200_of_200(name: str, tier: str, split: str) -> None:
    """The expert succeeds within the turn limit in 200 tasks, or in fewer where they are slow."""
    env_id = f"rftgen/{name}-{tier}-v0"
    number, options = table.ENVIRONMENTS[name].slow_tasks or 200, kwargs_for(name)
    rng = stream("expert test", env_id, split)
    tasks = sample_task_ids(env_id, split, number, rng, options)
    episodes = [Episode(env_id, task, options=options) for task in tasks]
    trajectories = run(episodes, ExpertPolicy(), style=PLAIN)

    assert len(set(tasks)) == number
    assert [t.task_id for t in trajectories if not t.success] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_splits_share_no_world(name: str) -> None:
    """The fingerprints of 300 tasks of each split, of all tiers together, are disjoint."""
    fingerprints: dict[str, set[str]] = {}
    for split in ("train", "valid", "test"):
        env = make_text_env(f"rftgen/{name}-v0", split)
        ids = sample_task_ids(f"rftgen/{name}-v0", split, 300, stream("splits", name, split))
        fingerprints[split] = {env.world.tasks.find(task).fingerprint for task in ids}

    assert not fingerprints["train"] & fingerprints["valid"]
    assert not fingerprints["train"] & fingerprints["test"]
    assert not fingerprints["valid"] & fingerprints["test"]


def transcripts() -> str:
    """Return, as JSON, the observations of random and expert policies in every environment."""
    entries = []
    for env_id in bundled_ids():
        split, options = "test", kwargs_for(env_id)
        number = 1 if options else 2
        options |= {"max_turns": 8} if options else {}
        tasks = sample_task_ids(env_id, split, number, stream("transcripts", env_id), options)
        episodes = [Episode(env_id, task, options=options) for task in tasks]
        for policy in (ExpertPolicy(), RandomPolicy()):
            trajectories = run(episodes, policy, style=PLAIN)
            entries += [
                (t.task_id, t.turns[-1].action, [turn.observation for turn in t.turns])
                for t in trajectories
            ]
    return json.dumps(entries)


@pytest.fixture(scope="module")
def transcripts_here() -> str:
    """Return the transcripts of this process and thread."""
    return transcripts()


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_transcripts_do_not_depend_on_the_hash_seed(hash_seed: str, transcripts_here: str) -> None:
    """Transcripts of a process with another hash seed are the same, byte for byte."""
    code = "import test_environments as t; print(t.transcripts())"
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])  # noqa: PTH120  (a path list)
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    process = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )

    assert process.stdout.strip() == transcripts_here


@pytest.mark.slow
def test_transcripts_do_not_depend_on_threads(transcripts_here: str) -> None:
    """Transcripts of two threads that play at the same time are those of one."""
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(transcripts) for _ in range(2)]

    assert [future.result() for future in futures] == [transcripts_here] * 2


@pytest.mark.slow
def test_transcripts_do_not_depend_on_spawned_processes(transcripts_here: str) -> None:
    """Transcripts of a spawned process are the same."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as processes:
        assert processes.submit(transcripts).result() == transcripts_here


@pytest.mark.parametrize(("name", "tier"), TIERS)
def test_nonsense_is_answered_and_changes_nothing(name: str, tier: str) -> None:
    """Nonsense is invalid, the info keeps its keys, and the expert's plan stays the same."""
    env = make_text_env(f"rftgen/{name}-{tier}-v0", "test", {"max_turns": 100, **kwargs_for(name)})
    _, info = env.reset(seed=3)
    keys, before = set(info), (env.admissible_actions, env.world.expert_plan())
    for text in NONSENSE:
        observation, _, terminated, _, info = env.step(text)
        assert (info["valid_action"], terminated, set(info)) == (False, False, keys)
        assert observation in env.observation_space

    assert set(INFO_KEYS) <= keys
    assert (env.admissible_actions, env.world.expert_plan()) == before


@pytest.mark.parametrize("name", BUNDLED)
def test_reset_leaks_nothing_into_the_next_episode(name: str) -> None:
    """A reset to a task shows the same after thirty other episodes as before them."""
    env = make_text_env(f"rftgen/{name}-easy-v0", "train", kwargs_for(name))
    tasks = sample_task_ids(f"rftgen/{name}-easy-v0", "train", 3, stream("leak"), kwargs_for(name))
    first = [env.reset(options={"task_id": task})[0] for task in tasks]
    for _ in range(30):
        env.reset(seed=1)
        env.step(env.admissible_actions[0])

    assert [env.reset(options={"task_id": task})[0] for task in tasks] == first


@pytest.mark.parametrize("name", BUNDLED)
def test_vector_environments_work(name: str) -> None:
    """A vector environment in one process resets and steps two environments."""
    env_id = f"rftgen/{name}-easy-v0"
    envs = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="sync", **kwargs_for(name))
    observations, infos = envs.reset(seed=1)
    observations, rewards, *_, infos = envs.step([info[0] for info in infos["admissible_actions"]])
    envs.close()

    assert len(observations) == len(rewards) == 2
    assert list(infos["valid_action"]) == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_asynchronous_vector_environments_work(name: str) -> None:
    """A vector environment in child processes, without shared memory, steps two environments."""
    envs = gymnasium.make_vec(
        f"rftgen/{name}-easy-v0",
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"shared_memory": False, "context": "spawn"},
        **kwargs_for(name),
    )
    _, infos = envs.reset(seed=1)
    _, _, _, _, infos = envs.step([info[0] for info in infos["admissible_actions"]])
    envs.close()

    assert list(infos["valid_action"]) == [True, True]


@pytest.mark.parametrize("env_id", [i for i in bundled_ids() if i.count("-") < 3])
def test_the_contract_of_an_id_holds(env_id: str) -> None:
    """Every id passes the checks of determinism, flags, truncation, specs and closing."""
    check_contract(env_id, episodes=1, **kwargs_for(env_id))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tier"), [pair for pair in TIERS if pair[0] not in SLOW_NAMES])
def test_every_task_that_is_counted_can_be_made(name: str, tier: str) -> None:
    """Every task of an environment with some thousands, and a dozen of a larger one."""
    for split in SPLITS:
        env = make_text_env(f"rftgen/{name}-{tier}-v0", split)
        tasks = env.world.tasks
        size = tasks.size(tier, split)
        for index in range(0, size, 1 if size < 10_000 else size // 12):
            task_id = str(tasks.task_id(tier, split, index))
            assert env.reset(options={"task_id": task_id})[1]["task_id"] == task_id
        env.close()

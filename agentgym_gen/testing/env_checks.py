"""The contract of an environment id: what a training run relies on, as a check of any id.

    check_env("rftgen/TextCraft-easy-v0")

Every law is a sentence; the first that does not hold is raised as a `ContractError` with the place
where it was broken. `agentgym_gen.testing.check_world` holds the laws of the world behind an id.
"""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import tracemalloc
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
from gymnasium.utils.env_checker import check_env as check_with_gymnasium

from agentgym_gen.env import INFO_KEYS, TextEnv
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import EpisodeOverError
from agentgym_gen.seeding import stream
from agentgym_gen.world import EndReason

NONSENSE_TURNS = 5
"""The turn limit under which truncation is checked."""

LEAK_TASKS = 20
"""How many tasks are played over and over to find leaks."""

ENDS = {
    "success": (EndReason.SUCCESS,),
    "terminated": (EndReason.SUCCESS, EndReason.FAILURE),
    "truncated": (EndReason.TURN_LIMIT, EndReason.BACKEND_ERROR),
}
"""Which reasons go with which flag."""


class ContractError(AssertionError):
    """A world or an environment that breaks a law of the contract."""


class Step(NamedTuple):
    """What one turn returned; the reset is turn 0."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


def check_env(env_id: str, *, episodes: int = 2, options: Mapping[str, Any] | None = None) -> None:
    """Play *episodes* of *env_id* and check every law.

    Args:
        env_id: A registered id of a text environment.
        episodes: How many episodes of random admissible actions are played.
        options: Keyword arguments of the environment.

    Raises:
        ContractError: if a law does not hold.
        UnknownNameError: if the id is not registered.
    """
    env_id, keywords = check_env_id(env_id), dict(options or {})
    _check_gymnasium(env_id, keywords)
    _check_spec(env_id, keywords)
    for episode in range(episodes):
        _check_episode(env_id, keywords, episode)
    _check_truncation(env_id, keywords)
    _check_end_of_use(env_id, keywords)


def check_leaks(
    env_id: str, *, resets: int = 1000, options: Mapping[str, Any] | None = None
) -> float:
    """Return how many bytes one reset leaves behind, and check that it is next to nothing.

    The same `LEAK_TASKS` tasks are played over and over, so that caches, which are bounded, are
    full before anything is counted.

    Args:
        env_id: A registered id of a text environment.
        resets: How often the environment is reset, and stepped once.
        options: Keyword arguments of the environment.

    Raises:
        ContractError: if a reset leaves more than 100 bytes, or open files.
    """
    env = _made(check_env_id(env_id), dict(options or {}))
    try:
        tasks = [env.reset(seed=seed)[1]["task_id"] for seed in range(LEAK_TASKS)]
        _reset_often(env, tasks, LEAK_TASKS)
        files = _open_files()
        left = _bytes_left(env, tasks, resets)
        _law(_open_files() <= files, "A reset leaves no file open", env_id)
    finally:
        env.close()
    _law(left < 100, "A reset leaves no memory behind", (env_id, f"{left:.0f} bytes a reset"))
    return left


def _bytes_left(env: TextEnv, tasks: list[str], resets: int) -> float:
    """Return what *resets* leave, between two moments at which the same task is played.

    An episode weighs up to 50 KB, so it has to be traced at both moments, or at none.
    """
    tracemalloc.start()
    try:
        before = _traced(env, tasks)
        _reset_often(env, tasks, resets)
        return (_traced(env, tasks) - before) / resets
    finally:
        tracemalloc.stop()


def _traced(env: TextEnv, tasks: list[str]) -> int:
    """Return how many bytes are in use after all *tasks* were played once more."""
    _reset_often(env, tasks, len(tasks))
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _law(holds: bool, sentence: str, where: object) -> None:
    if not holds:
        raise ContractError(f"{sentence} ({where})")


def _made(env_id: str, keywords: dict[str, Any]) -> TextEnv:
    env = gymnasium.make(env_id, disable_env_checker=True, **keywords).unwrapped
    if not isinstance(env, TextEnv):
        raise ContractError(f"An id makes a TextEnv ({env_id}, {type(env).__name__})")
    return env


def _check_gymnasium(env_id: str, keywords: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(env_id, render_mode="ansi", **keywords)
        try:
            check_with_gymnasium(env.unwrapped)
        except (AssertionError, Warning, gymnasium.error.Error) as error:
            law = "Gymnasium's checker has nothing to say"
            raise ContractError(f"{law} ({env_id}: {error})") from error
        finally:
            env.close()


def _check_spec(env_id: str, keywords: dict[str, Any]) -> None:
    """Check that an environment can be made again from what describes it."""
    spec = gymnasium.make(env_id, **keywords).spec
    if spec is None:
        raise ContractError(f"An environment has a spec ({env_id})")
    again = {
        "JSON": gymnasium.envs.registration.EnvSpec.from_json(spec.to_json()),
        "a pickle": pickle.loads(pickle.dumps(spec)),
        "a deep copy": copy.deepcopy(spec),
    }
    first = _made(env_id, keywords).reset(seed=3)
    for how, other in again.items():
        env = gymnasium.make(other).unwrapped
        same = env.reset(seed=3) == first
        _law(same, f"A spec makes the same environment again from {how}", env_id)


def _check_episode(env_id: str, keywords: dict[str, Any], episode: int) -> None:
    one, two = _made(env_id, keywords), _made(env_id, keywords)
    steps = list(_played(one, episode))
    _law(steps == list(_played(two, episode)), "The same seed and actions show the same", env_id)
    keys = tuple(steps[0].info)
    _law(set(INFO_KEYS) <= set(keys), "`info` has all its keys", (env_id, keys))
    for turn, step in enumerate(steps):
        where = (env_id, steps[0].info["task_id"], turn)
        _law(tuple(step.info) == keys, "`info` always has the same keys", where)
        _law(step.observation in one.observation_space, "An observation fits its space", where)
        _law(step.info["turn"] == turn, "`info` counts the turns", where)
        _check_end(step, where)


def _played(env: TextEnv, episode: int) -> Iterator[Step]:
    """Yield the turns of an episode of random admissible actions."""
    rng = stream("check_env", episode)
    observation, info = env.reset(seed=episode)
    yield Step(observation, 0.0, False, False, info)
    for _ in range(env.turn_limit):
        menu = info["admissible_actions"]
        action = menu[int(rng.integers(len(menu)))] if menu else ""
        step = Step(*env.step(action))
        info = step.info
        yield step
        if info["end_reason"] is not None:
            return


def _check_end(step: Step, where: object) -> None:
    reason, info = step.info["end_reason"], step.info
    _law(0.0 <= info["score"] <= 1.0, "A score is 0 to 1", where)
    flags = {
        "success": info["success"],
        "terminated": step.terminated,
        "truncated": step.truncated,
    }
    for name, reasons in ENDS.items():
        _law(flags[name] == (reason in reasons), f"`{name}` agrees with `end_reason`", where)
    _law(info["success"] == (info["score"] == 1.0), "The score is 1 exactly on success", where)


def _check_truncation(env_id: str, keywords: dict[str, Any]) -> None:
    env = _made(env_id, {**keywords, "max_turns": NONSENSE_TURNS})
    env.reset(seed=0)
    law = "An episode of nonsense is truncated at the turn limit and only there"
    for turn in range(1, NONSENSE_TURNS + 1):
        _, _, terminated, truncated, _ = env.step("xyzzy frobnicate")
        as_it_should = (terminated, truncated) == (False, turn == NONSENSE_TURNS)
        _law(as_it_should, law, (env_id, turn, terminated, truncated))


def _check_end_of_use(env_id: str, keywords: dict[str, Any]) -> None:
    env = _made(env_id, {**keywords, "max_turns": 1})
    first = env.reset(seed=1)
    env.step("xyzzy frobnicate")
    try:
        env.step("xyzzy frobnicate")
        _law(False, "A step after the end is an error", env_id)
    except EpisodeOverError:
        pass
    env.close()
    env.close()
    _law(env.reset(seed=1) == first, "An environment that was closed can be reset", env_id)
    env.close()


def _reset_often(env: TextEnv, tasks: list[str], resets: int) -> None:
    for number in range(resets):
        _, info = env.reset(options={"task_id": tasks[number % len(tasks)]})
        env.step(info["admissible_actions"][0])


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if sys.platform == "linux" else 0

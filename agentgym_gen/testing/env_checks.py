"""Checks of an environment id: what a training run relies on.

    check_env("rftgen/TextCraft-easy-v0")

Every check is a sentence; the first that does not hold is raised as a `ContractError` with the
place. `agentgym_gen.testing.check_world` checks the world behind an id.
"""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
from gymnasium.utils.env_checker import check_env as check_with_gymnasium

from agentgym_gen.env import INFO_KEYS, TextEnv
from agentgym_gen.env.registration import check_env_id
from agentgym_gen.errors import EpisodeOverError
from agentgym_gen.seeding import stream
from agentgym_gen.testing.contract import ContractError, require
from agentgym_gen.world import EndReason

__all__ = [
    "ENDS",
    "LEAK_TASKS",
    "NONSENSE_TURNS",
    "Turn",
    "check_env",
    "check_leaks",
]

NONSENSE_TURNS = 5
"""The turn limit under which truncation is checked."""

COPIED_TURNS = 3
"""After how many of the expert's turns an environment is copied."""

COMPARED_TURNS = 5
"""How many turns a copy and its original are compared."""

LEAK_TASKS = 20
"""How many tasks are played again and again to find leaks."""

ENDS = {
    "success": (EndReason.SUCCESS,),
    "terminated": (EndReason.SUCCESS, EndReason.FAILURE),
    "truncated": (EndReason.TURN_LIMIT, EndReason.BACKEND_ERROR),
}
"""Which reasons go with which flag."""


class Turn(NamedTuple):
    """What the environment returned in one turn; the reset is turn 0."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


def check_env(env_id: str, *, episodes: int = 2, **options: Any) -> None:  # noqa: ANN401
    """Play *episodes* episodes of *env_id* and check everything that a training run relies on.

    Args:
        env_id: A registered id of a text environment.
        episodes: How many episodes of random admissible actions are played.
        **options: Keyword arguments of the environment, as `gymnasium.make` takes them.

    Raises:
        ContractError: if a check fails.
        UnknownNameError: if the id is not registered.
    """
    env_id, keywords = check_env_id(env_id), options
    _check_gymnasium(env_id, keywords)
    _check_spec(env_id, keywords)
    for episode in range(episodes):
        _check_episode(env_id, keywords, episode)
    _check_truncation(env_id, keywords)
    _check_use_after_end(env_id, keywords)
    for way in COPIES:
        for turns in (None, 0, COPIED_TURNS):
            _check_copy(env_id, keywords, way, turns)


def check_leaks(env_id: str, *, resets: int = 1000, **options: Any) -> float:  # noqa: ANN401
    """Return how many bytes one reset leaks, and check that there are fewer than 100.

    The same `LEAK_TASKS` tasks are played again and again, so that caches, which are bounded, are
    full before anything is counted.

    Args:
        env_id: A registered id of a text environment.
        resets: How often the environment is reset, and stepped once.
        **options: Keyword arguments of the environment, as `gymnasium.make` takes them.

    Raises:
        ContractError: if a reset leaves more than 100 bytes, or open files.
    """
    env = _make(check_env_id(env_id), options)
    try:
        tasks = [env.reset(seed=seed)[1]["task_id"] for seed in range(LEAK_TASKS)]
        _reset_often(env, tasks, LEAK_TASKS)
        files = _open_files()
        leaked = _leaked_bytes(env, tasks, resets)
        require(_open_files() <= files, "A reset leaves no file open", env_id)
    finally:
        env.close()
    require(
        leaked < 100, "A reset leaves no memory behind", (env_id, f"{leaked:.0f} bytes a reset")
    )
    return leaked


def _leaked_bytes(env: TextEnv, tasks: list[str], resets: int) -> float:
    """Return how many bytes a reset leaves, measured twice while the same task is played.

    An episode takes up to 50 KB, so it has to be counted both times, or never.
    """
    tracemalloc.start()
    try:
        before = _traced_bytes(env, tasks)
        _reset_often(env, tasks, resets)
        return (_traced_bytes(env, tasks) - before) / resets
    finally:
        tracemalloc.stop()


def _traced_bytes(env: TextEnv, tasks: list[str]) -> int:
    """Return how many bytes are in use after all *tasks* have been played once more."""
    _reset_often(env, tasks, len(tasks))
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _make(env_id: str, keywords: dict[str, Any]) -> TextEnv:
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
            sentence = "Gymnasium's checker has nothing to say"
            raise ContractError(f"{sentence} ({env_id}: {error})") from error
        finally:
            env.close()


def _check_spec(env_id: str, keywords: dict[str, Any]) -> None:
    """Check that an environment can be made again from copies of its spec."""
    spec = gymnasium.make(env_id, **keywords).spec
    if spec is None:
        raise ContractError(f"An environment has a spec ({env_id})")
    copies = {
        "JSON": gymnasium.envs.registration.EnvSpec.from_json(spec.to_json()),
        "a pickle": pickle.loads(pickle.dumps(spec)),
        "a deep copy": copy.deepcopy(spec),
    }
    first = _make(env_id, keywords).reset(seed=3)
    for source, spec_copy in copies.items():
        env = gymnasium.make(spec_copy).unwrapped
        same = env.reset(seed=3) == first
        require(same, f"A spec makes the same environment again from {source}", env_id)


def _check_episode(env_id: str, keywords: dict[str, Any], episode: int) -> None:
    env, twin = _make(env_id, keywords), _make(env_id, keywords)
    turns = list(_random_episode(env, episode))
    same = turns == list(_random_episode(twin, episode))
    require(same, "The same seed and actions show the same", env_id)
    keys = tuple(turns[0].info)
    require(set(INFO_KEYS) <= set(keys), "`info` has all its keys", (env_id, keys))
    for number, turn in enumerate(turns):
        where = (env_id, turns[0].info["task_id"], number)
        require(tuple(turn.info) == keys, "`info` always has the same keys", where)
        require(turn.observation in env.observation_space, "An observation fits its space", where)
        require(turn.info["turn"] == number, "`info` counts the turns", where)
        _check_end(turn, where)


def _random_episode(env: TextEnv, episode: int) -> Iterator[Turn]:
    """Yield the turns of an episode of random admissible actions."""
    rng = stream("check_env", episode)
    observation, info = env.reset(seed=episode)
    yield Turn(observation, 0.0, False, False, info)
    for _ in range(env.turn_limit):
        actions = info["admissible_actions"]
        action = actions[int(rng.integers(len(actions)))] if actions else ""
        turn = Turn(*env.step(action))
        info = turn.info
        yield turn
        if info["end_reason"] is not None:
            return


def _check_end(turn: Turn, where: object) -> None:
    """Check that score and flags agree with the reason of the end."""
    reason, info = turn.info["end_reason"], turn.info
    require(0.0 <= info["score"] <= 1.0, "A score is 0 to 1", where)
    flags = {
        "success": info["success"],
        "terminated": turn.terminated,
        "truncated": turn.truncated,
    }
    for name, reasons in ENDS.items():
        require(flags[name] == (reason in reasons), f"`{name}` agrees with `end_reason`", where)
    require(info["success"] == (info["score"] == 1.0), "The score is 1 exactly on success", where)


def _check_truncation(env_id: str, keywords: dict[str, Any]) -> None:
    env = _make(env_id, {**keywords, "max_turns": NONSENSE_TURNS})
    env.reset(seed=0)
    sentence = "An episode of nonsense is truncated at the turn limit and only there"
    for turn in range(1, NONSENSE_TURNS + 1):
        _, _, terminated, truncated, _ = env.step("xyzzy frobnicate")
        holds = (terminated, truncated) == (False, turn == NONSENSE_TURNS)
        require(holds, sentence, (env_id, turn, terminated, truncated))


def _check_use_after_end(env_id: str, keywords: dict[str, Any]) -> None:
    """Check a step after the end, closing twice, and a reset after closing."""
    env = _make(env_id, {**keywords, "max_turns": 1})
    first = env.reset(seed=1)
    env.step("xyzzy frobnicate")
    try:
        env.step("xyzzy frobnicate")
        require(False, "A step after the end is an error", env_id)
    except EpisodeOverError:
        pass
    env.close()
    env.close()
    require(env.reset(seed=1) == first, "An environment that was closed can be reset", env_id)
    env.close()


def _pickled(env: TextEnv) -> TextEnv:
    return pickle.loads(pickle.dumps(env))  # type: ignore[no-any-return]  # it is of the same type


COPIES: dict[str, Callable[[TextEnv], TextEnv]] = {
    "copy.deepcopy": copy.deepcopy,
    "pickle": _pickled,
    "clone": TextEnv.clone,
}
"""The ways to copy an environment."""


def _check_copy(env_id: str, keywords: dict[str, Any], way: str, turns: int | None) -> None:
    """Check that a copy goes on as its original does, and that neither disturbs the other.

    Args:
        env_id: The id.
        keywords: Keyword arguments of the environment.
        way: One of `COPIES`.
        turns: After how many turns the environment is copied; None is before the first reset.
    """
    env, twin = _make(env_id, keywords), _make(env_id, keywords)
    where = (env_id, way, "before a reset" if turns is None else f"after {turns} turns")
    if turns is not None:
        for original in (env, twin):
            original.reset(seed=7)
            _follow_expert(original, turns)
    try:
        duplicate = COPIES[way](env)
    except Exception as error:  # whatever a world raises here is a broken promise
        sentence = "An environment can be copied and pickled"
        raise ContractError(f"{sentence} ({where}: {error!r})") from error
    played = []
    for candidate in (duplicate, env, twin):  # the copy first, so that it could disturb the others
        first = [candidate.reset(seed=7)] if turns is None else []
        played.append([*first, *_play_on(candidate, COMPARED_TURNS), candidate.reset()])
        candidate.close()
    require(played[0] == played[2], "A copy goes on as its original does", where)
    require(played[1] == played[2], "A copy leaves its original alone", where)


def _follow_expert(env: TextEnv, turns: int) -> None:
    """Take *turns* of the expert's turns, or fewer: the episode must not be over after them."""
    for _ in range(turns):
        plan = env.world.expert_plan() or ()
        if len(plan) < 2:
            return
        env.step(env.write(plan[0]))


def _play_on(env: TextEnv, turns: int) -> list[object]:
    """Return what *turns* random admissible actions show, or fewer if the episode ends."""
    rng = stream("check_env", "copies")
    results: list[object] = []
    while len(results) < turns and not env.over:
        actions = env.admissible_actions
        results.append(env.step(actions[int(rng.integers(len(actions)))] if actions else ""))
    return results


def _reset_often(env: TextEnv, tasks: list[str], resets: int) -> None:
    for number in range(resets):
        _, info = env.reset(options={"task_id": tasks[number % len(tasks)]})
        env.step(next(iter(info["admissible_actions"]), ""))


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if sys.platform == "linux" else 0

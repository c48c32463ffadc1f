"""From one row of a data set to one episode: what every adapter does first.

A row names an environment, a task of it and the interface that it is played through. Copies of a
row are therefore episodes that can be compared with each other, which is what a group of GRPO is.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from agentgym_gen.agents import PromptStyle, Session
from agentgym_gen.agents.session import REWARDS, SessionResult
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.world import TaskId

__all__ = [
    "RESULTS",
    "EnvCache",
    "check_reward",
    "open_session",
    "result_metrics",
    "start_session",
]

RESULTS = ("success", "score", "turns", "invalid_turns", "truncated_turns")
"""What a trainer logs of an episode, beside its reward."""

EnvCache = MutableMapping[tuple[str, str, str], TextEnv]
"""Environments by id, split and interface, for an adapter that plays one episode after another.

The interface is empty where it is that of the id.
"""


def open_session(
    row: Mapping[str, Any],
    *,
    style: PromptStyle | None = None,
    reward: str = "success",
    envs: EnvCache | None = None,
) -> Session:
    """Return the episode that *row* names, not yet started.

    Args:
        row: ``env_id`` and ``task_id``, ``interface`` where it is not that of the id, and
            ``interface_index`` where it is not 0. Other fields are ignored.
        style: How the episode becomes a prompt.
        reward: What the episode is rewarded by, as in `Session`.
        envs: Environments that are used again, and to which a new one is added; one environment
            plays one episode at a time.

    Raises:
        InvalidValueError: if the row lacks a field, or names no task.
        UnknownNameError: if there is no such environment, interface or kind of reward.
    """
    missing = [name for name in ("env_id", "task_id") if not isinstance(row.get(name), str)]
    if missing:
        raise InvalidValueError(
            f"A row names its episode by the texts `env_id` and `task_id`, but {missing} are not "
            f"there: {dict(row)!r:.300}"
        )
    env_id, task_id, interface = row["env_id"], row["task_id"], row.get("interface") or ""
    envs = {} if envs is None else envs
    key = env_id, TaskId.parse(task_id).split, str(interface)
    if key not in envs:
        envs[key] = make_text_env(env_id, key[1], {"interface": interface} if interface else {})
    index = int(row.get("interface_index") or 0)
    env = envs[key]
    return Session(env_id, task_id, interface_index=index, style=style, reward=reward, env=env)


def start_session(
    row: Mapping[str, Any], *, style: PromptStyle | None = None, reward: str = "success"
) -> Session:
    """Return the episode that *row* names, started; asynchronous adapters do it in a thread.

    A first observation may take seconds, where a game is generated. A turn takes less time than
    the way to a thread and back, in all environments but those of an external process.

    Args:
        row: As in `open_session`.
        style: How the episode becomes a prompt.
        reward: What the episode is rewarded by.
    """
    session = open_session(row, style=style, reward=reward)
    session.start()
    return session


def result_metrics(result: SessionResult) -> dict[str, float]:
    """Return the `RESULTS` of an episode as numbers."""
    return {name: float(getattr(result, name)) for name in RESULTS}


def check_reward(reward: str) -> None:
    """Check a kind of reward before the first episode is played.

    Raises:
        UnknownNameError: if there is no such kind.
    """
    if reward not in REWARDS:
        raise unknown_name("kind of reward", reward, REWARDS)

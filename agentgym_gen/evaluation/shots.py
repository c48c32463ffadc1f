"""Demonstrations of the expert before each episode, as earlier turns of the chat."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentgym_gen.agents.policy import (
    Completion,
    ConcurrentPolicy,
    ExpertPolicy,
    Policy,
    Request,
)
from agentgym_gen.agents.prompt import ChatMessage, PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.session import Session
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import env_name, sample_task_ids
from agentgym_gen.env.reserved_options import OF_THE_ENVIRONMENT
from agentgym_gen.errors import DataError
from agentgym_gen.seeding import stream

__all__ = ["NEXT_TASK", "Demonstrations", "with_shots"]

NEXT_TASK = "That was an example. Now another task follows."
"""What stands between a demonstration and what comes after it."""

CANDIDATES = 4
"""So many training tasks are played for each demonstration; the shortest episodes are shown."""


class Demonstrations:
    """Demonstrations of each environment and interface; many threads may ask for them.

    They are episodes of the expert on training tasks, in the interface and with the options of the
    episode that they stand before, and depend on the seed only. Of several candidates the shortest
    are taken.

    Args:
        shots: How many.
        seed: The root of the choice of tasks.
    """

    def __init__(self, shots: int, seed: int = 0) -> None:
        self._shots, self._seed = shots, seed
        self._messages: dict[tuple[str, str, PromptStyle], tuple[ChatMessage, ...]] = {}
        self._lock = threading.Lock()

    def before(self, request: Request) -> Request:
        """Return *request* with the demonstrations before its messages."""
        shown = self.messages(request.env, request.style)
        return replace(request, messages=_joined(shown, request.messages))

    def messages(self, env: TextEnv, style: PromptStyle) -> tuple[ChatMessage, ...]:
        """Return the demonstrations for episodes of *env* as chat messages.

        Raises:
            DataError: if the expert has too few successful episodes.
        """
        name = env_name(env)
        options = {**_options_of(env), "interface": str(env.interface)}
        key = name, repr(sorted(options.items())), style
        with self._lock:
            if key not in self._messages:
                self._messages[key] = self._play(name, options, style)
            return self._messages[key]

    def _play(
        self, env_id: str, options: Mapping[str, Any], style: PromptStyle
    ) -> tuple[ChatMessage, ...]:
        rng = stream("shots", env_id, entropy=self._seed)
        task_ids = sample_task_ids(env_id, "train", CANDIDATES * self._shots, rng, options)
        episodes = [Episode(env_id, task_id, options=options) for task_id in task_ids]
        played = [t for t in run(episodes, ExpertPolicy(), style=style) if t.success]
        if len(played) < self._shots:
            raise DataError(
                f"The expert of {env_id!r} has {len(played)} successful episodes of "
                f"{len(task_ids)}, too few for {self._shots} demonstrations"
            )
        played.sort(key=lambda trajectory: len(trajectory.turns))  # stable: ties keep their order
        messages: tuple[ChatMessage, ...] = ()
        for trajectory in played[: self._shots]:
            messages = _joined(messages, _chat_of(trajectory, style, options, first=not messages))
        return tuple(_with_own_call_ids(messages))


def _options_of(env: TextEnv) -> dict[str, Any]:
    """Return the options of the world of *env*."""
    arguments = {} if env.spec is None else env.spec.kwargs
    return {name: value for name, value in arguments.items() if name not in OF_THE_ENVIRONMENT}


def _chat_of(
    trajectory: Trajectory, style: PromptStyle, options: Mapping[str, Any], *, first: bool
) -> tuple[ChatMessage, ...]:
    """Return the whole of *trajectory* as a chat; the *first* one opens with the rules."""
    shown = replace(style, window=None, instruction=style.instruction and first)
    session = Session(trajectory.env_id, trajectory.task_id, style=shown, options=options)
    session.start()
    for turn in trajectory.turns:
        session.reply(turn.completion)
    session.close()
    return session.messages


def _joined(before: Sequence[ChatMessage], after: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return two chats as one, with one system message: that of the first.

    The last observation of the first opens the second, unless it answers a call of a function.
    """
    if not before:
        return tuple(after)
    opening, *rest = (message for message in after if message["role"] != "system")
    *messages, last = before
    content = f"{NEXT_TASK}\n\n{opening['content']}"
    if last["role"] == "tool":
        messages.append(last)
    else:
        content = f"{last['content']}\n\n{content}"
    return (*messages, {"role": "user", "content": content}, *rest)


def _with_own_call_ids(messages: Iterable[ChatMessage]) -> Iterator[ChatMessage]:
    """Yield *messages* with ids of calls that the episode after them does not have."""
    number = 0
    for message in messages:
        call_id = f"shot{number:05d}"
        if calls := message.get("tool_calls"):
            yield {**message, "tool_calls": [{**call, "id": call_id} for call in calls]}
        elif "tool_call_id" in message:
            yield {**message, "tool_call_id": call_id}
            number += 1
        else:
            yield message


def with_shots(
    policy: Policy | ConcurrentPolicy, demonstrations: Demonstrations
) -> Policy | ConcurrentPolicy:
    """Return *policy* as one whose every prompt opens with *demonstrations*."""
    if isinstance(policy, ConcurrentPolicy):
        return _ConcurrentWithShots(policy, demonstrations)
    return _BatchedWithShots(policy, demonstrations)


class _BatchedWithShots:
    def __init__(self, policy: Policy, demonstrations: Demonstrations) -> None:
        self._policy, self._demonstrations = policy, demonstrations

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        return self._policy.act([self._demonstrations.before(request) for request in requests])


class _ConcurrentWithShots:
    def __init__(self, policy: ConcurrentPolicy, demonstrations: Demonstrations) -> None:
        self._policy, self._demonstrations = policy, demonstrations

    def answer(self, request: Request) -> Completion:
        return self._policy.answer(self._demonstrations.before(request))

    def forget(self, episode: int) -> None:
        forget = getattr(self._policy, "forget", None)
        if forget is not None:
            forget(episode)

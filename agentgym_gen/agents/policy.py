"""Policies: chat messages in, a completion out. Random, expert and scripted ones live here.

A `Policy` is asked for the actions of all episodes together, a `ConcurrentPolicy` by each episode
on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from agentgym_gen.agents.prompt import ChatMessage, PromptStyle, Tools, wrap_action
from agentgym_gen.env import TextEnv
from agentgym_gen.errors import InvalidValueError

__all__ = [
    "POLICIES",
    "Completion",
    "ConcurrentPolicy",
    "ExpertPolicy",
    "Policy",
    "RandomPolicy",
    "Request",
    "ScriptedPolicy",
]


@dataclass(frozen=True)
class Request:
    """One episode that waits for an action."""

    episode: int
    """The number of the episode, the same on all its turns and never used twice in a rollout."""
    turn: int
    """The number of this turn, from 0."""
    messages: tuple[ChatMessage, ...]
    """The prompt."""
    style: PromptStyle
    """The style of the prompt and of the answer."""
    env: TextEnv
    """The environment, for policies that use more than text, such as the expert."""
    rng: np.random.Generator
    """The episode's own stream, for policies that sample."""
    tools: Tools = ()
    """The functions that the model may call, for the format ``functions``."""

    def write_completion(self, action: str) -> str:
        """Return *action*, a text of the environment, as a completion of the style."""
        has_functions = self.style.format in ("functions", "function_calling")
        call = self.env.functions.call(action) if has_functions else None
        return wrap_action(self.style, action, call=call)


@dataclass(frozen=True)
class Completion:
    """What a policy answered, with the tokens when it has any."""

    text: str
    """The completion as text."""
    context_ids: tuple[int, ...] = ()
    """The tokens that were added to the episode's sequence before the action."""
    action_ids: tuple[int, ...] = ()
    """The tokens that were sampled, the one that ended the turn included."""
    logprobs: tuple[float, ...] = ()
    """The log-probability of each sampled token under the distribution it was drawn from."""
    starts_sequence: bool = False
    """Whether `context_ids` start a new sequence instead of continuing the episode's."""
    truncated: bool = False
    """Whether the completion ran into the limit of new tokens."""
    context_limit: bool = False
    """Whether there is none, because the prompt leaves no room for it: the episode is truncated."""
    action: str | None = None
    """The text of the action in it, where the policy has read that itself; None leaves it to the
    reader of the prompt style."""


class Policy(Protocol):
    """A policy that is asked by all episodes together, such as a model in memory."""

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order.

        A call has all episodes that are still played: one that is missing has ended.
        """


@runtime_checkable
class ConcurrentPolicy(Protocol):
    """A policy that is asked by each episode on its own, in a thread, such as a server.

    A policy is concurrent if it has the method `answer`. One that keeps something for each episode
    may also have a method ``forget(episode)``, which is called when an episode is over.
    """

    def answer(self, request: Request) -> Completion:
        """Return a completion for *request*.

        Raises:
            ContextLimitError: if the prompt is too long for the model; the episode is truncated.
            BackendError: if no answer can be had; the episode ends with ``policy_error``.
            PolicyError: if no other request would be answered either; the rollout ends.
        """


class RandomPolicy:
    """Samples one of the admissible actions, with the episode's own stream."""

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return an admissible action for each request."""
        return [Completion(r.write_completion(_any_action(r))) for r in requests]


def _any_action(request: Request) -> str:
    actions = request.env.admissible_actions
    return actions[int(request.rng.integers(len(actions)))] if actions else ""


class ExpertPolicy:
    """Follows the world's expert; where the expert finds no way, it acts at random.

    Args:
        epsilon: The probability of a turn at random, as `RandomPolicy` takes it.

    Raises:
        InvalidValueError: if *epsilon* is no probability.
    """

    def __init__(self, epsilon: float = 0.0) -> None:
        if not 0 <= epsilon <= 1:
            raise InvalidValueError(f"`epsilon` is a probability from 0 to 1, not {epsilon!r}")
        self._epsilon = epsilon

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the action of the expert, or one at random, for each request."""
        return [Completion(r.write_completion(self._action(r))) for r in requests]

    def _action(self, request: Request) -> str:
        if self._epsilon == 1 or (self._epsilon and request.rng.random() < self._epsilon):
            return _any_action(request)
        return request.env.expert_action() or _any_action(request)


class ScriptedPolicy:
    """Answers with fixed texts, one a turn, whatever the prompt; then with empty ones.

    Args:
        texts: The completions of every episode, turn by turn.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the text of each request's turn."""
        return [
            Completion(self._texts[r.turn] if r.turn < len(self._texts) else "") for r in requests
        ]


POLICIES: dict[str, Callable[[], Policy]] = {"random": RandomPolicy, "expert": ExpertPolicy}
"""The policies that need no model, by name."""

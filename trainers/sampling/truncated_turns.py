"""What becomes of a completion that was cut at the limit of new tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgym_gen.agents.policy import Completion, ConcurrentPolicy, Policy, Request

__all__ = ["RefuseTruncated", "RefuseTruncatedAnswers", "refuse_truncated"]


def refuse_truncated(policy: Policy | ConcurrentPolicy) -> Policy | ConcurrentPolicy:
    """Return a policy of the same kind whose truncated completions say nothing.

    Their text becomes empty, which environments refuse as an action. Their tokens stay, so that a
    trainer scores what was sampled.
    """
    if isinstance(policy, ConcurrentPolicy):
        return RefuseTruncatedAnswers(policy)
    return RefuseTruncated(policy)


class RefuseTruncated:
    """Acts as a batched policy does, but a truncated completion says nothing.

    Args:
        policy: The other policy.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        return [_without_text(completion) for completion in self._policy.act(requests)]


class RefuseTruncatedAnswers:
    """Answers as a concurrent policy does, but a truncated completion says nothing.

    Args:
        policy: The other policy.
    """

    def __init__(self, policy: ConcurrentPolicy) -> None:
        self._policy = policy

    def answer(self, request: Request) -> Completion:
        """Return a completion for *request*."""
        return _without_text(self._policy.answer(request))

    def forget(self, episode: int) -> None:
        """Have the other policy forget an episode that is over, where it keeps something of it."""
        forget = getattr(self._policy, "forget", None)
        if forget is not None:
            forget(episode)


def _without_text(completion: Completion) -> Completion:
    return replace(completion, text="") if completion.truncated else completion

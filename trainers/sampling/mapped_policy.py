"""A policy whose completions are changed on their way to the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentgym_gen.agents.policy import Completion, ConcurrentPolicy, Policy, Request

__all__ = ["MappedAnswers", "MappedPolicy", "map_completions"]

Change = Callable[[Completion], Completion]


def map_completions(policy: Policy | ConcurrentPolicy, change: Change) -> Policy | ConcurrentPolicy:
    """Return a policy of the same kind whose completions are what *change* makes of them."""
    if isinstance(policy, ConcurrentPolicy):
        return MappedAnswers(policy, change)
    return MappedPolicy(policy, change)


class MappedPolicy:
    """Acts as a batched policy does, but for a change of each completion.

    Args:
        policy: The other policy.
        change: Returns what a completion becomes.
    """

    def __init__(self, policy: Policy, change: Change) -> None:
        self._policy, self._change = policy, change

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        return [self._change(completion) for completion in self._policy.act(requests)]


class MappedAnswers:
    """Answers as a concurrent policy does, but for a change of each completion.

    Args:
        policy: The other policy.
        change: Returns what a completion becomes.
    """

    def __init__(self, policy: ConcurrentPolicy, change: Change) -> None:
        self._policy, self._change = policy, change

    def answer(self, request: Request) -> Completion:
        """Return a completion for *request*."""
        return self._change(self._policy.answer(request))

    def forget(self, episode: int) -> None:
        """Have the other policy forget an episode that is over, where it keeps something of it."""
        forget = getattr(self._policy, "forget", None)
        if forget is not None:
            forget(episode)

"""What becomes of a completion that was cut at the limit of new tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgym_gen.agents.policy import Completion, Policy, Request

__all__ = ["RefuseTruncated"]


class RefuseTruncated:
    """Acts as another policy does, but a truncated completion says nothing.

    Its text becomes empty, which environments refuse as an action. Its tokens stay, so that a
    trainer scores what was sampled.

    Args:
        policy: The other policy.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(self, requests: Sequence[Request]) -> list[Completion]:
        """Return a completion for each of *requests*, in their order."""
        return [
            replace(completion, text="") if completion.truncated else completion
            for completion in self._policy.act(requests)
        ]

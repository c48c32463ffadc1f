"""What becomes of a completion that was cut at the limit of new tokens."""

from __future__ import annotations

from dataclasses import replace

from agentgym_gen.agents.policy import Completion, ConcurrentPolicy, Policy
from agentgym_gen.trainers.sampling.mapped_policy import map_completions

__all__ = ["refuse_truncated"]


def refuse_truncated(policy: Policy | ConcurrentPolicy) -> Policy | ConcurrentPolicy:
    """Return a policy of the same kind whose truncated completions say nothing.

    Their text becomes empty, which environments refuse as an action. Their tokens stay, so that a
    trainer scores what was sampled.
    """
    return map_completions(policy, _without_text)


def _without_text(completion: Completion) -> Completion:
    return replace(completion, text="", action=None) if completion.truncated else completion

"""Actions that a user's function reads in completions, in place of the prompt style's reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agentgym_gen.agents.policy import Completion, ConcurrentPolicy, Policy
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.sampling.mapped_policy import map_completions

__all__ = ["ActionReader", "read_actions"]

ActionReader = Callable[[str], str]
"""From the text of a completion to the text of an action of the episode's interface."""


def read_actions(
    policy: Policy | ConcurrentPolicy, reader: ActionReader
) -> Policy | ConcurrentPolicy:
    """Return a policy of the same kind whose actions are those that *reader* finds.

    Texts and tokens of completions stay, so that later prompts show them, and a trainer scores
    them, as they were sampled.

    Raises:
        InvalidValueError: when asked to act, if *reader* returns something else than a text.
    """

    def read(completion: Completion) -> Completion:
        if completion.context_limit:
            return completion
        action = reader(completion.text)
        if not isinstance(action, str):
            raise InvalidValueError(
                f"The action in {completion.text[:80]!r} is {action!r}; a reader of actions "
                "returns a text, which is empty where there is no action"
            )
        return replace(completion, action=action)

    return map_completions(policy, read)

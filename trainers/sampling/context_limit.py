"""The error for a prompt that leaves no room for an answer before anything is played."""

from __future__ import annotations

from agentgym_gen.errors import InvalidValueError


def first_prompt_error(tokens: int, max_new_tokens: int, limit: int) -> InvalidValueError:
    """Return the error for a first prompt of *tokens* tokens.

    Args:
        tokens: How many tokens it has.
        max_new_tokens: The longest answer.
        limit: The longest sequence.
    """
    return InvalidValueError(
        f"The first prompt of an episode has {tokens} tokens; with {max_new_tokens} for an answer "
        f"(`max_new_tokens`) it is longer than the longest sequence, {limit} tokens: the model's "
        "context or `max_episode_tokens`. Take a model with a longer context, raise "
        "`max_episode_tokens`, or lower `max_new_tokens`"
    )

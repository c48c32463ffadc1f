"""How long an answer may be, where the settings do not say it: long enough for its format."""

from __future__ import annotations

from agentgym_gen.agents.prompt import PromptStyle

DEFAULT_NEW_TOKENS = {
    **{"action": 32, "tool": 96, "functions": 96},
    **{"react": 256, "function_calling": 256},
}
"""The longest answer by prompt format: an action, the same in a call, and a thought before it.

A call takes some 30 tokens around the action. AgentGym-RL allows 200 for BabyAI and 512 for
SearchQA and TextCraft, whose answers are of the format ``react``.
"""

OTHER_FORMAT = 256
"""That of a format which is not listed."""


def answer_length(style: PromptStyle, max_new_tokens: int | None) -> int:
    """Return the longest answer in *style*: *max_new_tokens*, or for None the format's own."""
    if max_new_tokens is not None:
        return max_new_tokens
    return DEFAULT_NEW_TOKENS.get(style.format, OTHER_FORMAT)

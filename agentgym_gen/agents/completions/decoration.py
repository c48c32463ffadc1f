"""Actions with something around them: quotes, bold type, a code fence, a full stop, a comment."""

from __future__ import annotations

import re

from agentgym_gen.env import TextEnv
from agentgym_gen.world import Malformed

__all__ = ["is_allowed", "plain_action", "undecorated"]

_FENCE = re.compile(r"```[\w+-]*\s*\n?(.*?)\s*```", re.DOTALL)

_PAIRS = (("**", "**"), ("__", "__"), ("*", "*"), ("`", "`"), ('"', '"'), ("'", "'"), ("“", "”"))
"""What an action is put between."""

MAX_LAYERS = 8
"""How many signs are taken off one after the other."""

MAX_LINES = 50
"""How many lines of a completion are looked at."""


def plain_action(text: str, completion: str, env: TextEnv) -> str | Malformed:
    """Return the action in *text* without what is around it.

    What can be carried out as it stands is left as it is, so that no query loses its full stop.

    Args:
        text: The part of the completion that has the action.
        completion: All of it.
        env: The environment, which says what can be carried out.
    """
    text = text.strip()
    if is_allowed(text, env):
        return text
    plain = undecorated(text)
    if plain != text and is_allowed(plain, env):
        return plain
    lines = [undecorated(line) for line in plain.splitlines()[:MAX_LINES] if line.strip()]
    if len(lines) > 1:
        allowed = [line for line in lines if is_allowed(line, env)]
        if len(allowed) > 1:
            return Malformed(completion, f"it has {len(allowed)} actions instead of one")
        if allowed:
            return allowed[0]
    is_command = not isinstance(env.read(plain), Malformed)
    return plain if is_command and isinstance(env.read(text), Malformed) else text


def undecorated(text: str) -> str:
    """Return *text* without the signs around it.

    >>> undecorated("**`go to desk 1`**."), undecorated("> - 'look'")
    ('go to desk 1', 'look')
    """
    for _ in range(MAX_LAYERS):
        before = text
        text = re.sub(r"\A(?:[>\-•]\s+|\s+)", "", text).rstrip()
        fence = _FENCE.fullmatch(text)
        text = fence[1] if fence else _unpaired(text)
        # a full stop, but not the dots of an ellipsis or of an abbreviation
        if text.endswith(".") and not text.endswith("..") and not re.search(r"\.\w+\.\Z", text):
            text = text[:-1]
        if text == before:
            break
    return text


def _unpaired(text: str) -> str:
    for opening, closing in _PAIRS:
        inside = text[len(opening) : -len(closing)]
        is_between = text.startswith(opening) and text.endswith(closing)
        if is_between and inside and closing not in inside and opening not in inside:
            return inside
    return text


def is_allowed(text: str, env: TextEnv) -> bool:
    """Say whether *text* is an action that can be carried out now."""
    command = env.read(text)
    return not isinstance(command, Malformed) and env.world.allows(command)

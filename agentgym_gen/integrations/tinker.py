"""A `MessageEnv` of tinker-cookbook, and the builder of a group of them.

`tinker_cookbook.rl.message_env.EnvFromMessageEnv` makes an environment of tokens from each, with
the renderer of your model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from agentgym_gen.agents import PromptStyle, Session
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import open_session

with required("tinker_cookbook", "'agentgym-gen[tinker]'"):
    from tinker_cookbook.rl.message_env import MessageEnv, MessageStepResult

__all__ = ["SessionMessageEnv", "make_group"]


class SessionMessageEnv(MessageEnv):
    """One episode.

    Args:
        row: A row of `task_rows`.
        format: How a completion writes its action, as in `PromptStyle`.
        reward: ``success``, ``score`` or ``return``, as in `Session`.

    Raises:
        InvalidValueError: if the row names no episode.
    """

    def __init__(
        self, row: Mapping[str, Any], format: str = "react", reward: str = "success"
    ) -> None:
        self.session: Session = open_session(row, style=PromptStyle(format), reward=reward)
        """The episode."""
        self._messages: list[Any] = []

    async def initial_observation(self) -> list[Any]:
        """Start the episode and return its first message."""
        self._messages = list(await asyncio.to_thread(self.session.start))
        return self._messages

    async def step(self, message: Any) -> MessageStepResult:
        """Take the turn that the assistant's *message* means."""
        content = message["content"]
        if not isinstance(content, str):  # parts, of which thoughts are not played
            content = "".join(part.get("text", "") for part in content)
        reply = self.session.reply(content)
        self._messages = [*self._messages, message, reply.message]
        result = self.session.result()
        names = ("success", "score", "turns", "invalid_turns")
        return MessageStepResult(
            reward=reply.reward,
            episode_done=reply.done,
            next_messages=self._messages,
            metrics={name: float(getattr(result, name)) for name in names} if reply.done else {},
        )


def make_group(row: Mapping[str, Any], size: int, **settings: str) -> list[SessionMessageEnv]:
    """Return the environments of a group, which share task and interface.

    Args:
        row: A row of `task_rows`.
        size: How many.
        settings: ``format`` and ``reward`` of `SessionMessageEnv`.
    """
    return [SessionMessageEnv(row, **settings) for _ in range(size)]

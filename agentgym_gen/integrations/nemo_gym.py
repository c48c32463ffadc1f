"""A resources server of NeMo Gym, whose rows name environment, task and interface."""

from __future__ import annotations

import asyncio
from typing import Any

from agentgym_gen.agents import PromptStyle
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import start_session

with required("resources_servers", "nemo-gym"):
    from resources_servers.gymnasium.base import GymnasiumServer, extract_text

__all__ = ["SessionServer"]


class SessionServer(GymnasiumServer):
    """Many episodes at once, each under the id of its session."""

    async def reset(
        self, metadata: dict[str, Any], session_id: str | None = None
    ) -> tuple[str | None, dict[str, Any]]:
        """Start the episode that the row *metadata* names.

        Args:
            metadata: A row of `task_rows`, and ``format`` and ``reward`` where they are not
                ``react`` and ``success``.
            session_id: The session.
        """
        session = await asyncio.to_thread(
            start_session,
            metadata,
            style=PromptStyle(metadata.get("format", "react")),
            reward=metadata.get("reward", "success"),
        )
        self.session_state[session_id] = session
        return session.messages[0]["content"], {}

    async def step(
        self, action: Any, metadata: dict[str, Any], session_id: str | None = None
    ) -> tuple[str | None, float, bool, bool, dict[str, Any]]:
        """Take the turn that a response of the model means."""
        session = self.session_state[session_id]
        reply = session.reply(extract_text(action))
        truncated = reply.done and session.result().end_reason in ("turn_limit", "backend_error")
        return (
            reply.message["content"],
            reply.reward,
            reply.done and not truncated,
            truncated,
            reply.info,
        )

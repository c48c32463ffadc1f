"""Episodes are played in threads, so that the event loop answers while a world computes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.server.messages import RequestError, action_text
from agentgym_gen.server.sessions import ServerSession

__all__ = ["EpisodeThreads"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


class EpisodeThreads:
    """Plays the episodes of all sessions; each session's messages are answered in their order.

    Resets have threads of their own: making a task may take seconds, and delays no step.

    Args:
        number: How many resets are made at once, and how many steps.
    """

    def __init__(self, number: int = 8) -> None:
        self._resets = ThreadPoolExecutor(number, "reset")
        self._steps = ThreadPoolExecutor(number, "step")

    async def reset(self, session: ServerSession, data: Mapping[str, Any]) -> dict[str, Any]:
        """Start an episode; see `ServedEpisode.reset`."""
        return await self._play(session, self._resets, lambda: session.episode.reset(data))

    async def step(self, session: ServerSession, action: Mapping[str, Any]) -> dict[str, Any]:
        """Take a turn with ``{"text": ...}``; see `ServedEpisode.step`."""
        text = action_text(action)
        return await self._play(session, self._steps, lambda: session.episode.step(text))

    async def call(self, session: ServerSession, function: Callable[[], T]) -> T:
        """Call a *function* that resets or steps the episode of *session*."""
        return await self._play(session, self._resets, function)

    async def run(self, function: Callable[[], T]) -> T:
        """Call a *function* that belongs to no session."""
        return await self._run(self._resets, function)

    async def close(self, session: ServerSession) -> None:
        """Close the episode of *session*, after what it is doing now."""
        try:
            await self._play(session, self._resets, session.episode.close)
        except RequestError:
            logger.warning("The episode of a session could not be closed")

    def shut_down(self) -> None:
        """Begin no further call."""
        for pool in (self._resets, self._steps):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _play(
        self, session: ServerSession, pool: ThreadPoolExecutor, function: Callable[[], T]
    ) -> T:
        session.pending += 1
        try:
            async with session.lock:
                return await self._run(pool, function)
        finally:
            session.pending -= 1

    @staticmethod
    async def _run(pool: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, function)
        except AgentGymGenError:
            raise
        except Exception as error:  # the boundary: a fault of one episode does not end the server
            logger.exception("A request has failed")
            sentence = "The server failed at this request, and its log says why; send a reset"
            raise RequestError(sentence, "EXECUTION_ERROR", 500) from error

"""Episodes are played in threads, so that the event loop answers while a world computes.

A step of a world that computes in this process alone is taken by the event loop: it takes less time
than the way to a thread and back, and no other thread would compute meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.server.episode import ServedEpisode
from agentgym_gen.server.messages import RequestError, action_text
from agentgym_gen.server.sessions import ServerSession

__all__ = ["EpisodeThreads"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

SLOW_SECONDS = 0.02
"""An episode whose step has computed for longer goes on in threads.

Processor time of the thread, because on a busy machine any step may be interrupted for as long.
"""


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
        if session.episode.is_quick and not session.pending:  # nothing of this session goes on
            return _step_here(session.episode, text)
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
        except AgentGymGenError:
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
            raise _failure() from error


def _step_here(episode: ServedEpisode, text: str) -> dict[str, Any]:
    """Take the turn in this thread, and note if that was slow."""
    started = time.thread_time()
    try:
        return episode.step(text)
    except AgentGymGenError:
        raise
    except Exception as error:  # the same boundary
        raise _failure() from error
    finally:
        if time.thread_time() - started > SLOW_SECONDS:
            episode.is_quick = False


def _failure() -> RequestError:
    """Log the exception that is being handled, and return what the client is told."""
    logger.exception("A request has failed")
    sentence = "The server failed at this request, and its log says why; send a reset"
    return RequestError(sentence, "EXECUTION_ERROR", 500)

"""The sessions of a server: bounded in number, each with a rate, and closed when they are idle."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Sequence

from agentgym_gen.server.episode import ServedEpisode
from agentgym_gen.server.limits import Limits, RateLimiter
from agentgym_gen.server.mcp import McpSession
from agentgym_gen.server.messages import RequestError

__all__ = ["ServerSession", "SessionTable"]


class ServerSession:
    """One client's episodes, and when it was last heard of."""

    def __init__(self, session_id: str, episode: ServedEpisode, limiter: RateLimiter) -> None:
        self.id, self.episode, self.limiter = session_id, episode, limiter
        self.last_used = 0.0
        """When the last message came, by the clock of the table."""
        self.pending = 0
        """How many of its messages are being answered, or wait for that."""
        self.lock = asyncio.Lock()
        """Held while a message is answered, so that one thread at a time plays the episode."""
        self.connected = False
        """Whether it lives as long as a connection, which has a time limit of its own."""
        self.mcp: McpSession | None = None
        """The state of an MCP client."""


class SessionTable:
    """The open sessions by their ids; used by one thread, that of the event loop.

    Args:
        env_ids: The ids that clients may play.
        limits: How many sessions there are, and how long they may be idle.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        env_ids: Sequence[str],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._env_ids, self._limits, self._clock = tuple(env_ids), limits, clock
        self._sessions: dict[str, ServerSession] = {}

    def __len__(self) -> int:
        """Return how many sessions are open."""
        return len(self._sessions)

    def __iter__(self) -> Iterator[ServerSession]:
        """Iterate over the open sessions; it may be changed meanwhile."""
        return iter(list(self._sessions.values()))

    def open(self) -> ServerSession:
        """Open a session and return it.

        Raises:
            RequestError: if there are as many as are allowed.
        """
        if len(self) >= self._limits.max_sessions:
            raise RequestError(
                f"All {self._limits.max_sessions:,} sessions of this server are in use; close "
                "one, or try again later",
                "CAPACITY_REACHED",
                503,
            )
        limiter = RateLimiter(self._limits.rate, self._clock)
        session = ServerSession(secrets.token_hex(16), ServedEpisode(self._env_ids), limiter)
        session.last_used = self._clock()
        self._sessions[session.id] = session
        return session

    def use(self, session_id: object) -> ServerSession:
        """Return the session *session_id*, and count a message of it.

        Raises:
            RequestError: if there is no such session, or it sends more than it may.
        """
        session = self._sessions.get(session_id) if isinstance(session_id, str) else None
        if session is None:
            raise RequestError(
                f"There is no session {session_id!r}: it was closed, or idle for "
                f"{self._limits.idle_seconds:g} s, or the server was started again; send a reset "
                "without `session_id` for a new one",
                "SESSION_ERROR",
                404,
            )
        self.count(session)
        return session

    def count(self, session: ServerSession) -> None:
        """Count a message of *session*.

        Raises:
            RequestError: if it sends more than it may.
        """
        session.last_used = self._clock()
        check_rate(session.limiter.wait(), "This session", self._limits)

    def close(self, session: ServerSession) -> None:
        """Forget *session*; its episode is closed by the caller."""
        self._sessions.pop(session.id, None)

    def idle(self) -> list[ServerSession]:
        """Return the sessions without a connection that have been idle for too long."""
        oldest = self._clock() - self._limits.idle_seconds
        return [s for s in self if s.last_used < oldest and not s.pending and not s.connected]


def check_rate(wait: float, sender: str, limits: Limits) -> None:
    """Raise `RequestError` if *sender* has to *wait* some seconds before its next message."""
    if wait > 0:
        raise RequestError(
            f"{sender} sends more than {limits.rate:g} messages a second; wait {wait:.2f} s",
            "RATE_LIMITED",
            429,
        )

"""What a server allows: how many sessions, how long, how large and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from agentgym_gen.errors import InvalidValueError

__all__ = ["Limits", "RateLimiter", "RateLimiters"]


@dataclass(frozen=True)
class Limits:
    """The bounds of a server.

    Raises:
        InvalidValueError: if one of them is not positive.
    """

    max_sessions: int = 4096
    """How many sessions are open at once."""
    idle_seconds: float = 900.0
    """After how many seconds without a message a session is closed."""
    max_bytes: int = 65536
    """The longest message, and the longest body of a request."""
    rate: float = 1000.0
    """How many messages a second a session may send, and how many requests an address."""

    def __post_init__(self) -> None:
        """Check the fields."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise InvalidValueError(f"`{field.name}` is more than 0, not {value!r}")


class RateLimiter:
    """A token bucket: *rate* requests a second on average, and as many at once after a pause.

    Args:
        rate: The tokens that are added each second, and the most that are kept.
        clock: Returns the time in seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(rate, 1.0)
        self._tokens, self._last = self._most, clock()

    def wait(self) -> float:
        """Count a request and return 0.0, or the seconds until one is accepted."""
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._rate
        self._tokens -= 1.0
        return 0.0

    @property
    def is_full(self) -> bool:
        """Whether no request was counted lately, so that a new limiter would be the same."""
        return self._tokens + (self._clock() - self._last) * self._rate >= self._most


class RateLimiters:
    """One limiter for each address, and no memory of those that are quiet.

    Args:
        rate: The rate of each.
        clock: Returns the time in seconds.
    """

    MOST = 4096
    """From how many addresses on the quiet ones are forgotten."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._limiters: dict[str, RateLimiter] = {}

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._limiters)

    def wait(self, address: str) -> float:
        """Count a request of *address* and return 0.0, or the seconds until one is accepted."""
        limiter = self._limiters.get(address)
        if limiter is None:
            if len(self._limiters) >= self.MOST:
                self._forget()
            limiter = self._limiters[address] = RateLimiter(self._rate, self._clock)
        return limiter.wait()

    def _forget(self) -> None:
        self._limiters = {a: each for a, each in self._limiters.items() if not each.is_full}
        while len(self._limiters) >= self.MOST:  # the oldest first
            del self._limiters[next(iter(self._limiters))]

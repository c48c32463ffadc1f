"""The bounds of a server: rates and numbers."""

from __future__ import annotations

import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.server.limits import Limits, RateLimiter, RateLimiters
from agentgym_gen.server.messages import RequestError
from agentgym_gen.server.sessions import SessionTable

ENV_IDS = ["rftgen/TextCraft-easy-v0"]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_limiter_lets_a_second_s_worth_through_at_once_and_then_the_rate() -> None:
    """Four a second: four at once, then one every quarter of a second."""
    clock = Clock()
    limiter = RateLimiter(4.0, clock)
    assert [limiter.wait() for _ in range(5)] == [0.0, 0.0, 0.0, 0.0, 0.25]

    clock.now += 0.25
    assert limiter.wait() == 0.0
    assert limiter.wait() > 0.0
    clock.now += 1000.0
    assert [limiter.wait() > 0 for _ in range(5)] == [False] * 4 + [True]


def test_a_slow_rate_still_lets_single_requests_through() -> None:
    """A rate below one a second is one request after the other, not none."""
    clock = Clock()
    limiter = RateLimiter(0.5, clock)
    assert limiter.wait() == 0.0
    assert limiter.wait() == 2.0
    clock.now += 2.0
    assert limiter.wait() == 0.0


def test_addresses_are_limited_one_by_one_and_their_number_is_bounded() -> None:
    """A flood from one address stops no other, and many addresses fill no memory."""
    clock = Clock()
    limiters = RateLimiters(2.0, clock)
    assert [limiters.wait("a") > 0 for _ in range(3)] == [False, False, True]
    assert limiters.wait("b") == 0.0
    for number in range(3 * RateLimiters.MOST):
        limiters.wait(f"address {number}")
        clock.now += 0.001

    assert len(limiters) <= RateLimiters.MOST


@pytest.mark.parametrize("field", ["max_sessions", "idle_seconds", "max_bytes", "rate"])
def test_a_bound_is_more_than_zero(field: str) -> None:
    """The sentence names the bound and its value."""
    with pytest.raises(InvalidValueError, match=f"`{field}` is more than 0, not 0"):
        Limits(**{field: 0})


def test_sessions_are_bounded_in_number_and_in_time() -> None:
    """The third of two is refused; an idle one is named, unless it is answered or connected."""
    clock = Clock()
    table = SessionTable(ENV_IDS, Limits(max_sessions=2, idle_seconds=60), clock)
    first, second = table.open(), table.open()
    with pytest.raises(RequestError, match="All 2 sessions of this server are in use") as full:
        table.open()
    assert (full.value.code, full.value.status) == ("CAPACITY_REACHED", 503)

    clock.now += 59
    table.use(second.id)
    clock.now += 2
    assert table.idle() == [first]
    first.pending = 1
    assert table.idle() == []
    first.pending, first.connected = 0, True
    assert table.idle() == []
    table.close(first)
    assert len(table) == 1
    assert table.open().id not in (first.id, second.id)


@pytest.mark.parametrize("session_id", ["nobody", None, 7, ["x"]])
def test_an_unknown_session_is_a_sentence_about_what_may_have_happened(session_id: object) -> None:
    """Whatever stands in the field, the answer is the same."""
    with pytest.raises(RequestError, match=r"There is no session .* send a reset") as error:
        SessionTable(ENV_IDS, Limits()).use(session_id)

    assert error.value.status == 404


def test_a_session_that_sends_too_much_is_told_how_long_to_wait() -> None:
    """The others are not concerned."""
    clock = Clock()
    table = SessionTable(ENV_IDS, Limits(rate=2), clock)
    fast, other = table.open(), table.open()
    table.count(fast)
    table.count(fast)
    with pytest.raises(RequestError, match=r"more than 2 messages a second; wait 0\.50 s"):
        table.count(fast)
    table.count(other)

"""Who may use a server."""

from __future__ import annotations

import re

import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.server.access import TOKEN_VARIABLE, Access
from agentgym_gen.server.messages import RequestError

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_a_host_that_others_reach_needs_a_token(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says where the token goes and how to make one."""
    with pytest.raises(InvalidValueError, match=f"{TOKEN_VARIABLE}.*openssl rand"):
        Access(host)
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(InvalidValueError, match="has 5 characters, and needs at least 16"):
        Access(host)
    for token in (TOKEN, f"{TOKEN}\udcff"):  # a byte of the environment that is not UTF-8
        monkeypatch.setenv(TOKEN_VARIABLE, token)
        assert Access(host).needs_token
        Access(host).check("/ws", {"Host": host, "Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_none(host: str) -> None:
    """This machine may play without one."""
    access = Access(host)
    assert not access.needs_token
    access.check("/step", {"Host": "127.0.0.1:8000"})
    access.check("/step", {"Host": "[::1]:8000"})


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "", "["])
def test_without_a_token_only_loopback_names_are_answered(host: str) -> None:
    """A page whose name was pointed at this machine plays nothing."""
    with pytest.raises(RequestError, match="answers to the name of this machine"):
        Access("127.0.0.1").check("/ws", {"Host": host})


@pytest.mark.parametrize("origin", ["https://evil.example", "http://["])
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    """Browsers say where a page is from, also for WebSocket; a malformed origin is another."""
    headers = {"Host": "127.0.0.1:8000", "Origin": origin}
    with pytest.raises(RequestError, match=f"A page of {re.escape(repr(origin))} may not"):
        Access("127.0.0.1").check("/ws", headers)
    Access("127.0.0.1").check("/ws", {**headers, "Origin": "http://127.0.0.1:8000"})


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer \udcff"]
)
def test_a_wrong_token_opens_the_page_and_the_check_only(
    sent: str | None,
) -> None:
    """The right one opens everything."""
    access = Access("0.0.0.0", TOKEN)
    headers = {"Host": "games.example"} | ({} if sent is None else {"Authorization": sent})
    for path in ("/ws", "/step", "/reset", "/environments", "/mcp", "/schema"):
        with pytest.raises(RequestError, match="A token is needed") as error:
            access.check(path, headers)
        assert error.value.status == 401
        access.check(path, {**headers, "Authorization": f"Bearer {TOKEN}"})
    for path in ("/", "/health", "/page.js", "/page.css"):
        access.check(path, headers)

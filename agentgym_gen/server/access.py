"""Who may use a server: on loopback this machine, elsewhere whoever has the token."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.server.messages import RequestError

__all__ = ["TOKEN_VARIABLE", "Access"]

TOKEN_VARIABLE = "AGENTGYM_GEN_TOKEN"
"""The environment variable with the token, which no list of processes shows."""

MIN_TOKEN = 16
"""The fewest characters of a token."""

OPEN_PATHS = frozenset({"/", "/page.css", "/page.js", "/health"})
"""What needs no token: the page, which asks for one, and the check of a load balancer."""


class Access:
    """Decides which requests are answered.

    A token is needed unless *host* is a loopback address. Without one only requests *to* a loopback
    name are answered, so that no page on the web can play through a browser of this machine.

    Args:
        host: The address that the server listens on.
        token: What clients send as ``Authorization: Bearer ...``; None reads `TOKEN_VARIABLE`.

    Raises:
        InvalidValueError: if there is no token and *host* needs one, or the token is too short.
    """

    def __init__(self, host: str, token: str | None = None) -> None:
        given = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
        self._token = given.strip().encode("utf-8", "surrogateescape")
        if not self._token and not _is_loopback(host):
            raise InvalidValueError(
                f"{host!r} can be reached from other machines, and a server there needs a token; "
                f"set the variable {TOKEN_VARIABLE}, for example to the output of: "
                "openssl rand -hex 16"
            )
        if self._token and len(self._token) < MIN_TOKEN:
            raise InvalidValueError(
                f"The token in {TOKEN_VARIABLE} has {len(self._token)} characters, and needs at "
                f"least {MIN_TOKEN}"
            )

    @property
    def needs_token(self) -> bool:
        """Whether clients have to send a token."""
        return bool(self._token)

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Raise `RequestError` unless a request with *headers* may be answered.

        Args:
            path: The path of the request.
            headers: Its headers, whose names ignore case.
        """
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if origin is not None and _location(origin) != host:
            raise RequestError(f"A page of {origin!r} may not use this server", "UNAUTHORIZED", 403)
        if not self._token:
            if not _is_loopback(_host_name(host)):
                raise RequestError(
                    f"This server answers to the name of this machine, not to {host!r}; use "
                    "http://127.0.0.1",
                    "UNAUTHORIZED",
                    403,
                )
        elif path not in OPEN_PATHS and not self._has_token(headers):
            raise RequestError(
                "A token is needed: send it in the header 'Authorization: Bearer TOKEN'",
                "UNAUTHORIZED",
                401,
            )

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        kind, _, token = headers.get("Authorization", "").partition(" ")
        sent = token.strip().encode("utf-8", "surrogateescape")
        return kind.lower() == "bearer" and hmac.compare_digest(sent, self._token)


def _location(origin: str) -> str | None:
    """Return the host and port in *origin*, or None if it is malformed."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _host_name(host: str) -> str:
    """Return the name in the header ``Host``, or an empty text if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

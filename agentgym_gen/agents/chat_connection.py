"""Connections to one server, kept open in a background thread; many threads may use them.

Imported when a `ChatPolicy` is made, because asyncio is slow to import.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
import urllib.request
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from agentgym_gen.agents.chat_replies import TransientError, UnreachableError
from agentgym_gen.errors import InvalidValueError, missing_extra

if TYPE_CHECKING:
    import aiohttp

MAX_BYTES = 1 << 24
"""The longest response that is read."""

GRACE = 5.0
"""For how many seconds closing waits for the background thread."""


CLOSED = "the policy was closed meanwhile"


@dataclass(frozen=True)
class Response:
    """The response to one request."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers, whose names ignore case."""
    body: bytes
    """The content."""


class _Call(NamedTuple):
    """A request, and where its response is waited for."""

    method: str
    url: str
    body: bytes | None
    response: concurrent.futures.Future[Response]


class ServerConnection:
    """Requests to one server, at most some of them at once.

    They run in an event loop of their own, so that the time limit holds whatever the server does: a
    byte now and then does not prolong it.

    Args:
        base_url: The address of the server, which decides whether a proxy of the environment
            (``HTTPS_PROXY``, ``NO_PROXY``) is used.
        headers: Sent with every request.
        timeout: How many seconds a request may take, from the moment when a connection is free.
        connections: How many requests are open at once.

    Raises:
        MissingExtraError: if aiohttp is not installed.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str], *, timeout: float, connections: int
    ) -> None:
        try:
            import aiohttp  # noqa: F401
        except ImportError as error:
            raise missing_extra("aiohttp", "api", "A chat endpoint", error) from error
        self._client = _Client(_proxy_of(base_url), headers, timeout, connections)
        # also called at the end of the program, while the background thread still runs
        self._finalizer = weakref.finalize(self, self._client.end)

    def request(self, method: str, url: str, body: bytes | None = None) -> Response:
        """Return the response to a request, with a JSON *body* or none.

        Raises:
            UnreachableError: if the server cannot be connected to.
            TransientError: if it gives no whole response in time.
        """
        return self._client.request(method, url, body)

    def close(self) -> None:
        """End all requests and release the connections."""
        self._finalizer()


class _Client:
    """An event loop, its thread, and the HTTP session that lives in them."""

    _session: aiohttp.ClientSession

    def __init__(
        self, proxy: str | None, headers: Mapping[str, str], timeout: float, connections: int
    ) -> None:
        self._proxy, self._headers, self._timeout = proxy, headers, timeout
        self._loop = asyncio.new_event_loop()
        self._calls: deque[_Call] = deque()
        self._tasks: dict[asyncio.Task[None], _Call] = {}
        self._waking = self._ended = False
        self._free, self._ending = asyncio.Semaphore(connections), asyncio.Event()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def request(self, method: str, url: str, body: bytes | None) -> Response:
        """Return the response to a request, which is sent in the thread of the loop."""
        if not self._thread.is_alive():  # as in a forked child, which has no thread but its own
            raise TransientError("the policy is closed, or was made by another process")
        call = _Call(method, url, body, concurrent.futures.Future())
        self._calls.append(call)
        self._wake()
        if self._ended:
            self._cancel_calls()
        try:
            return call.response.result()
        except concurrent.futures.CancelledError as error:
            raise TransientError(CLOSED) from error

    def _wake(self) -> None:
        # Waking the loop is a system call; calls that come before it has woken share one.
        if not self._waking:
            self._waking = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, and so the call ends
                self._loop.call_soon_threadsafe(self._start_calls)

    def _start_calls(self) -> None:
        self._waking = False  # first, so that a call that comes now wakes the loop again
        while self._calls:
            call = self._calls.popleft()
            task = self._loop.create_task(self._answer(call))
            self._tasks[task] = call  # the loop itself would not keep the task alive
            task.add_done_callback(self._tasks.pop)

    async def _answer(self, call: _Call) -> None:
        try:
            call.response.set_result(await self._send(call.method, call.url, call.body))
        except asyncio.CancelledError:
            call.response.cancel()
            raise
        except Exception as error:  # noqa: BLE001  (raised again in the thread that called)
            call.response.set_exception(error)

    def end(self) -> None:
        """Cancel the requests and end the thread."""
        # the loop is closed, or garbage is collected in the very thread that would be waited for
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(GRACE)

    def _run(self, started: threading.Event) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve(started))
        finally:
            self._leave(started)

    def _leave(self, started: threading.Event) -> None:
        """Cancel all calls, also where the session could not be made, for which a caller waits."""
        # In this order: a call that comes too late for one of the two is met by the other.
        self._ended = True
        self._cancel_calls()
        for call in self._tasks.values():
            call.response.cancel()
        started.set()

    def _cancel_calls(self) -> None:
        while self._calls:
            with contextlib.suppress(IndexError):  # another thread was faster
                self._calls.popleft().response.cancel()

    async def _serve(self, started: threading.Event) -> None:
        import aiohttp

        async with aiohttp.ClientSession(
            # the semaphore counts the connections, so that waiting for one is no part of a timeout
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            # not `trust_env`, which looks the proxy up in a thread for each request
            proxy=self._proxy,
        ) as self._session:
            started.set()
            await self._ending.wait()

    async def _send(self, method: str, url: str, body: bytes | None) -> Response:
        import aiohttp

        async with self._free:
            try:
                return await self._exchange(method, url, body)
            except TimeoutError:
                problem = TransientError(f"no whole answer within {self._timeout:g} s")
            except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError) as error:
                problem = UnreachableError(_reason(error))
            except (aiohttp.ClientError, OSError):
                closed = self._ending.is_set()
                problem = TransientError(CLOSED if closed else "the connection broke off")
        # raised here, with no cause: errors of aiohttp hold the headers, and so the key
        raise problem

    async def _exchange(self, method: str, url: str, body: bytes | None) -> Response:
        received = bytearray()
        async with self._session.request(method, url, data=body, allow_redirects=False) as response:
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > MAX_BYTES:
                    raise TransientError(f"an answer of more than {MAX_BYTES >> 20} MB")
        return Response(response.status, response.headers, bytes(received))


def is_http_address(text: str) -> bool:
    """Return whether *text* is the address of something that HTTP reaches."""
    try:
        parts = urlsplit(text)
        (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _reason(error: OSError) -> str:
    """Return why there is no connection, in the system's words."""
    if error.errno is not None and error.errno > 0:  # those of name servers are below 0
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for *url*; without a scheme it is one of HTTP.

    Raises:
        InvalidValueError: if it is no address. It is not repeated, since it may hold a password.
    """
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not is_http_address(proxy):
        raise InvalidValueError(
            f"The environment variable '{parts.scheme}_proxy' is the address of an HTTP proxy "
            "(http://proxy:3128), and what it holds is none; correct or unset it"
        )
    return proxy

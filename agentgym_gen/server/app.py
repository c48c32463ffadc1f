"""The web application of the server: HTTP, the WebSocket protocol of OpenEnv, MCP and a page.

Needs aiohttp as a whole, so that `agentgym_gen.server.run` loads it by name.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from agentgym_gen.errors import AgentGymGenError
from agentgym_gen.server.access import Access
from agentgym_gen.server.catalogue import describe_environments, schemas
from agentgym_gen.server.limits import Limits, RateLimiters
from agentgym_gen.server.mcp import McpSession
from agentgym_gen.server.messages import RequestError, action_text, error_of, parse_json
from agentgym_gen.server.sessions import ServerSession, SessionTable, check_rate
from agentgym_gen.server.threads import EpisodeThreads
from agentgym_gen.world import Malformed

__all__ = ["EpisodeServer"]

HEARTBEAT = 30.0
"""After how many quiet seconds a connection is tested; one that is dead is closed."""

PAGE = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
"""The files of the page, each with its type."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

EVENT_STREAM = "text/event-stream"
"""The type of an answer of MCP that has notifications in it; a client says if it accepts that."""

GOODBYE = "The server stops, and the episode is lost; connect again for a new one"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class EpisodeServer:
    """The sessions of a server, and the handlers of its requests.

    Args:
        env_ids: The ids that clients may play.
        limits: The bounds.
        access: Who may use it.
    """

    def __init__(self, env_ids: Sequence[str], limits: Limits, access: Access) -> None:
        self._env_ids, self._limits, self._access = tuple(env_ids), limits, access
        self._sessions = SessionTable(env_ids, limits)
        self._addresses = RateLimiters(limits.rate)
        self._threads = EpisodeThreads()
        self._sockets: set[web.WebSocketResponse] = set()
        self._reaper: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """Return the application, which aiohttp runs."""
        app = web.Application(middlewares=[self._guard], client_max_size=self._limits.max_bytes)
        for path in PAGE:
            app.router.add_get(path, _page)
        for path, handler in (
            ("/health", self._health),
            ("/metadata", self._metadata),
            ("/schema", self._schema),
            ("/environments", self._environments),
            ("/state", self._state),
            ("/ws", self._websocket),
        ):
            app.router.add_get(path, handler)
        for path, handler in (
            ("/reset", self._reset),
            ("/step", self._step),
            ("/translate", self._translate),
            ("/close", self._close),
            ("/mcp", self._mcp_post),
        ):
            app.router.add_post(path, handler)
        app.router.add_delete("/mcp", self._mcp_delete)
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._stop)
        app.on_cleanup.append(self._clean_up)
        return app

    async def _start(self, _: web.Application) -> None:
        self._reaper = asyncio.create_task(self._reap())

    async def _stop(self, _: web.Application) -> None:
        """Tell every client that the server stops."""
        if self._reaper is not None:
            self._reaper.cancel()
        for socket in list(self._sockets):
            await _send_error(socket, RequestError(GOODBYE, "SESSION_ERROR"))
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"The server stops")
        for session in self._sessions:
            await self._end(session)

    async def _clean_up(self, _: web.Application) -> None:
        self._threads.shut_down()  # all handlers have ended

    async def _reap(self) -> None:
        """Close idle sessions, for ever."""
        while True:
            await asyncio.sleep(min(self._limits.idle_seconds / 4, 10.0))
            for session in self._sessions.idle():
                await self._end(session)

    async def _end(self, session: ServerSession) -> None:
        self._sessions.close(session)
        await self._threads.close(session)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what may not be answered, and answer every mistake with one sentence."""
        try:
            check_rate(self._addresses.wait(request.remote or ""), "This address", self._limits)
            self._access.check(request.path, request.headers)
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            error = RequestError(self._too_long, "TOO_LARGE", 413)
        except web.HTTPNotFound:
            error = RequestError(f"There is nothing at {request.path!r}", "NOT_FOUND", 404)
        except web.HTTPMethodNotAllowed as wrong:
            methods = ", ".join(sorted(wrong.allowed_methods))
            error = RequestError(f"{request.path!r} answers to {methods}", "NOT_FOUND", 405)
        except web.HTTPBadRequest as wrong:
            error = RequestError(f"Malformed request: {wrong.text or wrong.reason}")
        except AgentGymGenError as mistake:
            error = error_of(mistake)
        headers = {"Retry-After": "1"} if error.status in (429, 503) else {}
        body = {"error": {"message": str(error), "code": error.code}}
        return _json(body, status=error.status, headers=headers)

    @property
    def _too_long(self) -> str:
        return f"A message has at most {self._limits.max_bytes:,} bytes; send a shorter one"

    # What needs no session.

    async def _health(self, _: web.Request) -> web.Response:
        sessions = {"sessions": len(self._sessions), "max_sessions": self._limits.max_sessions}
        return _json({"status": "healthy", **sessions})

    async def _metadata(self, _: web.Request) -> web.Response:
        return _json(
            {
                "name": "agentgym_gen",
                "description": f"{len(self._env_ids)} text environments; `env_id` chooses one",
                "version": version("agentgym-gen"),
            }
        )

    async def _schema(self, _: web.Request) -> web.Response:
        return _json(schemas(self._env_ids))

    async def _environments(self, _: web.Request) -> web.Response:
        table = await self._threads.run(lambda: describe_environments(self._env_ids))
        return _json({"environments": table})

    # A session over HTTP: its id is in the answer to a reset, and in every later request.

    async def _reset(self, request: web.Request) -> web.Response:
        data = await _body(request)
        session_id = data.pop("session_id", None)
        session = self._sessions.open() if session_id is None else self._sessions.use(session_id)
        try:
            answer = await self._threads.reset(session, data)
        except AgentGymGenError:
            if session_id is None:
                await self._end(session)
            raise
        return _json({"session_id": session.id, **answer})

    async def _step(self, request: web.Request) -> web.Response:
        data = await _body(request)
        session = self._sessions.use(data.get("session_id"))
        return _json(await self._threads.step(session, _action(data)))

    async def _translate(self, request: web.Request) -> web.Response:
        """Answer with the action of one session in the words of another one.

        Two sessions of one task through two interfaces stay at the same state if each action of
        the one is taken in the other, too.
        """
        data = await _body(request)
        session = self._sessions.use(data.get("session_id"))
        other = self._sessions.use(data.get("to"))
        text = action_text(_action(data))
        command = await self._threads.call(session, lambda: session.episode.read(text))
        if isinstance(command, Malformed):
            return _json({"text": None, "reason": command.reason})
        return _json(
            {"text": await self._threads.call(other, lambda: other.episode.write(command))}
        )

    async def _state(self, request: web.Request) -> web.Response:
        session = self._sessions.use(request.query.get("session_id"))
        return _json(await self._threads.call(session, lambda: session.episode.state))

    async def _close(self, request: web.Request) -> web.Response:
        await self._end(self._sessions.use((await _body(request)).get("session_id")))
        return _json({"closed": True})

    # A session over WebSocket: it lives as long as the connection.

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            compress=False, heartbeat=HEARTBEAT, max_msg_size=4 * self._limits.max_bytes
        )
        await socket.prepare(request)
        try:
            session = self._sessions.open()
        except RequestError as error:
            await _send_error(socket, error)
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return socket
        session.connected = True
        self._sockets.add(socket)
        try:
            await self._converse(socket, session)
        finally:
            self._sockets.discard(socket)
            await self._end(session)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, session: ServerSession) -> None:
        """Answer the messages of one connection, one after another, until it ends."""
        while True:
            try:
                message = await socket.receive(timeout=self._limits.idle_seconds)
            except TimeoutError:
                sentence = f"No message came for {self._limits.idle_seconds:g} s; connect again"
                await _send_error(socket, RequestError(sentence, "SESSION_ERROR"))
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"Idle")
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                answer = await self._answer(session, message.data)
            except AgentGymGenError as error:
                await _send_error(socket, error_of(error))
                continue
            if answer is None:
                await socket.close()
                return
            try:
                await socket.send_str(json.dumps(answer))
            except ConnectionError:
                return

    async def _answer(self, session: ServerSession, text: str | bytes) -> dict[str, Any] | None:
        """Return the answer to one message, or None if it closes the session."""
        self._sessions.count(session)
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(content) > self._limits.max_bytes:
            raise RequestError(self._too_long, "TOO_LARGE")
        message = parse_json(text)
        kind, data = message.get("type"), message.get("data", {})
        if not isinstance(data, dict):
            raise RequestError("The field 'data' of a message is an object")
        if kind == "step":
            return {"type": "observation", "data": await self._threads.step(session, data)}
        if kind == "reset":
            return {"type": "observation", "data": await self._threads.reset(session, data)}
        if kind == "state":
            return {"type": "state", "data": session.episode.state}
        if kind == "close":
            return None
        raise RequestError(
            f"A message has the type 'reset', 'step', 'state' or 'close', not {kind!r}",
            "UNKNOWN_TYPE",
        )

    # MCP: a session for each `initialize`.

    async def _mcp_post(self, request: web.Request) -> web.Response:
        message = await _body(request)
        if message.get("method") == "initialize":
            session = self._sessions.open()
            session.mcp = McpSession(session.episode, dict(request.query))
        else:
            session = self._sessions.use(request.headers.get("Mcp-Session-Id"))
        mcp = session.mcp
        if mcp is None:
            raise RequestError("This session is not one of MCP; send 'initialize' first")
        answer = await self._threads.call(session, lambda: mcp.answer(message))
        headers = {"Mcp-Session-Id": session.id}
        if answer is None:
            return web.Response(status=202, headers=headers)
        if "error" in answer and message.get("method") == "initialize":
            await self._end(session)
        notifications = mcp.take_notifications()
        if notifications and EVENT_STREAM in request.headers.get("Accept", ""):
            return _events([*notifications, answer], headers)
        return _json(answer, headers=headers)

    async def _mcp_delete(self, request: web.Request) -> web.Response:
        await self._end(self._sessions.use(request.headers.get("Mcp-Session-Id")))
        return web.Response(status=204)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        content = await request.read()
    except web.RequestPayloadError as error:
        raise RequestError(f"Malformed request: its content cannot be read: {error}") from error
    return parse_json(content or b"{}")


def _action(data: Mapping[str, Any]) -> dict[str, Any]:
    action = data.get("action")
    if not isinstance(action, dict):
        raise RequestError(
            "This request has the fields 'session_id' and 'action': {'text': ...}, and an action "
            f"is an object, not {action!r}"
        )
    return action


async def _page(request: web.Request) -> web.Response:
    name, content_type = PAGE[request.path]
    text = files("agentgym_gen.server").joinpath("page", name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=content_type, headers=SECURITY_HEADERS)


async def _send_error(socket: web.WebSocketResponse, error: RequestError) -> None:
    data = {"message": str(error), "code": error.code}
    with suppress(ConnectionError):  # the client may have gone
        await socket.send_str(json.dumps({"type": "error", "data": data}))


def _events(messages: Sequence[Mapping[str, Any]], headers: Mapping[str, str]) -> web.Response:
    """Return *messages* as a stream of server-sent events that ends with the last one."""
    text = "".join(f"event: message\ndata: {json.dumps(message)}\n\n" for message in messages)
    return web.Response(
        text=text, content_type=EVENT_STREAM, headers={**SECURITY_HEADERS, **headers}
    )


def _json(
    value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        text=json.dumps(value),
        status=status,
        content_type="application/json",
        headers={**SECURITY_HEADERS, **(headers or {})},
    )

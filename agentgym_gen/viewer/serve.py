"""A view on a loopback address, for a browser of this machine.

The pages are those of an export; the scripts are made when the page asks for them, while the files
are still being read. The address has a secret part, and the name of the host is checked: a page of
the web, which a browser of this machine shows, can neither guess the one nor pretend the other.
"""

from __future__ import annotations

import re
import secrets
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from agentgym_gen.errors import AgentGymGenError, DataError, InvalidValueError
from agentgym_gen.server.access import Access
from agentgym_gen.server.messages import RequestError
from agentgym_gen.viewer.page import PAGE, page_files, policy
from agentgym_gen.viewer.view import PIECE, View, failure_script

__all__ = ["ViewServer", "serve_view"]

HOST = "127.0.0.1"

_SCRIPT = re.compile(r"data/(?P<kind>[a-z]+)-(?P<number>0|[1-9][0-9]{0,8})\.js")

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}

HEADERS = {
    "Content-Security-Policy": policy() + "; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

FIRST_SECONDS = 1.0
"""For how long the first page waits for episodes, so that it does not begin empty."""


class Answer(NamedTuple):
    """What a request is answered with."""

    status: HTTPStatus
    """The status."""
    text: str
    """The text."""
    kind: str = "text/plain"
    """Its type."""


class ViewServer:
    """Serves one view; a context manager, inside which it answers.

    Args:
        view: The episodes, which a thread of its own reads.
        title: The title of the page.
        port: The port; 0 takes a free one.

    Raises:
        DataError: if nothing can be read of the episodes, or there are none.
        InvalidValueError: if the port cannot be listened on.
        MissingExtraError: if jinja2 is not installed.
    """

    def __init__(self, view: View, title: str, port: int = 0) -> None:
        self._view, self._files = view, page_files(title)
        self._access = Access(HOST, "")
        self._secret = secrets.token_urlsafe(16)
        self._has_piece = threading.Event()
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="view", daemon=True)
        self._reader.start()
        self._has_piece.wait(FIRST_SECONDS)
        if view.failure and not view.number:
            raise DataError(view.failure)
        try:
            self._http = _QuietServer((HOST, port), _handler_of(self))
        except OSError as error:
            raise InvalidValueError(
                f"Cannot listen on {HOST} port {port}: {error.strerror}; choose another --port"
            ) from error

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self._http.server_address[1]}/{self._secret}/"

    def serve(self) -> None:
        """Answer until an exception, such as that of a stop signal, ends it."""
        try:
            self._http.serve_forever()
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening and reading."""
        self._closing = True
        self._http.server_close()

    def stop(self) -> None:
        """End `serve`, which runs in another thread."""
        self._http.shutdown()

    def answer(self, path: str, headers: object) -> Answer:
        """Return what a request for *path* is answered with.

        Args:
            path: The path.
            headers: The headers of the request.
        """
        try:
            self._access.check(path, headers)  # type: ignore[arg-type]  # a Message is a mapping
        except RequestError as error:
            return Answer(HTTPStatus(error.status), str(error))
        name = path.partition("?")[0].removeprefix(f"/{self._secret}/")
        if name == path:
            return Answer(
                HTTPStatus.NOT_FOUND, "There is nothing here; open the address as printed"
            )
        text = self._files.get(name or PAGE)
        if text is not None:
            return Answer(HTTPStatus.OK, text, TYPES[(name or PAGE).rpartition(".")[2]])
        match = _SCRIPT.fullmatch(name)
        try:
            if match is not None:
                script = self._script(match["kind"], int(match["number"]))
                return Answer(HTTPStatus.OK, script, TYPES["js"])
        except LookupError:
            pass
        return Answer(HTTPStatus.NOT_FOUND, f"There is no {name!r}")

    def _script(self, kind: str, number: int) -> str:
        """Return a script, which says what was wrong where a file cannot be read again."""
        try:
            if kind == "index":
                return self._view.index()
            if kind == "episodes":
                return self._view.conversations(number)
            if kind == "actions":
                return self._view.actions(number)
            return self._view.column(kind, number)
        except AgentGymGenError as error:
            return failure_script(kind, number, str(error))

    def _read(self) -> None:
        try:
            for _ in self._view.read():
                if self._view.number >= PIECE:
                    self._has_piece.set()
                if self._closing:
                    return
        except AgentGymGenError:
            pass  # the view keeps the sentence, and the page shows it
        finally:
            self._has_piece.set()


class _QuietServer(ThreadingHTTPServer):
    """A server that says nothing of a browser that has left."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Show an error of ours, and no broken connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _handler_of(server: ViewServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers the requests of *server*."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer a request."""
            answer = server.answer(self.path, self.headers)
            body = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the terminal belongs to whoever started it."""

        def version_string(self) -> str:
            """Return what the server calls itself, without versions."""
            return "agentgym-gen"

    return Handler


def serve_view(
    view: View,
    *,
    title: str,
    port: int = 0,
    log: Callable[[str], object] = print,
    open_page: Callable[[str], object] | None = None,
) -> None:
    """Serve *view* until a stop signal comes.

    Args:
        view: The episodes.
        title: The title of the page.
        port: The port; 0 takes a free one.
        log: Called with a sentence that has the address.
        open_page: Called with the address, to open it in a browser.

    Raises:
        DataError: if nothing can be read of the episodes, or there are none.
        InvalidValueError: if the port cannot be listened on.
        MissingExtraError: if jinja2 is not installed.
        StopSignal: when a stop signal has come.
    """
    server = ViewServer(view, title, port)
    log(f"Showing {title} at {server.url} (Ctrl-C ends)")
    if open_page is not None:
        open_page(server.url)
    server.serve()

"""A child process that answers requests, for software that may crash, leak or share its state.

    child = ChildProcess("my_package.engine")    # a new Python runs the module as a program
    answer = child.ask({"load": "game.z8"})      # sends a JSON object, returns a JSON value

The module calls `serve` with a function from request to answer. A child that dies, hangs or
answers nonsense raises `BackendError`, and the next request starts a new child. A child ends when
its parent ends, for whatever reason and whatever the child is doing, and kills what it has started.

A message is its length and JSON. `marshal` would be faster, but a child with corrupt memory must
not be able to crash the parent by what it writes.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agentgym_gen.errors import BackendError
from agentgym_gen.system.python_process import child_environment, module_command

RequestHandler = Callable[[dict[str, Any]], Any]
"""The work of a child: a function from a request to a JSON value."""

_LENGTH = struct.Struct("<I")

STARTUP_SECONDS = 90.0
"""How many seconds more the first request of a child may take, while it imports its software."""

_READ_BYTES = 2**13
"""How many bytes are read at once; most messages are shorter."""

# Both are made once: `json.dumps` and `json.loads` look for options anew in every call.
_encode = json.JSONEncoder(check_circular=False).encode
_decode = json.JSONDecoder().raw_decode


class ChildProcess:
    """A child process, started by the first request.

    Args:
        module: The module that the child runs.
        timeout: The seconds after which a request counts as hung.
    """

    def __init__(self, module: str, timeout: float = 120.0) -> None:
        self._module = module
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._is_new = True
        self._socket: socket.socket
        self._finalizer: weakref.finalize[..., ChildProcess]

    @property
    def pid(self) -> int | None:
        """The process id of the child, or None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        """Return the answer to *request*.

        Raises:
            BackendError: if the child fails to answer; it has been ended then.
        """
        process = self._process or self._start()
        try:
            reply = self._exchange(request)
        except (OSError, ValueError) as error:
            self.close()
            raise BackendError(
                f"The process of {self._module} gave no answer within {self._timeout:g} s or "
                f"has ended (exit status {process.returncode})"
            ) from error
        except BaseException:
            # After Ctrl-C, say, the late answer would be taken for that of the next request.
            self.close()
            raise
        if self._is_new:
            self._is_new = False
            _set_timeout(self._socket, self._timeout)
        if "error" in reply:
            self.close()
            raise BackendError(f"{self._module} failed: {reply['error']}")
        return reply["answer"]

    def close(self) -> None:
        """End the child; a later request starts another one."""
        if self._process is not None:
            self._finalizer()
            self._process = None

    def kill(self) -> None:
        """End the child while another thread waits for its answer: that request fails."""
        if self._process is not None:
            _kill(self._process)

    def _exchange(self, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        _send(self._socket, request)
        reply = _receive(self._socket)
        if reply is None:
            raise BrokenPipeError
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        if sys.platform == "win32":
            raise BackendError(
                f"{self._module} runs in a process of its own, which needs Linux or macOS; on "
                "Windows, use WSL"
            )
        self._socket, child_socket = socket.socketpair()
        _set_timeout(self._socket, self._timeout + STARTUP_SECONDS)
        self._is_new = True
        with child_socket:
            self._process = subprocess.Popen(
                module_command(self._module),
                stdin=child_socket.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child_environment(),
                # A group of its own: Ctrl-C reaches the parent only, and `_kill` reaches what the
                # child has started.
                process_group=0,
            )
        self._finalizer = weakref.finalize(self, _end, self._process, self._socket, os.getpid())
        return self._process


def _set_timeout(connection: socket.socket, seconds: float) -> None:
    """Let the kernel end reads and writes that take longer.

    `socket.settimeout` would cost a second system call for each read.
    """
    whole, rest = divmod(seconds, 1)
    time = struct.pack("@ll", int(whole), int(rest * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, time)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, time)


def _send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    text = _encode(message).encode()
    connection.sendall(_LENGTH.pack(len(text)) + text)


def _receive(connection: socket.socket) -> Any:  # noqa: ANN401  (a JSON value)
    """Return the next message, or None if the other side has closed the connection.

    Requests and answers alternate, so nothing follows a message before it is answered.
    """
    raw = connection.recv(_READ_BYTES)
    # `ljust` pads a length that has arrived in part; the left side is negative then, so that the
    # loop reads on.
    while raw and len(raw) - _LENGTH.size < _LENGTH.unpack_from(raw.ljust(_LENGTH.size))[0]:
        more = connection.recv(_READ_BYTES)
        if not more:
            return None
        raw += more
    return _decode(raw[_LENGTH.size :].decode())[0] if raw else None


def _end(process: subprocess.Popen[bytes], connection: socket.socket, owner: int) -> None:
    if os.getpid() != owner:
        return  # A fork of the owner has a copy of the object; the child is not its own.
    connection.close()
    _kill(process)
    process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* and all that it has started."""
    if sys.platform == "win32":  # `_start` starts none there
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def serve(handler: RequestHandler) -> None:
    """Answer the requests of the parent with *handler* until the parent ends; for a child's module.

    Then this process ends at once, even in the middle of an answer, which nobody would read.

    Whatever is printed meanwhile, also by C code, is discarded. When the handler raises, the error
    is sent to the parent and this function returns.
    """
    with _parent_socket() as connection:
        threading.Thread(target=_end_with_parent, args=(connection.fileno(),), daemon=True).start()
        while (request := _receive(connection)) is not None:
            try:
                reply = {"answer": handler(request)}
            except Exception as error:  # noqa: BLE001  (the boundary: the parent raises it)
                reply = {"error": f"{type(error).__name__}: {error}"}
            _send(connection, reply)
            if "error" in reply:
                return


def _end_with_parent(descriptor: int) -> None:
    """Wait until the parent closes the socket *descriptor*; then end this process and its own."""
    if sys.platform == "win32":  # as above
        return
    poll = select.poll()
    # Mask 0 asks for no event; the hang-up is always reported, and messages wake nobody.
    poll.register(descriptor, 0)
    poll.poll()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


@contextlib.contextmanager
def _parent_socket() -> Iterator[socket.socket]:
    """Yield the socket to the parent; the standard input is empty from now on."""
    with socket.socket(fileno=os.dup(0)) as connection:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        yield connection

"""A child process that answers requests, for software that may crash, leak or share its state.

    worker = Worker("my_package.engine")         # runs ``python -m my_package.engine``
    answer = worker.ask({"load": "game.z8"})     # a JSON object there, a JSON value back

The module calls `serve` with a function from request to answer. A child that dies, hangs or
answers nonsense is a `BackendError`, and the next request starts a new one. A child ends with its
parent, however that ends and whatever the child is doing, and takes along what it has started.

A message is its length and JSON. `marshal` would be faster, but reading what a child with broken
memory has written must not be able to crash the parent.
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

Answer = Callable[[dict[str, Any]], Any]
"""What a child does: a request to a JSON value."""

_LENGTH = struct.Struct("<I")

STARTING = 90.0
"""How many seconds more the first request of a child may take, while it imports its software."""

_CHUNK = 2**13
"""How many bytes are read at once; most messages are shorter."""

_write = json.JSONEncoder(check_circular=False).encode
_read = json.JSONDecoder().raw_decode
# Both made once: `json.dumps` and `json.loads` look for options anew in every call.


class Worker:
    """A child process, started by the first request.

    Args:
        module: The module that the child runs.
        patience: The seconds after which a request counts as hung.
    """

    def __init__(self, module: str, patience: float = 120.0) -> None:
        self._module = module
        self._patience = patience
        self._child: subprocess.Popen[bytes] | None = None
        self._is_new = True

    @property
    def pid(self) -> int | None:
        """The number of the child process, or None while there is none."""
        return None if self._child is None else self._child.pid

    def ask(self, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        """Return the answer to *request*.

        Raises:
            BackendError: if the child fails to answer; it is gone then.
        """
        child = self._child or self._started()
        try:
            answer = self._exchange(request)
        except (OSError, ValueError) as error:
            self.close()
            raise BackendError(
                f"The process of {self._module} gave no answer within {self._patience:g} s or "
                f"has ended (exit status {child.returncode})"
            ) from error
        except BaseException:
            # Such as Ctrl-C: the answer that comes now would be taken for that of the next request.
            self.close()
            raise
        if self._is_new:
            self._is_new = False
            _limit(self._line, self._patience)
        if "error" in answer:
            self.close()
            raise BackendError(f"{self._module} failed: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        """End the child; a later request starts another one."""
        if self._child is not None:
            self._finalizer()
            self._child = None

    def abandon(self) -> None:
        """End the child while another thread waits for its answer: that request fails."""
        if self._child is not None:
            _kill(self._child)

    def _exchange(self, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        _send(self._line, request)
        answer = _receive(self._line)
        if answer is None:
            raise BrokenPipeError
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)  # noqa: PTH109  (a text)
        self._line, there = socket.socketpair()
        _limit(self._line, self._patience + STARTING)
        self._is_new = True
        with there:
            self._child = subprocess.Popen(
                [sys.executable, "-m", self._module],
                stdin=there.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                # Ctrl-C is the parent's business, and what the child starts can be ended with it.
                process_group=0,
            )
        self._finalizer = weakref.finalize(self, _end, self._child, self._line, os.getpid())
        return self._child


def _limit(line: socket.socket, seconds: float) -> None:
    """Let the kernel break off what takes longer: Python's own way asks it twice for each read."""
    whole, rest = divmod(seconds, 1)
    time = struct.pack("@ll", int(whole), int(rest * 1e6))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, time)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, time)


def _send(line: socket.socket, message: Mapping[str, Any]) -> None:
    text = _write(message).encode()
    line.sendall(_LENGTH.pack(len(text)) + text)


def _receive(line: socket.socket) -> Any:  # noqa: ANN401  (a JSON value)
    """Return the next message, or None if the other side has gone.

    One message answers another: nothing follows it.
    """
    found = line.recv(_CHUNK)
    while found and len(found) - _LENGTH.size < _LENGTH.unpack_from(found.ljust(_LENGTH.size))[0]:
        more = line.recv(_CHUNK)
        if not more:
            return None
        found += more
    return _read(found[_LENGTH.size :].decode())[0] if found else None


def _end(child: subprocess.Popen[bytes], line: socket.socket, owner: int) -> None:
    if os.getpid() != owner:
        return  # A fork of the owner has a copy of the worker; the child is not its own.
    line.close()
    _kill(child)
    child.wait()


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill *child* and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def serve(answer: Answer) -> None:
    """Answer the requests of the parent until it goes; for the child's module.

    Then the process ends at once, even in the middle of an answer, which nobody would read.

    What is printed meanwhile, by C code too, goes nowhere. A request that fails is reported, and
    the child ends.
    """
    with _own_line() as line:
        threading.Thread(target=_end_with_parent, args=(line.fileno(),), daemon=True).start()
        while (request := _receive(line)) is not None:
            try:
                said = {"answer": answer(request)}
            except Exception as error:  # noqa: BLE001  (the boundary: the parent raises it)
                said = {"error": f"{type(error).__name__}: {error}"}
            _send(line, said)
            if "error" in said:
                return


def _end_with_parent(line: int) -> None:
    """Wait until the other side of *line* is closed; then end this process and its own."""
    watch = select.poll()
    watch.register(line, 0)  # no event but the hang-up, which is always told: messages wake nobody
    watch.poll()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


@contextlib.contextmanager
def _own_line() -> Iterator[socket.socket]:
    """Yield the line to the parent; the standard input is empty from now on."""
    with socket.socket(fileno=os.dup(0)) as line:
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
        yield line

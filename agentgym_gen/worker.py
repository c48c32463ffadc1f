"""A child process that answers requests, for software that may crash, leak or share its state.

    worker = Worker("my_package.engine")         # runs ``python -m my_package.engine``
    answer = worker.ask({"load": "game.z8"})     # a JSON object there, a JSON value back

The module calls `serve` with a function from request to answer. A child that dies, hangs or
answers nonsense is a `BackendError`, and the next request starts a new one. A child ends with its
parent, however that ends and whatever the child is doing, and takes along what it has started.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agentgym_gen.errors import BackendError

Answer = Callable[[dict[str, Any]], Any]
"""What a child does: a request to a JSON value."""


class Worker:
    """A child process, started by the first request.

    Args:
        module: The module that the child runs.
        patience: The seconds after which a request counts as hung.
    """

    def __init__(self, module: str, patience: float = 120.0) -> None:
        self._module = module
        self._patience = patience
        self._child: subprocess.Popen[str] | None = None

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
            answer = json.loads(self._exchange(child, json.dumps(request)))
        except (OSError, ValueError) as error:
            self.close()
            raise BackendError(
                f"The process of {self._module} gave no answer within {self._patience:g} s or "
                f"has ended (exit status {child.returncode})"
            ) from error
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

    def _started(self) -> subprocess.Popen[str]:
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)  # noqa: PTH109  (a text)
        self._child = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
            # Ctrl-C is the parent's business, and what the child starts can be ended with it.
            process_group=0,
        )
        self._finalizer = weakref.finalize(self, _end, self._child, os.getpid())
        return self._child

    def _exchange(self, child: subprocess.Popen[str], line: str) -> str:
        if child.stdin is None or child.stdout is None:
            raise OSError("no pipe to the child")
        child.stdin.write(line + "\n")
        child.stdin.flush()
        # One request, one line: the pipe is empty until the child answers, or ends.
        if not select.select([child.stdout], [], [], self._patience)[0]:
            raise TimeoutError
        return child.stdout.readline()


def _end(child: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() != owner:
        return  # A fork of the owner has a copy of the worker; the child is not its own.
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    _kill(child)
    child.wait()


def _kill(child: subprocess.Popen[str]) -> None:
    """Kill *child* and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def serve(answer: Answer) -> None:
    """Answer the requests of the parent until it closes the pipe; for the child's module.

    Then the process ends at once, even in the middle of an answer, which nobody would read.

    What is printed meanwhile, by C code too, goes nowhere: the pipe carries answers only. A
    request that fails is reported, and the child ends.
    """
    with _own_pipe() as pipe:
        for line in _requests():
            try:
                said = {"answer": answer(json.loads(line))}
            except Exception as error:  # noqa: BLE001  (the boundary: the parent raises it)
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), file=pipe, flush=True)
            if "error" in said:
                return


def _requests() -> Iterator[bytes]:
    """Yield the lines of the parent, and end the process when it is gone."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    while True:
        yield lines.get()


def _listen(lines: queue.SimpleQueue[bytes]) -> None:
    # Not by `sys.stdin`, whose lock a thread that waits would hold at the exit of the process.
    begun = b""
    while part := os.read(0, 1 << 16):
        *whole, begun = (begun + part).split(b"\n")
        for line in whole:
            lines.put(line)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


@contextlib.contextmanager
def _own_pipe() -> Iterator[Any]:
    """Yield the pipe to the parent; the standard output leads nowhere from now on."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as pipe:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        yield pipe

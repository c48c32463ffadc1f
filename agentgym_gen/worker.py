"""A child process that answers requests, for software that may crash, leak or share its state.

    worker = Worker("my_package.engine")         # runs ``python -m my_package.engine``
    answer = worker.ask({"load": "game.z8"})     # a JSON object there, a JSON value back

The module calls `serve` with a function from request to answer. A child that dies, hangs or
answers nonsense is a `BackendError`, and the next request starts a new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agentgym_gen.errors import BackendError

LOOK_SECONDS = 1.0
"""How often it is looked whether a child that gives no answer still computes."""

STARVED_FACTOR = 20
"""How many times longer a child is waited for that gets no processor on a crowded machine."""

Answer = Callable[[dict[str, Any]], Any]
"""What a child does: a request to a JSON value."""


class Worker:
    """A child process, started by the first request.

    Args:
        module: The module that the child runs.
        patience: The seconds after which a request counts as hung: of computing, or of waiting
            where the child does nothing.
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
        )
        self._finalizer = weakref.finalize(self, _end, self._child, os.getpid())
        return self._child

    def _exchange(self, child: subprocess.Popen[str], line: str) -> str:
        if child.stdin is None or child.stdout is None:
            raise OSError("no pipe to the child")
        child.stdin.write(line + "\n")
        child.stdin.flush()
        # One request, one line: the pipe is empty until the child answers, or ends.
        began, busy = time.monotonic(), _busy_seconds(child.pid)
        while not select.select([child.stdout], [], [], min(self._patience, LOOK_SECONDS))[0]:
            waited = time.monotonic() - began
            if waited >= self._patience and not _is_starved(child.pid, busy, self._patience):
                raise TimeoutError
            if waited >= STARVED_FACTOR * self._patience:
                raise TimeoutError
        return child.stdout.readline()


def _is_starved(pid: int, busy: float, patience: float) -> bool:
    """Say whether the process *pid* would go on if only it got a processor.

    Args:
        pid: Its number.
        busy: How many seconds it had computed when it was asked.
        patience: After how many more it counts as hung.
    """
    # R is running or ready to run, D waits for the disk; one that sleeps waits for nothing to come.
    return _state(pid)[0] in ("R", "D") and _busy_seconds(pid) - busy < patience


def _busy_seconds(pid: int) -> float:
    """Return how long the process *pid* has computed."""
    fields = _state(pid)
    ticks = sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _state(pid: int) -> list[str]:
    """Return what Linux tells of the process *pid*, from its state on; elsewhere that it sleeps."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["S"]
    return told.rpartition(")")[2].split()


def _end(child: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() != owner:
        return  # A fork of the owner has a copy of the worker; the child is not its own.
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    child.kill()
    child.wait()


def serve(answer: Answer) -> None:
    """Answer the requests of the parent until it closes the pipe; for the child's module.

    What is printed meanwhile, by C code too, goes nowhere: the pipe carries answers only. A
    request that fails is reported, and the child ends.
    """
    with _own_pipe() as pipe:
        for line in sys.stdin:
            try:
                said = {"answer": answer(json.loads(line))}
            except Exception as error:  # noqa: BLE001  (the boundary: the parent raises it)
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), file=pipe, flush=True)
            if "error" in said:
                return


@contextlib.contextmanager
def _own_pipe() -> Iterator[Any]:
    """Yield the pipe to the parent; the standard output leads nowhere from now on."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as pipe:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        yield pipe

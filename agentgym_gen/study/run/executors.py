"""Where jobs run: in this process, in processes of this machine, or on a Ray cluster.

All give the same results: a job reads and writes files of the results folder only, and its random
streams depend on its own name only.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Protocol

from agentgym_gen.errors import InvalidValueError, missing_extra, unknown_name
from agentgym_gen.system.python_process import forget_safe_path, safe_path
from agentgym_gen.system.signals import block_signals, ignore_interrupts

if TYPE_CHECKING:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection as Connection
    else:
        from multiprocessing.connection import Connection

__all__ = [
    "DIED",
    "EXECUTORS",
    "Executor",
    "InProcess",
    "JobFunction",
    "LocalProcesses",
    "RayTasks",
    "exit_with_parent",
    "make_executor",
]

JobFunction = Callable[[str], str | None]
"""Does the job of a name; returns None, or the traceback of its error."""

DIED = "the process ended without a word: it was killed, or the machine ran out of memory"
"""The error of a job whose process is gone."""


class Executor(Protocol):
    """Runs jobs, several at a time."""

    max_concurrent: int
    """How many jobs run at a time."""

    def submit(self, run_job: JobFunction, job: str) -> None:
        """Start *job*."""

    def wait(self) -> list[tuple[str, str | None]]:
        """Wait until a job ends; return every ended job with its traceback or None."""

    def close(self) -> None:
        """Release processes and connections."""


class InProcess:
    """Runs one job after the other, in this process."""

    max_concurrent = 1

    def __init__(self) -> None:
        self._ended: list[tuple[str, str | None]] = []

    def submit(self, run_job: JobFunction, job: str) -> None:
        """Do *job* now."""
        self._ended.append((job, run_job(job)))

    def wait(self) -> list[tuple[str, str | None]]:
        """Return the jobs that were done since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class LocalProcesses:
    """Runs jobs in processes of this machine.

    Args:
        max_concurrent: How many processes there are.
    """

    def __init__(self, max_concurrent: int) -> None:
        self.max_concurrent = max_concurrent
        self._running: dict[Future[str | None], str] = {}
        self._pool = self._new_pool()

    def submit(self, run_job: JobFunction, job: str) -> None:
        """Start *job*."""
        try:
            future = self._start(run_job, job)
        except BrokenProcessPool:
            self._pool = self._new_pool()
            future = self._start(run_job, job)
        self._running[future] = job

    def wait(self) -> list[tuple[str, str | None]]:
        """Wait until a job ends; the error of a job whose process died is `DIED`."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), _error_of(future)) for future in done]

    def close(self) -> None:
        """End the processes, even those that do a job."""
        if not self._running:
            self._pool.shutdown()
        self._parent_end.close()
        self._pool.shutdown(cancel_futures=True)

    def _start(self, run_job: JobFunction, job: str) -> Future[str | None]:
        # A new process that gets a signal before it handles signals would print a traceback.
        with block_signals(), safe_path():
            return self._pool.submit(run_job, job)

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, not forked: torch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        if sys.platform != "win32":  # where there is no such process
            with safe_path():
                resource_tracker.ensure_running()  # Python 3.11 hears signals while it starts one
        child_end, self._parent_end = context.Pipe(duplex=False)
        return ProcessPoolExecutor(
            self.max_concurrent, context, initializer=exit_with_parent, initargs=(child_end,)
        )


def exit_with_parent(pipe: Connection) -> None:
    """Make this process exit when the parent's end of *pipe* is closed.

    The parent closes it on purpose, or the system does when the parent dies. Otherwise the jobs of
    a killed study would go on and write into the folder of the next run.
    """
    forget_safe_path()
    ignore_interrupts()
    threading.Thread(target=_exit_when_closed, args=(pipe,), daemon=True).start()


def _exit_when_closed(pipe: Connection) -> None:
    # Nothing is ever sent: `recv_bytes` returns only by the error of a closed pipe.
    with suppress(EOFError, OSError):
        pipe.recv_bytes()
    os._exit(1)


def _error_of(future: Future[str | None]) -> str | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return DIED


class RayTasks:
    """Runs jobs as tasks of Ray; the results folder has to be on a disk that all nodes share.

    Args:
        max_concurrent: How many jobs run at a time.
        address: The cluster to join; empty starts Ray on this machine.
        gpus: How many GPUs a job requests.
        ray: The module; None imports it.

    Raises:
        MissingExtraError: if Ray is not installed.
    """

    def __init__(
        self,
        max_concurrent: int,
        address: str = "",
        gpus: float = 0.0,
        ray: Any = None,  # noqa: ANN401
    ) -> None:
        self.max_concurrent = max_concurrent
        self._ray = ray or _load_ray()
        self._gpus = gpus
        self._running: dict[Any, str] = {}
        if not self._ray.is_initialized():
            where = {"address": address} if address else {"num_cpus": max_concurrent}
            self._ray.init(include_dashboard=False, **where)

    def submit(self, run_job: JobFunction, job: str) -> None:
        """Start *job*."""
        task = self._ray.remote(num_cpus=1, num_gpus=self._gpus, max_retries=0)(_call)
        self._running[task.remote(run_job, job)] = job

    def wait(self) -> list[tuple[str, str | None]]:
        """Wait until a job ends; the error of a job whose process died begins with `DIED`.

        What a job itself raises, such as `DiskFullError`, is raised here, as with `LocalProcesses`.
        """
        done, _ = self._ray.wait(list(self._running), num_returns=1)
        return [(self._running.pop(reference), self._error_of(reference)) for reference in done]

    def close(self) -> None:
        """Disconnect from Ray."""
        self._ray.shutdown()

    def _error_of(self, reference: object) -> str | None:
        try:
            job_error: str | None = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except self._ray.exceptions.RayError as error:
            return f"{DIED} ({type(error).__name__})"
        return job_error


def _call(run_job: JobFunction, job: str) -> str | None:
    return run_job(job)


def _load_ray() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise missing_extra("ray", "ray", "`--executor ray`", error) from error


EXECUTORS = ("local", "ray")
"""The executors by name."""


def make_executor(name: str, workers: int, address: str = "", gpus: float = 0.0) -> Executor:
    """Return the executor called *name*.

    Raises:
        UnknownNameError: if no executor has that name.
        InvalidValueError: if *workers* is not positive.
    """
    if name not in EXECUTORS:
        raise unknown_name("executor", name, EXECUTORS)
    if workers < 1:
        raise InvalidValueError(f"`workers` is at least 1, not {workers!r}")
    if name == "ray":
        return RayTasks(workers, address, gpus)
    return InProcess() if workers == 1 else LocalProcesses(workers)

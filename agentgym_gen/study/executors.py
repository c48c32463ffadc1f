"""Where jobs run: in this process, in processes of this machine, or on a Ray cluster.

All give the same results, because a job reads and writes files of the results folder and draws
from streams that its own names decide.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Protocol

from agentgym_gen.errors import InvalidValueError, missing_extra, unknown_name
from agentgym_gen.system.signals import block_signals, ignore_interrupts

Work = Callable[[str], str | None]
"""Does the job of a name; returns None, or the traceback of what went wrong."""

DIED = "the process ended without a word: it was killed, or the machine ran out of memory"
"""The outcome of a job whose process is gone."""


class Executor(Protocol):
    """Runs jobs, several at a time."""

    slots: int
    """How many."""

    def submit(self, work: Work, job: str) -> None:
        """Start *job*."""

    def wait(self) -> list[tuple[str, str | None]]:
        """Return the jobs that have ended since, at least one, each with its traceback or None."""

    def close(self) -> None:
        """Give back what is held."""


class InProcess:
    """Runs one job after the other, here."""

    slots = 1

    def __init__(self) -> None:
        self._ended: list[tuple[str, str | None]] = []

    def submit(self, work: Work, job: str) -> None:
        """Do *job* now."""
        self._ended.append((job, work(job)))

    def wait(self) -> list[tuple[str, str | None]]:
        """Return what was done."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Do nothing: nothing is held."""


class LocalProcesses:
    """Runs jobs in processes of this machine.

    Args:
        slots: How many.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._running: dict[Future[str | None], str] = {}
        self._pool = self._new_pool()

    def submit(self, work: Work, job: str) -> None:
        """Start *job*."""
        # A process that is stopped before it can say how would print a traceback.
        with block_signals():
            try:
                future = self._pool.submit(work, job)
            except BrokenProcessPool:
                self._pool = self._new_pool()
                future = self._pool.submit(work, job)
        self._running[future] = job

    def wait(self) -> list[tuple[str, str | None]]:
        """Return the jobs that have ended since; those of a dead process with `DIED`."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), _outcome(future)) for future in done]

    def close(self) -> None:
        """End the processes, in the middle of what they do."""
        if not self._running:
            self._pool.shutdown()
        self._leash.close()
        self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, not forked: torch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        resource_tracker.ensure_running()  # Python 3.11 hears signals while it starts one
        end, self._leash = context.Pipe(duplex=False)
        return ProcessPoolExecutor(self.slots, context, initializer=live_by, initargs=(end,))


def live_by(leash: Connection) -> None:
    """Let this process end when the other end of *leash* is closed, by its owner or by its death.

    Without it the jobs of a killed study go on, and write beside those of the next run.
    """
    ignore_interrupts()
    threading.Thread(target=_leave_after, args=(leash,), daemon=True).start()


def _leave_after(leash: Connection) -> None:
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(1)


def _outcome(future: Future[str | None]) -> str | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return DIED


class RayTasks:
    """Runs jobs as tasks of Ray; the results folder has to be on a disk that all nodes share.

    Args:
        slots: How many jobs at a time.
        address: The cluster to join; empty starts Ray in this machine.
        gpus: How many GPUs a job asks for.
        ray: The module; None imports it.

    Raises:
        MissingExtraError: if Ray is not installed.
    """

    def __init__(self, slots: int, address: str = "", gpus: float = 0.0, ray: Any = None) -> None:  # noqa: ANN401
        self.slots = slots
        self._ray = ray or _load_ray()
        self._gpus = gpus
        self._running: dict[Any, str] = {}
        if not self._ray.is_initialized():
            where = {"address": address} if address else {"num_cpus": slots}
            self._ray.init(include_dashboard=False, **where)

    def submit(self, work: Work, job: str) -> None:
        """Start *job*."""
        task = self._ray.remote(num_cpus=1, num_gpus=self._gpus, max_retries=0)(_call)
        self._running[task.remote(work, job)] = job

    def wait(self) -> list[tuple[str, str | None]]:
        """Return the jobs that have ended since; those of a dead process with `DIED`."""
        done, _ = self._ray.wait(list(self._running), num_returns=1)
        return [(self._running.pop(reference), self._outcome(reference)) for reference in done]

    def close(self) -> None:
        """Leave Ray."""
        self._ray.shutdown()

    def _outcome(self, reference: object) -> str | None:
        try:
            outcome: str | None = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return f"{DIED} ({type(error).__name__})"
        return outcome


def _call(work: Work, job: str) -> str | None:
    return work(job)


def _load_ray() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise missing_extra("ray", "ray", "`--executor ray`") from error


EXECUTORS = ("local", "ray")
"""The executors by name."""


def make_executor(name: str, workers: int, address: str = "", gpus: float = 0.0) -> Executor:
    """Return the executor called *name*.

    Raises:
        UnknownNameError: if there is none.
        InvalidValueError: if *workers* is not positive.
    """
    if name not in EXECUTORS:
        raise unknown_name("executor", name, EXECUTORS, "all")
    if workers < 1:
        raise InvalidValueError(f"`workers` is at least 1, not {workers!r}")
    if name == "ray":
        return RayTasks(workers, address, gpus)
    return InProcess() if workers == 1 else LocalProcesses(workers)


def default_workers() -> int:
    """Return how many jobs can run side by side here: one a processor that this may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, usable or 1)

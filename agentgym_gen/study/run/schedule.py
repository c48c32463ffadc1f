"""Runs jobs in an order that their needs allow, and prints how far the study is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from agentgym_gen.describe.printable import printable_line
from agentgym_gen.study.run.executors import DIED, Executor, JobFunction
from agentgym_gen.study.run.jobs import Job, chain_lengths

Log = Callable[[str], None]
"""Called with each line of progress."""

WARNINGS = "agentgym_gen"
"""The logger of this package."""

MAX_ATTEMPTS = 2
"""How often a job is started whose process dies: another job may have used up the memory."""


@contextmanager
def warnings_to(log: Log) -> Iterator[None]:
    """Give the warnings of this package to *log*, which says whose they are, instead of printing.

    Jobs run side by side, and a trainer does not know the name of what it trains.
    """
    logger, handler = logging.getLogger(WARNINGS), _LogHandler(log)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


class _LogHandler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log(f"warning: {record.getMessage()}")


@dataclass
class RunSummary:
    """Which jobs of a study were done, failed, or could not be started."""

    done: list[str] = field(default_factory=list)
    """The jobs that were done in this run."""
    failed: dict[str, str] = field(default_factory=dict)
    """The jobs that failed, with the traceback."""
    blocked: list[str] = field(default_factory=list)
    """The jobs that were not started, because one that they need has failed."""


def run_jobs(
    jobs: Sequence[Job],
    finished: Collection[str],
    run_job: JobFunction,
    executor: Executor,
    log: Log,
) -> RunSummary:
    """Run *jobs* without those in *finished*, and return how they ended.

    Args:
        jobs: All jobs, each after those that it needs.
        finished: The names of those that an earlier run has done.
        run_job: Does the job of a name.
        executor: Where jobs run.
        log: Called with each line of progress.
    """
    return _Scheduler(jobs, finished, run_job, executor, Progress(jobs, finished, log)).run()


class _Scheduler:
    def __init__(
        self,
        jobs: Sequence[Job],
        finished: Collection[str],
        run_job: JobFunction,
        executor: Executor,
        progress: Progress,
    ) -> None:
        self._run_job, self._executor, self._progress = run_job, executor, progress
        self._finished = set(finished)
        lengths = chain_lengths(jobs)
        waiting = [job for job in jobs if job.name not in self._finished]
        # Python's sort is stable: jobs with equal chains stay in the order of the plan.
        self._waiting = sorted(waiting, key=lambda job: -lengths[job.name])
        self._running: dict[str, Job] = {}
        self._attempts: dict[str, int] = {}
        self._summary = RunSummary()

    def run(self) -> RunSummary:
        while self._start_jobs() or self._running:
            for name, error in self._executor.wait():
                self._end_job(self._running.pop(name), error)
        return self._summary

    def _start_jobs(self) -> bool:
        """Start every job that can be started, and return whether there was one."""
        self._drop_blocked()
        ready = [job for job in self._waiting if self._finished.issuperset(job.needs)]
        started = ready[: self._executor.max_concurrent - len(self._running)]
        for job in started:
            self._waiting.remove(job)
            self._running[job.name] = job
            self._progress.job_started(job)
            self._executor.submit(self._run_job, job.name)
        return bool(started)

    def _drop_blocked(self) -> None:
        lost = {*self._summary.failed, *self._summary.blocked}
        # A dropped job may block others, which stand anywhere in the list.
        while blocked := [job for job in self._waiting if lost.intersection(job.needs)]:
            names = [job.name for job in blocked]
            self._waiting = [job for job in self._waiting if job.name not in names]
            self._summary.blocked += names
            lost.update(names)

    def _end_job(self, job: Job, error: str | None) -> None:
        self._attempts[job.name] = self._attempts.get(job.name, 0) + 1
        if error is None:
            self._finished.add(job.name)
            self._summary.done.append(job.name)
        elif error.startswith(DIED) and self._attempts[job.name] < MAX_ATTEMPTS:
            self._waiting.insert(0, job)
        else:
            self._summary.failed[job.name] = error
        self._progress.job_ended(job, error)


class Progress:
    """Prints which job starts or fails, how much is done, and how long the rest will take.

    Args:
        jobs: All jobs of the study.
        finished: The names of those that an earlier run has done.
        log: Called with each line.
    """

    def __init__(self, jobs: Sequence[Job], finished: Collection[str], log: Log) -> None:
        self._log = log
        self._total = sum(job.weight for job in jobs)
        self._ended = sum(job.weight for job in jobs if job.name in finished)
        self._ended_now = 0.0
        self._start = time.monotonic()

    def job_started(self, job: Job) -> None:
        """Print that *job* starts."""
        if job.kind != "column":
            share = self._ended / self._total
            self._log(f"{progress_bar(share)} {job.name}{self._time_left()}")

    def job_ended(self, job: Job, error: str | None) -> None:
        """Count *job*, and print the sentence of its *error* if it failed."""
        self._ended += job.weight
        self._ended_now += job.weight
        if error is not None:
            self._log(f"{' ' * len(progress_bar(0))} {job.name} failed: {_sentence(error)}")

    def _time_left(self) -> str:
        if not self._ended_now:
            return ""
        seconds_per_weight = (time.monotonic() - self._start) / self._ended_now
        minutes = seconds_per_weight * (self._total - self._ended) / 60
        return f" (about {minutes:.0f} min left)" if minutes >= 1 else " (almost done)"


def _sentence(error: str) -> str:
    """Return the last exception of a traceback, or the first line of a text without one."""
    lines = error.strip().splitlines()
    is_traceback = any(line.startswith("Traceback ") for line in lines)
    return printable_line(lines[-1] if is_traceback else lines[0])


def progress_bar(share: float, width: int = 20) -> str:
    """Return a bar of which *share* is full.

    >>> progress_bar(0.5, 4)
    '[##..]  50 %'
    """
    full = int(share * width)
    return f"[{'#' * full}{'.' * (width - full)}] {share:4.0%}".replace("%", " %")

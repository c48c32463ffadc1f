"""Runs jobs in the order that what they need allows, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from agentgym_gen.study.executors import DIED, Executor, Work
from agentgym_gen.study.jobs import Job, urgency

Say = Callable[[str], None]

TRIES = 2
"""How often a job is begun whose process dies: the fault may be that of one beside it."""


@dataclass
class Outcome:
    """What became of the jobs of a study."""

    done: list[str] = field(default_factory=list)
    """The jobs that were done now."""
    failed: dict[str, str] = field(default_factory=dict)
    """The jobs that failed, with the traceback."""
    blocked: list[str] = field(default_factory=list)
    """The jobs that were not begun, because one that they need has failed."""


def run_jobs(
    jobs: Sequence[Job], finished: Collection[str], work: Work, executor: Executor, say: Say
) -> Outcome:
    """Run *jobs* but those in *finished*, and return what became of them.

    Args:
        jobs: All jobs, each after those that it needs.
        finished: The names of those that an earlier run has done.
        work: Does a job.
        executor: Where.
        say: Called with each line of progress.
    """
    return _Schedule(jobs, finished, work, executor, Progress(jobs, finished, say)).run()


class _Schedule:
    def __init__(
        self,
        jobs: Sequence[Job],
        finished: Collection[str],
        work: Work,
        executor: Executor,
        progress: Progress,
    ) -> None:
        self._work, self._executor, self._progress = work, executor, progress
        self._over = set(finished)
        chain = urgency(jobs)
        waiting = [job for job in jobs if job.name not in self._over]
        # Python's sort keeps the order of equals: the order of the plan.
        self._waiting = sorted(waiting, key=lambda job: -chain[job.name])
        self._running: dict[str, Job] = {}
        self._tries: dict[str, int] = {}
        self._outcome = Outcome()

    def run(self) -> Outcome:
        while self._start() or self._running:
            for name, trouble in self._executor.wait():
                self._end(self._running.pop(name), trouble)
        return self._outcome

    def _start(self) -> bool:
        """Start what can be started, and return whether anything was."""
        self._drop_blocked()
        ready = [job for job in self._waiting if self._over.issuperset(job.needs)]
        begun = ready[: self._executor.slots - len(self._running)]
        for job in begun:
            self._waiting.remove(job)
            self._running[job.name] = job
            self._progress.begun(job)
            self._executor.submit(self._work, job.name)
        return bool(begun)

    def _drop_blocked(self) -> None:
        lost = {*self._outcome.failed, *self._outcome.blocked}
        for job in [job for job in self._waiting if lost.intersection(job.needs)]:
            self._waiting.remove(job)
            self._outcome.blocked.append(job.name)
            self._drop_blocked()
            return

    def _end(self, job: Job, trouble: str | None) -> None:
        self._tries[job.name] = self._tries.get(job.name, 0) + 1
        if trouble is None:
            self._over.add(job.name)
            self._outcome.done.append(job.name)
        elif trouble.startswith(DIED) and self._tries[job.name] < TRIES:
            self._waiting.insert(0, job)
        else:
            self._outcome.failed[job.name] = trouble
        self._progress.ended(job, trouble)


class Progress:
    """Says which job has begun or failed, how much is done and how long the rest will take."""

    def __init__(self, jobs: Sequence[Job], finished: Collection[str], say: Say) -> None:
        self._say = say
        self._total = sum(job.weight for job in jobs)
        self._over = sum(job.weight for job in jobs if job.name in finished)
        self._fresh = 0.0
        self._start = time.monotonic()

    def begun(self, job: Job) -> None:
        """Say that *job* begins."""
        if job.kind != "column":
            share = self._over / self._total
            self._say(f"{bar(share)} {job.name}{self._left()}")

    def ended(self, job: Job, trouble: str | None) -> None:
        """Count *job*, and say why it failed if it did."""
        self._over += job.weight
        self._fresh += job.weight
        if trouble is not None:
            last = trouble.strip().splitlines()[-1]
            self._say(f"{' ' * len(bar(0))} {job.name} failed: {last}")

    def _left(self) -> str:
        if not self._fresh:
            return ""
        pace = (time.monotonic() - self._start) / self._fresh
        minutes = pace * (self._total - self._over) / 60
        return f" (about {minutes:.0f} min left)" if minutes >= 1 else " (almost done)"


def bar(share: float, width: int = 20) -> str:
    """Return a bar that shows *share*.

    >>> bar(0.5, 4)
    '[##..]  50 %'
    """
    full = int(share * width)
    return f"[{'#' * full}{'.' * (width - full)}] {share:4.0%}".replace("%", " %")

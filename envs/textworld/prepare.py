"""Making games ahead: ``agentgym-gen data textworld --prepare N``."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.store import Store, new_workshop
from agentgym_gen.envs.textworld.tasks import GeneratedTasks
from agentgym_gen.envs.textworld.world import TextWorld
from agentgym_gen.errors import BackendError, DiskFullError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.prepare import Log, PrepareRequest
from agentgym_gen.system.processors import usable_processors
from agentgym_gen.world import Task


def prepare(say: Log, order: PrepareRequest) -> Path:
    """Make the games that *order* asks for, with a progress bar, and return the cache folder.

    Raises:
        MissingExtraError: if textworld is not installed.
        UnknownNameError: if there is no such tier or split.
        DataError: if the cache cannot be written.
        BackendError: if the original makes no game of a task, after the others are made.
    """
    TextWorld().close()
    store = Store()
    store.sweep()
    if order.tasks_per_split is not None:
        tasks = _wanted(order)
        say(f"{len(tasks)} games, {order.tasks_per_split} of each tier and split that is asked for")
        made = make_all(store, tasks, order.workers or usable_processors(), bar=True)
        say(f"{made} made, {len(tasks) - made} were there")
    games, size = store.usage()
    say(f"{games} games with {size / 10**6:,.0f} MB in {store.folder}")
    return store.folder


def make_all(
    store: Store, tasks: Sequence[Task[Any]], workers: int = 2, *, bar: bool = False
) -> int:
    """Make the games of *tasks* in so many processes; return how many were not kept before.

    Raises:
        DataError: if the cache cannot be written.
        BackendError: if the original makes no game of a task, after the others are made.
    """
    hired = [new_workshop() for _ in range(max(1, min(workers, len(tasks))))]
    free = queue.SimpleQueue[ChildProcess]()
    for workshop in hired:
        free.put(workshop)
    faults: list[str] = []

    def make(task: Task[Any]) -> bool:
        workshop = free.get()
        try:
            return store.make(task.content, workshop)
        except DiskFullError:
            raise
        except BackendError as error:
            faults.append(f"{task.id}: {error}")
            return False
        finally:
            free.put(workshop)

    with _pool(hired) as threads, _bar(len(tasks), bar) as progress:
        made = 0
        for was_made in threads.map(make, tasks):
            made += was_made
            progress.update()
    if faults:
        raise BackendError(f"{len(faults)} games could not be made: {'; '.join(faults)}")
    return made


@contextlib.contextmanager
def _pool(hired: Sequence[ChildProcess]) -> Iterator[ThreadPoolExecutor]:
    """Yield a thread for each workshop; when something goes wrong, nobody finishes anything."""
    threads = ThreadPoolExecutor(len(hired))
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        for workshop in hired:
            workshop.kill()
        raise
    finally:
        threads.shutdown()
        for workshop in hired:
            workshop.close()


def _bar(total: int, shown: bool) -> Any:  # noqa: ANN401  (a bar of tqdm)
    from tqdm import tqdm

    return tqdm(
        total=total, unit="game", disable=None if shown else True
    )  # None: on a terminal only


def _wanted(order: PrepareRequest) -> list[Task[Any]]:
    tasks = GeneratedTasks(first=order.tasks_per_split)
    tiers = tasks.tiers if order.tier is None else (order.tier,)
    splits = tasks.splits if order.split is None else (order.split,)
    places = [(tier, split) for tier in tiers for split in splits]
    return [
        tasks.make(tier, split, index)
        for index in range(order.tasks_per_split or 0)
        for tier, split in places
        if index < tasks.size(tier, split)
    ]

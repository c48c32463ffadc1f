"""Building games ahead of time: ``agentgym-gen data textworld --prepare N``."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.games.cache import GameCache, new_builder
from agentgym_gen.envs.textworld.tasks import GeneratedTasks
from agentgym_gen.envs.textworld.world import TextWorld
from agentgym_gen.errors import BackendError, DiskFullError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.prepare import Log, PrepareRequest
from agentgym_gen.system.processors import usable_processors
from agentgym_gen.world import Task


def prepare(say: Log, order: PrepareRequest) -> Path:
    """Build the games of *order*, with a progress bar, and return the cache folder.

    Raises:
        MissingExtraError: if textworld is not installed.
        UnknownNameError: if there is no such tier or split.
        DataError: if the cache cannot be written.
        BackendError: if the original makes no game of a task, after the others are built.
    """
    TextWorld().close()
    cache = GameCache()
    cache.remove_leftovers()
    if order.task_ids:
        everything = GeneratedTasks()
        tasks = [everything.find(task_id) for task_id in order.task_ids]
        built = build_all(cache, tasks, order.workers or usable_processors(), bar=True)
        say(f"{built} games made, {len(tasks) - built} were there")
        return cache.folder
    if order.tasks_per_split is not None:
        tasks = _select_tasks(order)
        say(f"{len(tasks)} games, {order.tasks_per_split} of each tier and split that is asked for")
        built = build_all(cache, tasks, order.workers or usable_processors(), bar=True)
        say(f"{built} made, {len(tasks) - built} were there")
    games, size = cache.usage()
    say(f"{games} games with {size / 10**6:,.0f} MB in {cache.folder}")
    return cache.folder


def build_all(
    cache: GameCache, tasks: Sequence[Task[Any]], workers: int = 2, *, bar: bool = False
) -> int:
    """Build the games of *tasks* in so many processes; return how many were not in the cache.

    Raises:
        DataError: if the cache cannot be written.
        BackendError: if the original makes no game of a task, after the others are built.
    """
    builders = [new_builder() for _ in range(max(1, min(workers, len(tasks))))]
    free = queue.SimpleQueue[ChildProcess]()
    for builder in builders:
        free.put(builder)
    faults: list[str] = []

    def build(task: Task[Any]) -> bool:
        builder = free.get()
        try:
            return cache.build(task.content, builder)
        except DiskFullError:
            raise
        except BackendError as error:
            faults.append(f"{task.id}: {error}")
            return False
        finally:
            free.put(builder)

    with _thread_pool(builders) as threads, _bar(len(tasks), bar) as progress:
        number = 0
        for is_new in threads.map(build, tasks):
            number += is_new
            progress.update()
    if faults:
        raise BackendError(f"{len(faults)} games could not be made: {'; '.join(faults)}")
    return number


@contextlib.contextmanager
def _thread_pool(builders: Sequence[ChildProcess]) -> Iterator[ThreadPoolExecutor]:
    """Yield a thread for each builder; an error ends the builders in the middle of their work."""
    threads = ThreadPoolExecutor(len(builders))
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        for builder in builders:
            builder.kill()
        raise
    finally:
        threads.shutdown()
        for builder in builders:
            builder.close()


def _bar(total: int, visible: bool) -> Any:  # noqa: ANN401  (a bar of tqdm)
    from tqdm import tqdm

    # To tqdm, None means: on a terminal only.
    return tqdm(total=total, unit="game", disable=None if visible else True)


def _select_tasks(order: PrepareRequest) -> list[Task[Any]]:
    """Return the first tasks of each tier and split, in turn."""
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

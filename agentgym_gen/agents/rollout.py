"""Rollouts: many episodes at once, played by a batched policy or by a concurrent one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from agentgym_gen.agents.concurrent import play_concurrently
from agentgym_gen.agents.episode import Episode, EpisodeQueue, LiveEpisode, Playing
from agentgym_gen.agents.policy import ConcurrentPolicy, Policy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError

__all__ = ["Episode", "group_by_task", "run", "run_async"]

MAX_FAILURES = 10
"""How many answers of a `ConcurrentPolicy` may fail in a row, unless `run` is told otherwise."""


def run(  # noqa: PLR0913  (keywords)
    episodes: Sequence[Episode],
    policy: Policy | ConcurrentPolicy,
    *,
    style: PromptStyle | None = None,
    max_concurrent: int = 64,
    seed: int = 0,
    on_end: Callable[[Trajectory], None] | None = None,
    max_failures: int = MAX_FAILURES,
) -> list[Trajectory]:
    """Play *episodes* and return their trajectories in the same order.

    A `Policy` is asked for the actions of all live episodes together. A `ConcurrentPolicy` is
    asked by each episode on its own, in a thread, so that none waits for another's answer; an
    answer that fails ends its episode, and the others go on. The trajectories do not depend on the
    order of the answers. As soon as an episode ends, the next one starts.

    Args:
        episodes: What to play.
        policy: Who acts.
        style: How episodes become prompts.
        max_concurrent: How many episodes are played at once.
        seed: The root of the streams that policies sample with.
        on_end: Called with each trajectory as it ends, in the thread of the caller.
        max_failures: How many answers of a concurrent policy may fail in a row.

    Raises:
        InvalidValueError: if one of the numbers is less than 1.
        PolicyError: if a concurrent policy cannot go on, or too many of its answers failed in a
            row. *on_end* has had the episodes that ended before.
    """
    with closing(EpisodeQueue(episodes, style, seed)) as queue:
        playing = _play(queue, policy, max_concurrent, max_failures, threading.Event())
        return _collect(playing, on_end)


async def run_async(  # noqa: PLR0913  (keywords)
    episodes: Sequence[Episode],
    policy: Policy | ConcurrentPolicy,
    *,
    style: PromptStyle | None = None,
    max_concurrent: int = 64,
    seed: int = 0,
    on_end: Callable[[Trajectory], None] | None = None,
    max_failures: int = MAX_FAILURES,
) -> list[Trajectory]:
    """Do what `run` does, in threads, while the event loop goes on.

    *on_end* is called in the event loop. When the task is cancelled, no further turn begins.
    """
    import asyncio

    loop, stop = asyncio.get_running_loop(), threading.Event()

    async def call(ended: Callable[[Trajectory], None], trajectory: Trajectory) -> None:
        ended(trajectory)

    def notify(trajectory: Trajectory) -> None:
        if on_end is not None and not stop.is_set():
            # its error, such as that of a full disk, ends the run
            asyncio.run_coroutine_threadsafe(call(on_end, trajectory), loop).result()

    queue = EpisodeQueue(episodes, style, seed)
    playing = _play(queue, policy, max_concurrent, max_failures, stop)

    def collect() -> list[Trajectory]:
        with closing(queue):  # in the thread: when the task is cancelled, a turn may be under way
            return _collect(playing, notify)

    try:
        return await asyncio.to_thread(collect)
    finally:
        stop.set()


def group_by_task(trajectories: Sequence[Trajectory]) -> Iterator[list[Trajectory]]:
    """Yield the trajectories of each task, environment and interface, in order of appearance."""
    by_task: dict[tuple[str, str, str], list[Trajectory]] = {}
    for trajectory in trajectories:
        key = trajectory.env_id, trajectory.task_id, trajectory.interface
        by_task.setdefault(key, []).append(trajectory)
    yield from by_task.values()


def _play(
    queue: EpisodeQueue,
    policy: Policy | ConcurrentPolicy,
    max_concurrent: int,
    max_failures: int,
    stop: threading.Event,
) -> Playing:
    for name, value in (("max_concurrent", max_concurrent), ("max_failures", max_failures)):
        if value < 1:
            raise InvalidValueError(f"`{name}` is at least 1, not {value!r}")
    if isinstance(policy, ConcurrentPolicy):
        return play_concurrently(
            queue, policy, workers=max_concurrent, max_failures=max_failures, stop=stop
        )
    return _play_batched(queue, policy, max_concurrent, stop)


def _play_batched(
    queue: EpisodeQueue, policy: Policy, max_concurrent: int, stop: threading.Event
) -> Playing:
    live: list[LiveEpisode] = []
    try:
        while not stop.is_set():
            while len(live) < max_concurrent and (started := queue.start_next()) is not None:
                live.append(started)
            if not live:
                return
            asking = [player for player in live if not player.session.done]
            answers = policy.act([player.request() for player in asking]) if asking else ()
            for player, completion in zip(asking, answers, strict=True):
                player.play(completion)
            for player in [player for player in live if player.session.done]:
                live.remove(player)
                yield player.number, queue.finish(player)
    finally:
        for player in live:
            queue.release(player)


def _collect(playing: Playing, on_end: Callable[[Trajectory], None] | None) -> list[Trajectory]:
    """Return the trajectories in the order of their episodes."""
    ended: dict[int, Trajectory] = {}
    with closing(playing):
        for number, trajectory in playing:
            ended[number] = trajectory
            if on_end is not None:
                on_end(trajectory)
    return [ended[number] for number in sorted(ended)]

"""Concurrent play: each episode asks the policy on its own, in a thread, and waits for no other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from agentgym_gen.agents.episode import EpisodeQueue, LiveEpisode, Playing
from agentgym_gen.agents.policy import ConcurrentPolicy
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import BackendError, ContextLimitError, PolicyError
from agentgym_gen.world import EndReason

POLL = 0.1
"""How often, in seconds, a run looks whether it is stopped while it waits for an episode."""


def play_concurrently(
    episodes: EpisodeQueue,
    policy: ConcurrentPolicy,
    *,
    workers: int,
    max_failures: int,
    stop: threading.Event,
) -> Playing:
    """Yield the number and the trajectory of each episode as it ends.

    When the iterator is closed, or *stop* is set, answers that are under way are not waited for:
    each thread ends after its own.

    Args:
        episodes: What to play.
        policy: Who acts.
        workers: How many threads play.
        max_failures: How many answers in a row may fail.
        stop: Ends the play when it is set; it is set when the play ends.

    Raises:
        PolicyError: if the policy cannot go on, or too many answers in a row have failed.
    """
    player = _Player(episodes, policy, max_failures, stop)
    for _ in range(min(workers, len(episodes))):
        # daemon: an answer that hangs must not keep the program from ending
        threading.Thread(target=player.work, daemon=True).start()
    try:
        for _ in range(len(episodes)):
            ended = player.next_result()
            if ended is None:
                return
            yield ended
    finally:
        stop.set()


_Result = tuple[int, Trajectory] | BaseException
"""The number and the trajectory of an episode, or what a thread has raised."""


class _Player:
    """What the threads of one run share."""

    def __init__(
        self,
        episodes: EpisodeQueue,
        policy: ConcurrentPolicy,
        max_failures: int,
        stop: threading.Event,
    ) -> None:
        self._episodes, self._policy, self._stop = episodes, policy, stop
        self._results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        self._failures = _FailureCount(max_failures)
        self._forget: Callable[[int], None] | None = getattr(policy, "forget", None)

    def next_result(self) -> tuple[int, Trajectory] | None:
        """Return the next episode that ends, or None if the run is stopped before."""
        while not self._stop.is_set():
            try:
                result = self._results.get(timeout=POLL)
            except queue.Empty:
                continue
            if isinstance(result, BaseException):
                raise result
            return result
        return None

    def work(self) -> None:
        """Play one episode after the other, until none is left or the run is stopped."""
        try:
            while not self._stop.is_set() and (live := self._episodes.start_next()) is not None:
                self._play(live)
        except BaseException as error:  # noqa: BLE001  (raised again by `next_result`)
            self._results.put(error)

    def _play(self, live: LiveEpisode) -> None:
        try:
            while not (self._stop.is_set() or live.session.done):
                self._take_turn(live)
        except BaseException:
            self._episodes.release(live)
            raise
        if self._stop.is_set():
            self._episodes.release(live)
            return
        if self._forget is not None:
            self._forget(live.number)
        self._results.put((live.number, self._episodes.finish(live)))

    def _take_turn(self, live: LiveEpisode) -> None:
        try:
            completion = self._policy.answer(live.request())
        except ContextLimitError as error:
            self._failures.reset()  # the server is alive
            live.session.end(EndReason.CONTEXT_LIMIT, str(error))
        except BackendError as error:
            live.session.end(EndReason.POLICY_ERROR, str(error))
            self._failures.count(error)
        else:
            self._failures.reset()
            if not self._stop.is_set():
                live.play(completion)


class _FailureCount:
    """How many answers in a row have failed, over all threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._number = limit, 0
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Note that the policy has reacted."""
        with self._lock:
            self._number = 0

    def count(self, error: BackendError) -> None:
        """Note a failure.

        Raises:
            PolicyError: if there are too many in a row.
        """
        with self._lock:
            self._number += 1
            number = self._number
        if number >= self._limit:
            raise PolicyError(
                f"{number} answers in a row failed, and the run stops; the last: {error}"
            ) from error

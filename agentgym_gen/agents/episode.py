"""Episodes to be played, and those that are being played."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from agentgym_gen.agents.policy import Completion, Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.session import Session
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import BackendError
from agentgym_gen.seeding import stream
from agentgym_gen.world import EndReason, TaskId

__all__ = ["Episode", "EpisodeQueue", "LiveEpisode", "Playing"]


@dataclass(frozen=True)
class Episode:
    """An episode to be played."""

    env_id: str
    """The environment's registered id."""
    task_id: str
    """The task, of any split."""
    sample: int = 0
    """Which of several episodes of one task it is; each has a stream of its own."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment, such as ``interface``."""
    interface_index: int = 0
    """Which interface of a `Randomized` is played; all episodes of a group have the same."""


Playing = Generator[tuple[int, Trajectory], None, None]
"""The number and the trajectory of each episode, as it ends."""


class LiveEpisode:
    """An episode that is being played, and the policy's stream for it."""

    def __init__(
        self, number: int, episode: Episode, env: TextEnv, style: PromptStyle | None, seed: int
    ) -> None:
        self.number, self.episode = number, episode
        key = (episode.env_id, episode.task_id, episode.sample, "policy")
        self._rng = stream(*key, entropy=seed)
        self.session = Session(
            episode.env_id,
            episode.task_id,
            interface_index=episode.interface_index,
            style=style,
            env=env,
        )
        self._turn = 0
        try:
            self.session.start()
        except BackendError as error:
            # One episode of many: the others can be played.
            self.session.end(EndReason.BACKEND_ERROR, str(error))

    def request(self) -> Request:
        """Return the request for the next action."""
        session = self.session
        return Request(
            self.number,
            self._turn,
            session.messages,
            session.style,
            session.env,
            self._rng,
            session.tools,
        )

    def play(self, completion: Completion) -> None:
        """Take a turn with the action in *completion*, or end where there is no room for one."""
        if completion.context_limit:
            self.session.end(EndReason.CONTEXT_LIMIT, "The prompt leaves no room for an answer")
            return
        self.session.reply(completion)
        self._turn += 1


class EpisodeQueue:
    """Episodes that wait to be played, in their order; several threads may take them.

    Args:
        episodes: What to play.
        style: How episodes become prompts.
        seed: The root of the streams that policies sample with.
    """

    def __init__(self, episodes: Sequence[Episode], style: PromptStyle | None, seed: int) -> None:
        self._number = len(episodes)
        self._waiting = deque(enumerate(episodes))
        self._style, self._seed = style, seed
        self._pool = _EnvPool()

    def __len__(self) -> int:
        """Return how many episodes there are, those that are over included."""
        return self._number

    def start_next(self) -> LiveEpisode | None:
        """Start the next episode and return it, or None if all have been started.

        One that the software behind its world cannot make is over at once.
        """
        try:
            number, episode = self._waiting.popleft()
        except IndexError:
            return None
        return LiveEpisode(number, episode, self._pool.take(episode), self._style, self._seed)

    def finish(self, live: LiveEpisode) -> Trajectory:
        """Return the trajectory of *live*, which is over, and keep its environment for others."""
        trajectory = live.session.trajectory(live.episode.sample)
        self.release(live)
        return trajectory

    def release(self, live: LiveEpisode) -> None:
        """Keep the environment of *live*, which is not played on, for others."""
        self._pool.give_back(live.episode, live.session.env)

    def close(self) -> None:
        """Close the environments that no episode is played in, and others when theirs ends."""
        self._pool.close()


class _EnvPool:
    """Environments that are used again by later episodes of the same kind."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, str, str], list[TextEnv]] = {}
        self._closed = False

    def take(self, episode: Episode) -> TextEnv:
        """Return an environment for *episode*."""
        free = self._free.setdefault(self._key(episode), [])
        try:
            # Not `if free`: another thread may take the last one in between.
            return free.pop()
        except IndexError:
            split = TaskId.parse(episode.task_id).split
            return make_text_env(episode.env_id, split, episode.options)

    def give_back(self, episode: Episode, env: TextEnv) -> None:
        """Keep *env* for another episode of the kind of *episode*."""
        self._free[self._key(episode)].append(env)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close every free environment, now and when another becomes free."""
        self._closed = True
        for free in list(self._free.values()):
            while free:
                # Another thread may take the last one in between.
                with suppress(IndexError):
                    free.pop().close()

    @staticmethod
    def _key(episode: Episode) -> tuple[str, str, str]:
        split = TaskId.parse(episode.task_id).split
        return episode.env_id, split, repr(sorted(episode.options.items()))

"""Rollouts: many episodes at once; the policy is asked for the actions of all of them together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.session import Session
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.world import TaskId

__all__ = ["Episode", "group_by_task", "run"]


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


def run(
    episodes: Sequence[Episode],
    policy: Policy,
    *,
    style: PromptStyle | None = None,
    max_concurrent: int = 64,
    seed: int = 0,
    on_end: Callable[[Trajectory], None] | None = None,
) -> list[Trajectory]:
    """Play *episodes* and return their trajectories in the same order.

    As soon as an episode ends, the next one starts.

    Args:
        episodes: What to play.
        policy: Who acts.
        style: How episodes become prompts.
        max_concurrent: How many episodes are played at once.
        seed: The root of the streams that policies sample with.
        on_end: Called with each trajectory as it ends.
    """
    if max_concurrent < 1:
        raise InvalidValueError(f"`max_concurrent` is at least 1, not {max_concurrent!r}")
    waiting = deque(enumerate(episodes))
    finished: dict[int, Trajectory] = {}
    live: list[_LiveEpisode] = []
    pool = _EnvPool()
    while waiting or live:
        while waiting and len(live) < max_concurrent:
            number, episode = waiting.popleft()
            live.append(_LiveEpisode(number, episode, pool.take(episode), style, seed))
        answers = policy.act([player.request() for player in live])
        for player, completion in zip(live, answers, strict=True):
            player.play(completion)
        for player in (player for player in live if player.session.done):
            trajectory = player.session.trajectory(player.episode.sample)
            finished[player.number] = trajectory
            pool.give_back(player.episode, player.session.env)
            if on_end is not None:
                on_end(trajectory)
        live = [player for player in live if not player.session.done]
    return [finished[number] for number in range(len(episodes))]


class _LiveEpisode:
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
        self.session.start()
        self._turn = 0

    def request(self) -> Request:
        """Return the request for the next action."""
        session = self.session
        return Request(
            self.number, self._turn, session.messages, session.style, session.env, self._rng
        )

    def play(self, completion: Completion) -> None:
        """Take a turn with the action in *completion*."""
        self.session.reply(completion)
        self._turn += 1


class _EnvPool:
    """Environments that are used again by later episodes of the same kind."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, str, str], list[TextEnv]] = {}

    def take(self, episode: Episode) -> TextEnv:
        """Return an environment for *episode*."""
        free = self._free.setdefault(self._key(episode), [])
        split = TaskId.parse(episode.task_id).split
        return free.pop() if free else make_text_env(episode.env_id, split, episode.options)

    def give_back(self, episode: Episode, env: TextEnv) -> None:
        """Keep *env* for another episode of the kind of *episode*."""
        self._free[self._key(episode)].append(env)

    @staticmethod
    def _key(episode: Episode) -> tuple[str, str, str]:
        split = TaskId.parse(episode.task_id).split
        return episode.env_id, split, repr(sorted(episode.options.items()))


def group_by_task(trajectories: Sequence[Trajectory]) -> Iterator[list[Trajectory]]:
    """Yield the trajectories of each task, environment and interface, in order of appearance."""
    by_task: dict[tuple[str, str, str], list[Trajectory]] = {}
    for trajectory in trajectories:
        key = trajectory.env_id, trajectory.task_id, trajectory.interface
        by_task.setdefault(key, []).append(trajectory)
    yield from by_task.values()

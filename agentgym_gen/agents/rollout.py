"""Rollouts: many episodes at once; the policy is asked for the actions of all of them together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.agents.prompt import PastTurn, PromptStyle, build, read_action
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.env import TextEnv
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.world import TaskId


@dataclass(frozen=True)
class Episode:
    """An episode to be played."""

    env_id: str
    """The environment's registered id."""
    task_id: str
    """The task, of any split."""
    sample: int = 0
    """Which of several episodes of one task it is; each draws from its own stream."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the environment, such as ``interface``."""
    interface_index: int = 0
    """Which interface of a `Randomized` is played; all samples of a group have the same."""


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

    An episode that ends makes room for the next one at once.

    Args:
        episodes: What to play.
        policy: Who acts.
        style: How episodes become prompts.
        max_concurrent: How many episodes are live at once.
        seed: The root of the streams from which policies draw.
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
            env_style = (style or PromptStyle()).for_env(episode.env_id)
            live.append(_LiveEpisode(number, episode, pool.take(episode), env_style, seed))
        answers = policy.act([player.request() for player in live])
        for player, completion in zip(live, answers, strict=True):
            player.play(completion)
        for player in live:
            if player.trajectory is not None:
                finished[player.number] = player.trajectory
                pool.give_back(player.episode, player.env)
                if on_end is not None:
                    on_end(player.trajectory)
        live = [player for player in live if player.trajectory is None]
    return [finished[number] for number in range(len(episodes))]


class _LiveEpisode:
    """An episode that is being played."""

    def __init__(
        self, number: int, episode: Episode, env: TextEnv, style: PromptStyle, seed: int
    ) -> None:
        self.number, self.episode, self.env = number, episode, env
        self.trajectory: Trajectory | None = None
        self._style = style
        self._rng = stream(episode.env_id, episode.task_id, episode.sample, "policy", entropy=seed)
        options = {"task_id": episode.task_id, "interface_index": episode.interface_index}
        self._observation, _ = env.reset(options=options)
        self._instruction = env.instruction if style.instruction else ""
        self._past: list[PastTurn] = []
        self._turns: list[Turn] = []

    def request(self) -> Request:
        """Return what the policy is asked now."""
        messages = build(self._style, self._instruction, self._past, self._observation)
        turn = len(self._turns)
        return Request(self.number, turn, messages, self._style, self.env, self._rng)

    def play(self, completion: Completion) -> None:
        """Take the turn that *completion* means."""
        action = read_action(self._style, completion.text)
        observation = self._observation
        self._observation, reward, terminated, truncated, info = self.env.step(action)
        self._turns.append(
            Turn(observation, completion, action, float(reward), info["valid_action"])
        )
        self._past.append(PastTurn(observation, completion.text))
        if terminated or truncated:
            self.trajectory = self._finish(info)

    def _finish(self, info: Mapping[str, Any]) -> Trajectory:
        return Trajectory(
            env_id=self.episode.env_id,
            task_id=self.episode.task_id,
            interface=str(self.env.interface),
            sample=self.episode.sample,
            turns=tuple(self._turns),
            last_observation=self._observation,
            success=info["success"],
            score=info["score"],
            end_reason=cast("str", info["end_reason"]),
        )


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

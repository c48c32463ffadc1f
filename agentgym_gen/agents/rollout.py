"""Rollouts: many episodes played at once, whose policy is asked for all live ones together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import gymnasium
import numpy as np

from agentgym_gen.agents.policy import Completion, Policy, Request
from agentgym_gen.agents.prompt import Exchange, PromptStyle, build, read_action
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.env import TextEnv
from agentgym_gen.env.registration import check_env_id, split_env_id
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.world.task import TaskId


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
    draw: int = 0
    """Which interface of a `Randomized` one; all samples of a group have the same."""


def make_text_env(env_id: str, split: str, options: Mapping[str, Any] | None = None) -> TextEnv:
    """Return the unwrapped environment *env_id* on *split*.

    Args:
        env_id: A registered id; keyword arguments may follow it, as in
            ``rftgen/TextCraft-v0?tasks=lists/easy.txt&interface=menu``.
        split: The split.
        options: More keyword arguments, such as ``interface``.

    Raises:
        UnknownNameError: if the id is not registered.
        InvalidValueError: if the id is not one of a text environment.
    """
    plain, asked = split_env_id(check_env_id(env_id))
    kwargs: dict[str, Any] = {**asked, **(options or {})}
    made = gymnasium.make(plain, disable_env_checker=True, split=split, **kwargs)
    return cast("TextEnv", made.unwrapped)


def draw_task_ids(
    env_id: str,
    split: str,
    number: int,
    rng: np.random.Generator,
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the ids of *number* tasks of *env_id*, all different while there are enough.

    Every tier has the same share; which tiers have the tasks that are left over is drawn. An
    environment with a list of tasks plays those of the list.

    Args:
        env_id: The environment's registered id.
        split: The split.
        number: How many tasks.
        rng: The stream that draws them.
        options: Keyword arguments of the environment, such as ``levels_dir``.
    """
    env = make_text_env(env_id, split, options)
    if env.task_list is not None:
        size = len(env.task_list)
        return [env.task_list[n] for n in rng.choice(size, size=number, replace=number > size)]
    tasks, ids = env.world.tasks, list[str]()
    for tier, share in zip(env.tiers, _shares(number, len(env.tiers), rng), strict=True):
        size = tasks.size(tier, split)
        drawn = rng.choice(size, size=share, replace=share > size)
        ids += [str(tasks.task_id(tier, split, int(index))) for index in drawn]
    return ids


def _shares(number: int, tiers: int, rng: np.random.Generator) -> list[int]:
    first = int(rng.integers(tiers)) if tiers > 1 else 0
    return [number // tiers + ((n - first) % tiers < number % tiers) for n in range(tiers)]


def run(
    episodes: Sequence[Episode],
    policy: Policy,
    *,
    style: PromptStyle | None = None,
    slots: int = 64,
    seed: int = 0,
    on_end: Callable[[Trajectory], None] | None = None,
) -> list[Trajectory]:
    """Play *episodes* and return their trajectories in the same order.

    A slot is refilled as soon as its episode ends.

    Args:
        episodes: What to play.
        policy: Who acts.
        style: How episodes are put to the policy.
        slots: How many episodes are live at once.
        seed: The root of the streams from which policies draw.
        on_end: Called with each trajectory as it ends.
    """
    if slots < 1:
        raise InvalidValueError(f"`slots` is at least 1, not {slots!r}")
    waiting = deque(enumerate(episodes))
    done: dict[int, Trajectory] = {}
    live: list[_Live] = []
    pool = _Pool()
    while waiting or live:
        while waiting and len(live) < slots:
            number, episode = waiting.popleft()
            put = (style or PromptStyle()).for_env(episode.env_id)
            live.append(_Live(number, episode, pool.take(episode), put, seed))
        answers = policy.act([player.request() for player in live])
        for player, completion in zip(live, answers, strict=True):
            player.play(completion)
        for player in live:
            if player.trajectory is not None:
                done[player.number] = player.trajectory
                pool.give_back(player.episode, player.env)
                if on_end is not None:
                    on_end(player.trajectory)
        live = [player for player in live if player.trajectory is None]
    return [done[number] for number in range(len(episodes))]


class _Live:
    """An episode that is being played."""

    def __init__(
        self, number: int, episode: Episode, env: TextEnv, style: PromptStyle, seed: int
    ) -> None:
        self.number, self.episode, self.env = number, episode, env
        self.trajectory: Trajectory | None = None
        self._style = style
        self._rng = stream(episode.env_id, episode.task_id, episode.sample, "policy", entropy=seed)
        chosen = {"task_id": episode.task_id, "draw": episode.draw}
        self._observation, _ = env.reset(options=chosen)
        self._instruction = env.instruction if style.instruction else ""
        self._past: list[Exchange] = []
        self._turns: list[Turn] = []

    def request(self) -> Request:
        """Return what the policy is asked now."""
        messages = build(self._style, self._instruction, self._past, self._observation)
        turn = len(self._turns)
        return Request(self.number, turn, messages, self._style, self.env, self._rng)

    def play(self, completion: Completion) -> None:
        """Take the turn that *completion* means."""
        action = read_action(self._style, completion.text)
        seen = self._observation
        self._observation, reward, terminated, truncated, info = self.env.step(action)
        self._turns.append(Turn(seen, completion, action, float(reward), info["valid_action"]))
        self._past.append(Exchange(seen, completion.text))
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


class _Pool:
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


def groups(trajectories: Sequence[Trajectory]) -> Iterator[list[Trajectory]]:
    """Yield the trajectories of each task, environment and interface, in order of appearance."""
    by_task: dict[tuple[str, str, str], list[Trajectory]] = {}
    for trajectory in trajectories:
        key = trajectory.env_id, trajectory.task_id, trajectory.interface
        by_task.setdefault(key, []).append(trajectory)
    yield from by_task.values()

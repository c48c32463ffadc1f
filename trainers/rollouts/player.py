"""Plays the episodes of a step, or of an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agentgym_gen.agents.policy import ConcurrentPolicy, Policy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, group_by_task, run
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.seeding import stream
from agentgym_gen.trainers.algorithm.curriculum import task_counts
from agentgym_gen.trainers.algorithm.rewards import RewardFunction
from agentgym_gen.trainers.algorithm.train_batch import differs
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.demos import sample_episodes
from agentgym_gen.trainers.learner import Learner
from agentgym_gen.trainers.models.memory import explain_oom, return_freed_memory
from agentgym_gen.trainers.models.types import Model
from agentgym_gen.trainers.sampling.action_reader import ActionReader, read_actions
from agentgym_gen.trainers.sampling.model_policy import ModelPolicy
from agentgym_gen.trainers.sampling.truncated_turns import refuse_truncated

__all__ = ["PlayedStep", "Player", "Sampler", "check_sampler"]


@runtime_checkable
class Sampler(ConcurrentPolicy, Protocol):
    """A policy outside this process, such as a server, that loads the weights of each step."""

    def load(self, save_model: Callable[[Path], None], step: int) -> None:
        """Load the weights after *step* updates, which *save_model* writes into a folder."""


SHARED_SETTINGS = ("temperature", "max_new_tokens", "max_episode_tokens")
"""Settings that a sampler has of its own and `RFTConfig` has, too."""


def check_sampler(sampler: Sampler | None, args: RFTConfig) -> None:
    """Raise if *sampler* has other settings than the training, which would not count.

    Raises:
        InvalidValueError: if that is so.
    """
    for name in SHARED_SETTINGS:
        wanted = getattr(args, name)
        own = getattr(sampler, name, wanted)
        if wanted is not None and own != wanted:
            raise InvalidValueError(
                f"`{name}` is {wanted!r} in the settings of the training and {own!r} in its "
                "sampler, which plays; give both the same"
            )


@dataclass(frozen=True)
class PlayedStep:
    """The episodes of a step."""

    trajectories: list[Trajectory]
    """All of them."""
    kept: list[Trajectory]
    """Those that are learned from."""
    resampling: int = 0
    """How many times more tasks were played, because too few groups differed."""
    resampled_groups: int = 0
    """How many groups that was."""


class Player:
    """Plays tasks with the present weights of a learner.

    Args:
        learner: The model.
        args: The settings.
        style: How prompts are written.
        options: Keyword arguments of the environments.
        sampler: A policy that plays in place of the model.
        action_reader: Reads actions in place of the reader of *style*.
        reward: What an episode earns; None takes `RFTConfig.reward`.
    """

    def __init__(  # noqa: PLR0913  (what a rollout depends on)
        self,
        learner: Learner,
        args: RFTConfig,
        style: PromptStyle,
        options: dict[str, Any],
        sampler: Sampler | None = None,
        action_reader: ActionReader | None = None,
        reward: RewardFunction | None = None,
    ) -> None:
        self.options = options
        """Keyword arguments of the environments."""
        self._learner, self._args, self._style = learner, args, style
        self._sampler, self._action_reader, self._reward = sampler, action_reader, reward

    def play_step(self, step: int, weights: Mapping[str, float]) -> PlayedStep:
        """Play the tasks of *step*, and more of them while too few groups differ.

        DAPO (arXiv 2503.14476), section 3.2: groups whose rewards are all equal teach nothing, and
        others take their place, here in at most `RFTConfig.max_resampling` rounds. What a round
        plays is decided by the seed, the step and its number.

        Args:
            step: How many steps were made.
            weights: The weight of each environment.
        """
        args = self._args
        trajectories = self._play_round(step, 0, weights, args.tasks_per_step)
        groups = list(group_by_task(trajectories))
        # a split may have fewer tasks than a step plays: those that come twice are one group
        wanted = len(groups)
        number = 0
        while number < args.max_resampling:
            missing = wanted - sum(map(self._differs, groups))
            if missing <= 0:
                break
            number += 1
            more = self._play_round(step, number, weights, missing)
            trajectories = [*trajectories, *more]
            groups = [*groups, *group_by_task(more)]
        if not number:
            return PlayedStep(trajectories, trajectories)
        # Python's sort is stable: groups that differ come first, each kind in the order of play.
        kept = sorted(groups, key=lambda group: not self._differs(group))[:wanted]
        episodes = [episode for group in kept for episode in group]
        return PlayedStep(trajectories, episodes, number, len(groups) - wanted)

    def rollout(
        self, tasks: Sequence[Episode], samples: int, seed: int, *, limit: int | None = None
    ) -> list[Trajectory]:
        """Return *samples* episodes of each of *tasks*, played with the present weights.

        Args:
            tasks: The tasks.
            samples: How many episodes each has.
            seed: The root of their random streams.
            limit: The turn limit; None takes each task's own.
        """
        options = self.options if limit is None else {**self.options, "max_turns": limit}
        episodes = _numbered(tasks, samples, options)
        distributed = self._learner.distributed
        remedies = [f"lower `max_concurrent` ({self._args.max_concurrent})"]
        remedies = remedies if min(len(episodes), self._args.max_concurrent) > 1 else []
        remedies.append("lower `max_episode_tokens` or `max_new_tokens`")
        with explain_oom("a rollout", *remedies), self._learner.whole_model() as model:
            block = run(
                distributed.block(episodes),
                self._policy(model),
                style=self._style,
                max_concurrent=self._args.max_concurrent,
                seed=seed,
            )
        return_freed_memory()  # the caches of the policy are gone
        return distributed.gather(block)

    def _differs(self, group: list[Trajectory]) -> bool:
        return differs(group, self._args, self._reward)

    def _play_round(
        self, step: int, number: int, weights: Mapping[str, float], tasks_per_step: int
    ) -> list[Trajectory]:
        """Play so many tasks of *step*; the first round, number 0, has the streams of the step."""
        key: tuple[int, ...] = (step, number) if number else (step,)
        seed = int(stream("rft", *key, entropy=self._args.seed).integers(1 << 62))
        rng = stream("mixture", *key, entropy=self._args.seed)
        counts = task_counts(weights, tasks_per_step, rng)
        tasks: list[Episode] = []
        for env_id, count in counts.items():
            tasks += sample_episodes([env_id], "train", count, seed, self.options)
        # A task that comes again gets another interface; the samples of a step share one.
        tasks = [replace(task, interface_index=step) for task in tasks]
        return self.rollout(tasks, self._args.num_generations, seed, limit=self._args.max_turns)

    def _policy(self, model: Model) -> Policy | ConcurrentPolicy:
        policy = self._sampling_policy(model)
        if self._action_reader is not None:
            policy = read_actions(policy, self._action_reader)
        return refuse_truncated(policy) if self._args.on_truncated_turn == "refuse" else policy

    def _sampling_policy(self, model: Model) -> Policy | ConcurrentPolicy:
        if self._sampler is not None:
            self._sampler.load(self._learner.save_model, self._learner.step)
            return self._sampler
        return ModelPolicy(
            model,
            self._learner.tokenizer,
            temperature=self._args.temperature,
            max_new_tokens=self._args.max_new_tokens,
            max_episode_tokens=self._args.max_episode_tokens,
            bf16=self._args.bf16,
        )


def _numbered(tasks: Sequence[Episode], samples: int, options: Mapping[str, Any]) -> list[Episode]:
    """Return *samples* episodes of each of *tasks*.

    The samples of a task are numbered through, so that a task which is drawn twice is played as
    twice as many different episodes, and not as the same ones again.
    """
    played: Counter[tuple[str, str, int]] = Counter()
    episodes: list[Episode] = []
    for task in tasks:
        key = task.env_id, task.task_id, task.interface_index
        episodes += [
            Episode(task.env_id, task.task_id, sample, options, task.interface_index)
            for sample in range(played[key], played[key] + samples)
        ]
        played[key] += samples
    return episodes

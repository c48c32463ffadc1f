# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""From the episodes of a step to what is learnt from them: rewards, advantages, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agentgym_gen.rollout import groups
from agentgym_gen.trainers.advantages import ADVANTAGES, Floats
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.tokens import Sample, merge
from agentgym_gen.trajectory import Trajectory


@dataclass(frozen=True)
class Lesson:
    """What the episodes of a step teach."""

    samples: list[Sample]
    """Token sequences with advantages; the weights of all tokens add up to 1."""
    groups: int
    """How many groups were played."""
    zero_variance: int
    """How many of them had equal rewards and were dropped."""
    reward: float
    """The mean reward."""


def reward_of(played: Trajectory, args: RFTConfig) -> float:
    """Return the reward of an episode: its outcome, less what turns and mistakes cost."""
    cost = args.turn_cost * len(played.turns) + args.invalid_penalty * played.invalid_turns
    return float(played.success) - cost


def learn_from(trajectories: Sequence[Trajectory], args: RFTConfig) -> Lesson:
    """Return what *trajectories* teach; a group is the episodes of one task."""
    samples: list[Sample] = []
    rewards: list[float] = []
    played = dropped = 0
    for group in groups(trajectories):
        rewards_G = np.array([reward_of(one, args) for one in group])
        rewards += rewards_G.tolist()
        played += 1
        if np.ptp(rewards_G) < 1e-9:
            dropped += 1
            continue
        samples += _samples(group, rewards_G, args)
    if args.updates_per_step == 1:
        samples = merge(samples)
    return Lesson(_normalised(samples), played, dropped, float(np.mean(rewards)))


def _samples(group: list[Trajectory], rewards_G: Floats, args: RFTConfig) -> list[Sample]:
    advantages_G = ADVANTAGES[args.estimator](rewards_G).clip(*args.advantage_clip)
    samples: list[Sample] = []
    for played, advantage in zip(group, advantages_G.tolist(), strict=True):
        by_token = args.loss_average == "token"
        weight = 1.0 if by_token else 1.0 / max(1, played.action_tokens)
        samples += [Sample(sequence, advantage, weight) for sequence in played.sequences()]
    return samples


def _normalised(samples: list[Sample]) -> list[Sample]:
    total = sum(sample.weight * sum(sample.sequence.action_mask) for sample in samples)
    return [Sample(one.sequence, one.advantage, one.weight / total) for one in samples]

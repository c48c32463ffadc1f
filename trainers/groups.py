# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""From the episodes of a step to what is learnt from them: rewards, advantages, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agentgym_gen.rollout import groups
from agentgym_gen.trainers.advantages import ADVANTAGES, Floats
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.tokens import Sample, merge
from agentgym_gen.trajectory import Trajectory, Turn


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
    """Return the reward of an episode: its outcome, less what its turns cost."""
    return float(played.success) - args.turn_cost * len(played.turns)


def learn_from(trajectories: Sequence[Trajectory], args: RFTConfig) -> Lesson:
    """Return what *trajectories* teach; a group is the episodes of one task."""
    samples: list[Sample] = []
    rewards: list[float] = []
    played = dropped = 0
    for group in groups(trajectories):
        rewards_G = np.array([reward_of(one, args) for one in group])
        rewards += rewards_G.tolist()
        played += 1
        flat = bool(np.ptp(rewards_G) < 1e-9)
        dropped += flat
        if not flat or args.invalid_penalty or args.step_coef:
            samples += _samples(group, rewards_G, args)
    if args.updates_per_step == 1:
        samples = merge(samples)
    return Lesson(_normalised(samples), played, dropped, float(np.mean(rewards)))


def _samples(group: list[Trajectory], rewards_G: Floats, args: RFTConfig) -> list[Sample]:
    advantages_G = ADVANTAGES[args.estimator](rewards_G).clip(*args.advantage_clip)
    steps = _step_advantages(group, args) if args.step_coef else None
    usual = _invalid_share(group)
    samples: list[Sample] = []
    for number, played in enumerate(group):
        by_token = args.loss_average == "token"
        weight = 1.0 if by_token else 1.0 / max(1, played.action_tokens)
        whole = args.episode_coef * float(advantages_G[number])
        # the usual share is taken off, so that the penalty moves no average
        of_turn = [
            whole - args.invalid_penalty * ((not turn.valid) - usual) for turn in played.turns
        ]
        if steps is not None:
            of_turn = [mine + step for mine, step in zip(of_turn, steps[number], strict=True)]
            of_turn = np.clip(of_turn, *args.advantage_clip).tolist()
        for sequence in played.sequences():
            numbers = sorted(set(sequence.turns))
            samples.append(Sample(sequence, tuple(of_turn[n] for n in numbers), weight))
    return samples


def _invalid_share(group: list[Trajectory]) -> float:
    turns = sum(len(played.turns) for played in group)
    return sum(played.invalid_turns for played in group) / max(1, turns)


def _step_advantages(group: list[Trajectory], args: RFTConfig) -> list[list[float]]:
    """Return each turn's discounted return relative to all turns that saw the same.

    The anchor states of GiGPO (arXiv 2505.10978), section 3.3: of two actions in one state, the one
    after which the goal was reached sooner is better. Returns are taken less their mean, in units
    of their standard deviation; a state that was seen once, or with one outcome, gives 0.
    """
    returns: dict[tuple[int, ...], list[float]] = {}
    for played in group:
        for turn, value in zip(played.turns, _returns(played, args), strict=True):
            returns.setdefault(_seen(turn), []).append(value)
    usual = {
        seen: (float(np.mean(values)), max(float(np.std(values)), 1e-6))
        for seen, values in returns.items()
    }
    return [
        [
            args.step_coef * (value - usual[_seen(turn)][0]) / usual[_seen(turn)][1]
            for turn, value in zip(played.turns, _returns(played, args), strict=True)
        ]
        for played in group
    ]


def _returns(played: Trajectory, args: RFTConfig) -> list[float]:
    last = len(played.turns) - 1
    return [played.success * args.discount ** (last - turn) for turn in range(last + 1)]


def _seen(turn: Turn) -> tuple[int, ...]:
    return turn.completion.context_ids


def _normalised(samples: list[Sample]) -> list[Sample]:
    total = sum(sample.weight * sum(sample.sequence.action_mask) for sample in samples)
    return [replace(one, weight=one.weight / total) for one in samples]

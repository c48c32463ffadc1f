# ruff: noqa: N803, N806
# The capitals name the axes of an array.
"""From the episodes of a step to what is learnt from them: rewards, advantages, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agentgym_gen.agents.rollout import groups
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.trainers.algorithm.advantages import EQUAL_WITHIN, BATCH_ESTIMATORS, GROUP_ESTIMATORS, Floats
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.packing.micro_batches import Sample

FAILED = "backend_error"
"""Why an episode ended that its world cut off: nothing can be learnt from it."""

TRUNCATED = "turn_limit"
"""Why an episode ended that its limits cut off; `RFTConfig.truncation` is the rule for it."""


@dataclass(frozen=True)
class TrainBatch:
    """What the episodes of a step teach."""

    samples: list[Sample]
    """Token sequences with advantages. The weights of all tokens add up to 1, those of sequences
    included that have no advantage and are left out, unless `RFTConfig.loss_average` is
    ``constant``."""
    groups: int
    """How many groups were played."""
    zero_variance: int
    """How many of them had nothing to compare, as their rewards were equal, and were dropped."""
    reward: float
    """The mean reward."""
    truncated: int
    """How many episodes their turn or token limit ended."""
    failed: int
    """How many episodes their world cut off; they are left out."""


def episode_reward(played: Trajectory, args: RFTConfig) -> float:
    """Return the reward of an episode: what it reached, its turns' cost, its valid actions."""
    reached = {
        "success": float(played.success),
        "score": played.score,
        "return": played.total_reward,
    }[args.reward]
    turns = len(played.turns)
    valid = 1 - played.invalid_turns / max(1, turns)
    return reached - args.turn_cost * turns + args.valid_coef * valid


def build_batch(trajectories: Sequence[Trajectory], args: RFTConfig) -> TrainBatch:
    """Return what *trajectories* teach; a group is the episodes of one task."""
    truncated = sum(one.end_reason == TRUNCATED for one in trajectories)
    failed = sum(one.end_reason == FAILED for one in trajectories)
    left_out = {FAILED, TRUNCATED} if args.truncation == "drop" else {FAILED}
    of_task = list(groups([one for one in trajectories if one.end_reason not in left_out]))
    rewards = [np.array([episode_reward(one, args) for one in group]) for group in of_task]
    samples: list[Sample] = []
    for group, advantages_G in zip(of_task, _advantages(rewards, args), strict=True):
        if np.any(advantages_G) or args.invalid_penalty or args.step_coef:
            samples += _samples(group, advantages_G, args)
    return TrainBatch(
        samples=_with_advantage(_normalised(samples, len(trajectories), args), args),
        groups=len(of_task),
        zero_variance=sum(bool(np.ptp(rewards_G) < EQUAL_WITHIN) for rewards_G in rewards),
        reward=float(np.mean(np.concatenate(rewards))) if rewards else 0.0,
        truncated=truncated,
        failed=failed,
    )


def _advantages(rewards: list[Floats], args: RFTConfig) -> list[Floats]:
    """Return the advantages of each group's episodes, 0 where nothing is there to compare with."""
    if args.estimator in BATCH_ESTIMATORS and sum(map(len, rewards)) > 1:
        whole_B = BATCH_ESTIMATORS[args.estimator](np.concatenate(rewards))
        ends = np.cumsum([len(rewards_G) for rewards_G in rewards])[:-1]
        found = np.split(whole_B, ends)
    else:
        found = [
            np.zeros(len(rewards_G))
            if len(rewards_G) < 2 or np.ptp(rewards_G) < EQUAL_WITHIN
            else GROUP_ESTIMATORS[args.estimator](rewards_G)
            for rewards_G in rewards
        ]
    return [advantages_G.clip(*args.advantage_clip) for advantages_G in found]


def _samples(group: list[Trajectory], advantages_G: Floats, args: RFTConfig) -> list[Sample]:
    steps = _step_advantages(group, args) if args.step_coef else None
    usual = _invalid_share(group)
    samples: list[Sample] = []
    for number, played in enumerate(group):
        if args.truncation == "mask" and played.end_reason == TRUNCATED:
            continue
        by_episode = args.loss_average == "episode"
        weight = 1.0 / max(1, played.action_tokens) if by_episode else 1.0
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
            returns.setdefault(_context(turn), []).append(value)
    usual = {
        seen: (float(np.mean(values)), max(float(np.std(values)), 1e-6))
        for seen, values in returns.items()
    }
    return [
        [
            args.step_coef * (value - usual[_context(turn)][0]) / usual[_context(turn)][1]
            for turn, value in zip(played.turns, _returns(played, args), strict=True)
        ]
        for played in group
    ]


def _returns(played: Trajectory, args: RFTConfig) -> list[float]:
    last = len(played.turns) - 1
    return [played.success * args.discount ** (last - turn) for turn in range(last + 1)]


def _context(turn: Turn) -> tuple[int, ...]:
    return turn.completion.context_ids


def _with_advantage(samples: list[Sample], args: RFTConfig) -> list[Sample]:
    """Return what moves the weights: without other terms, what has an advantage."""
    if args.kl_coef or args.entropy_coef:
        return samples
    return [one for one in samples if any(abs(value) > EQUAL_WITHIN for value in one.advantages)]


def _normalised(samples: list[Sample], episodes: int, args: RFTConfig) -> list[Sample]:
    if args.loss_average == "constant":
        total = float(episodes * args.max_new_tokens)
    else:
        total = sum(sample.weight * sum(sample.sequence.action_mask) for sample in samples)
    return [replace(one, weight=one.weight / total) for one in samples]

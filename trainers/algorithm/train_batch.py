"""From the episodes of a step to its training batch: token sequences with advantages and weights.

Axes: ``_G`` the episodes of a group, which are those of one task; ``_B`` all episodes of a step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agentgym_gen.agents.rollout import group_by_task
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.algorithm.advantages import (
    BATCH_ESTIMATORS,
    EQUAL_WITHIN,
    GROUP_ESTIMATORS,
    Floats,
)
from agentgym_gen.trainers.algorithm.rewards import (
    FAILED,
    TRUNCATED,
    RewardFunction,
    discounted_successes,
    episode_reward,
)
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.packing.micro_batches import Sample


@dataclass(frozen=True)
class TrainBatch:
    """The samples of a step, and counts of its episodes."""

    mini_batches: list[list[Sample]]
    """Token sequences with advantages, for one update after the other. The weights of all tokens of
    an update add up to 1, including those of sequences that are left out because they have no
    advantage, unless `RFTConfig.loss_average` is ``constant``."""
    groups: int
    """How many groups were played."""
    zero_variance: int
    """How many groups had equal rewards: nothing to compare, where the others of a group are the
    baseline."""
    reward: float
    """The mean reward."""
    truncated: int
    """How many episodes ended at their turn or token limit."""
    failed: int
    """How many episodes ended because their world or policy failed; they are left out."""

    @property
    def samples(self) -> list[Sample]:
        """The sequences of all mini-batches."""
        return [sample for batch in self.mini_batches for sample in batch]


def build_batch(
    trajectories: Sequence[Trajectory],
    args: RFTConfig,
    *,
    reward: RewardFunction | None = None,
    rng: np.random.Generator | None = None,
) -> TrainBatch:
    """Return the training batch of *trajectories*; a group is the episodes of one task.

    Args:
        trajectories: The episodes of a step.
        args: The settings.
        reward: What an episode earns; None takes `RFTConfig.reward`.
        rng: The stream that orders the groups of mini-batches; None keeps their order.

    Raises:
        InvalidValueError: if a reward is no number.
    """
    truncated = sum(episode.end_reason in TRUNCATED for episode in trajectories)
    failed = sum(episode.end_reason in FAILED for episode in trajectories)
    left_out = (*FAILED, *TRUNCATED) if args.truncation == "drop" else FAILED
    usable = [episode for episode in trajectories if episode.end_reason not in left_out]
    by_task = list(group_by_task(usable))
    rewards = [
        np.array([episode_reward(episode, args, reward) for episode in group]) for group in by_task
    ]
    advantages = _advantages(rewards, args)
    teaches = [bool(np.any(advantages_G)) for advantages_G in advantages]
    if args.estimator in BATCH_ESTIMATORS:
        # a group at the mean of the batch is compared with the others and counts in the average
        teaches = [any(teaches)] * len(teaches)
    by_group = [
        _samples(group, advantages_G, args)
        if is_kept or args.invalid_penalty or args.step_coef
        else []
        for group, advantages_G, is_kept in zip(by_task, advantages, teaches, strict=True)
    ]
    return TrainBatch(
        mini_batches=_mini_batches(by_group, len(trajectories), args, rng),
        groups=len(by_task),
        zero_variance=sum(bool(np.ptp(rewards_G) < EQUAL_WITHIN) for rewards_G in rewards),
        reward=float(np.mean(np.concatenate(rewards))) if rewards else 0.0,
        truncated=truncated,
        failed=failed,
    )


def differs(
    group: Sequence[Trajectory], args: RFTConfig, reward: RewardFunction | None = None
) -> bool:
    """Return whether the episodes of *group* that count have different rewards.

    With ``truncation="mask"`` one of them has to be learned from, too.
    """
    left_out = (*FAILED, *TRUNCATED) if args.truncation == "drop" else FAILED
    counted = [episode for episode in group if episode.end_reason not in left_out]
    if args.truncation == "mask" and all(e.end_reason in TRUNCATED for e in counted):
        return False
    rewards = [episode_reward(episode, args, reward) for episode in counted]
    return len(rewards) > 1 and bool(np.ptp(rewards) >= EQUAL_WITHIN)


def _mini_batches(
    by_group: list[list[Sample]], episodes: int, args: RFTConfig, rng: np.random.Generator | None
) -> list[list[Sample]]:
    """Return the samples of each update, those of so many groups, normalised among themselves."""
    size = args.mini_batch_tasks or max(1, len(by_group))
    order = list(range(len(by_group)))
    if rng is not None and args.mini_batch_tasks:
        order = rng.permutation(len(by_group)).tolist()
    batches: list[list[Sample]] = []
    for start in range(0, len(order), size):
        numbers = order[start : start + size]
        samples = [sample for number in numbers for sample in by_group[number]]
        share = episodes * len(numbers) / len(by_group)
        batches.append(_with_advantage(_normalised(samples, share, args), args))
    return [batch for batch in batches if batch]


def _advantages(rewards: list[Floats], args: RFTConfig) -> list[Floats]:
    """Return the advantages of each group's episodes, 0 where there is nothing to compare with."""
    if args.estimator in BATCH_ESTIMATORS and sum(map(len, rewards)) > 1:
        advantages_B = BATCH_ESTIMATORS[args.estimator](np.concatenate(rewards))
        ends = np.cumsum([len(rewards_G) for rewards_G in rewards])[:-1]
        by_group = np.split(advantages_B, ends)
    else:
        by_group = [
            np.zeros(len(rewards_G))
            if len(rewards_G) < 2 or np.ptp(rewards_G) < EQUAL_WITHIN
            else GROUP_ESTIMATORS[args.estimator](rewards_G)
            for rewards_G in rewards
        ]
    return [advantages_G.clip(*args.advantage_clip) for advantages_G in by_group]


def _samples(group: list[Trajectory], advantages_G: Floats, args: RFTConfig) -> list[Sample]:
    """Return the token sequences of a group, with an advantage for each turn."""
    step_advantages = _step_advantages(group, args) if args.step_coef else None
    invalid_share = _invalid_share(group)
    samples: list[Sample] = []
    for number, episode in enumerate(group):
        if args.truncation == "mask" and episode.end_reason in TRUNCATED:
            continue
        by_episode = args.loss_average == "episode"
        weight = 1.0 / max(1, episode.action_tokens) if by_episode else 1.0
        shared = args.episode_coef * float(advantages_G[number])
        # The mean penalty of the group is subtracted, so that the penalty moves no average.
        by_turn = [
            shared - args.invalid_penalty * ((not turn.valid) - invalid_share)
            for turn in episode.turns
        ]
        if step_advantages is not None:
            by_turn = [
                value + step for value, step in zip(by_turn, step_advantages[number], strict=True)
            ]
        by_turn = np.clip(by_turn, *args.advantage_clip).tolist()
        for sequence in episode.sequences():
            places = zip(sequence.turns, sequence.action_mask, strict=True)
            turns = dict.fromkeys(turn for turn, is_action in places if is_action)
            samples.append(Sample(sequence, tuple(by_turn[turn] for turn in turns), weight))
    return samples


def _invalid_share(group: list[Trajectory]) -> float:
    turns = sum(len(episode.turns) for episode in group)
    return sum(episode.invalid_turns for episode in group) / max(1, turns)


def _step_advantages(group: list[Trajectory], args: RFTConfig) -> list[list[float]]:
    """Return each turn's discounted return relative to all turns with the same context.

    These are the anchor states of GiGPO (arXiv 2505.10978), section 3.3: of two actions in one
    state, the one after which the goal was reached sooner is better. Returns are taken less their
    mean, in units of their standard deviation; a state with one visit, or one outcome, gives 0.
    """
    visits = [
        list(zip(_contexts(episode), discounted_successes(episode, args.discount), strict=True))
        for episode in group
    ]
    returns: dict[bytes, list[float]] = {}
    for context, value in (visit for episode in visits for visit in episode):
        returns.setdefault(context, []).append(value)
    mean_and_deviation = {
        context: (float(np.mean(values)), max(float(np.std(values)), 1e-6))
        for context, values in returns.items()
    }

    def advantage(context: bytes, value: float) -> float:
        mean, deviation = mean_and_deviation[context]
        return args.step_coef * (value - mean) / deviation

    return [[advantage(*visit) for visit in episode] for episode in visits]


def _contexts(episode: Trajectory) -> Iterator[bytes]:
    """Yield a hash of all tokens before the answer of each turn, also those of earlier turns."""
    digest = hashlib.sha256()
    for completion in (turn.completion for turn in episode.turns):
        if completion.starts_sequence:
            digest = hashlib.sha256()
        digest.update(np.array([*completion.context_ids, -1], dtype=np.int64).tobytes())
        yield digest.digest()
        digest.update(np.array([*completion.action_ids, -2], dtype=np.int64).tobytes())


def _with_advantage(samples: list[Sample], args: RFTConfig) -> list[Sample]:
    """Return the samples that move the weights: without other terms, those with an advantage."""
    if args.kl_coef or args.entropy_coef:
        return samples
    return [
        sample
        for sample in samples
        if any(abs(advantage) > EQUAL_WITHIN for advantage in sample.advantages)
    ]


def _normalised(samples: list[Sample], episodes: float, args: RFTConfig) -> list[Sample]:
    """Return *samples* with weights that add up to 1, or are over a constant (Dr. GRPO)."""
    if args.loss_average == "constant":
        if args.max_new_tokens is None:
            raise InvalidValueError("The constant average needs `max_new_tokens`")
        total = float(episodes * args.max_new_tokens)
    else:
        total = sum(sample.weight * sum(sample.sequence.action_mask) for sample in samples)
    return [replace(sample, weight=sample.weight / total) for sample in samples]

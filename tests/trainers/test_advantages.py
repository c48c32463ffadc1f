"""Advantages, with numbers worked out by hand."""

import numpy as np
import pytest

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.algorithm.advantages import (
    BATCH_ESTIMATORS,
    GROUP_ESTIMATORS,
    dr_grpo,
    grpo,
    reinforce_pp,
    rloo,
)

ALL = {**BATCH_ESTIMATORS, **GROUP_ESTIMATORS}
REWARDS = np.array([1.0, 0.0, 0.0, 1.0, 0.0])


def test_dr_grpo_is_the_reward_less_the_mean() -> None:
    """The mean of 1 0 0 1 0, which is 0.4, is subtracted."""
    assert dr_grpo(REWARDS).tolist() == pytest.approx([0.6, -0.4, -0.4, 0.6, -0.4])


def test_grpo_divides_by_the_sample_deviation() -> None:
    """The squares add up to 1.2; divided by 4 that is 0.3, whose root is 0.547723."""
    expected = [1.095445, -0.730297, -0.730297, 1.095445, -0.730297]

    assert grpo(REWARDS).tolist() == pytest.approx(expected, abs=1e-6)


def test_rloo_compares_with_the_others() -> None:
    """Of the four others, one succeeded if the episode did, and two if it failed."""
    assert rloo(REWARDS).tolist() == pytest.approx([0.75, -0.5, -0.5, 0.75, -0.5])


def test_reinforce_compares_the_whole_step() -> None:
    """The mean of 1 0 0 0 is 0.25 and its sample deviation is 0.5."""
    rewards = np.array([1.0, 0.0, 0.0, 0.0])

    assert reinforce_pp(rewards).tolist() == pytest.approx([1.5, -0.5, -0.5, -0.5])


@pytest.mark.parametrize("name", sorted(ALL))
def test_equal_rewards_have_advantage_0(name: str) -> None:
    """Every estimator returns 0 for a group of equal rewards."""
    assert ALL[name](np.full(4, 0.7)).tolist() == pytest.approx([0, 0, 0, 0])


@pytest.mark.parametrize("name", sorted(ALL))
def test_advantages_add_up_to_0(name: str) -> None:
    """The advantages of every estimator add up to 0, whatever the rewards are."""
    rewards = np.random.default_rng(0).normal(size=8)

    assert float(ALL[name](rewards).sum()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", sorted(ALL))
def test_one_episode_is_no_group(name: str) -> None:
    """A single episode is refused, because there is nothing to compare it with."""
    with pytest.raises(InvalidValueError, match="one row of 2 or more"):
        ALL[name](np.array([1.0]))

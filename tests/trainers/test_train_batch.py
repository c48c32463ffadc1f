"""From episodes to a training batch, with numbers worked out by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agentgym_gen.agents.policy import Completion
from agentgym_gen.agents.trajectory import Trajectory, Turn
from agentgym_gen.trainers.algorithm.train_batch import build_batch, episode_reward
from agentgym_gen.trainers.config import RFTConfig


def episode(
    task: str, success: bool, valid: str, first: int = 9, end: str = "success"
) -> Trajectory:
    """Return an episode of turns of one token each; ``x`` in *valid* marks invalid ones."""
    turns = tuple(
        Turn(
            "",
            Completion("", (1,), (first + i,), (-0.5,), starts_sequence=True),
            "",
            0.0,
            mark != "x",
        )
        for i, mark in enumerate(valid)
    )
    return Trajectory("e", task, "native", 0, turns, "", success, float(success), end)


def test_groups_of_equal_rewards_are_dropped_and_counted() -> None:
    """Of two tasks, the one that was always solved is dropped."""
    episodes = [episode("a", True, "."), episode("a", True, "."), episode("b", True, ".")]
    episodes.append(episode("b", False, ".", 20))
    batch = build_batch(episodes, RFTConfig())

    assert (batch.groups, batch.zero_variance, batch.reward) == (2, 1, 0.75)
    by_tokens = {sample.sequence.ids: sample.advantages for sample in batch.samples}
    assert by_tokens == {
        (1, 9): (pytest.approx(0.70710678),),
        (1, 20): (pytest.approx(-0.70710678),),
    }


def test_an_invalid_turn_pays_for_itself() -> None:
    """One of four turns is invalid: it loses 3/4 of the penalty, the others gain 1/4."""
    episodes = [episode("a", False, ".x"), episode("a", False, "..", 20)]
    batch = build_batch(episodes, RFTConfig(invalid_penalty=0.4))

    assert batch.zero_variance == 1
    assert [sample.advantages for sample in batch.samples] == [
        (pytest.approx(0.1),),
        (pytest.approx(-0.3),),
        (pytest.approx(0.1),),
        (pytest.approx(0.1),),
    ]


def test_turn_cost_is_subtracted_from_the_reward() -> None:
    """Of two successes the shorter one has the higher advantage."""
    episodes = [episode("a", True, "."), episode("a", True, "...", 20)]
    batch = build_batch(episodes, RFTConfig(turn_cost=0.1, estimator="dr_grpo"))

    assert batch.reward == pytest.approx(0.8)
    assert batch.samples[0].advantages == (pytest.approx(0.1),)


def test_weights_add_up_to_1() -> None:
    """By token every token has the same weight, and by episode every episode."""
    episodes = [episode("a", True, "."), episode("a", False, "...", 20)]
    by_token = build_batch(episodes, RFTConfig()).samples
    by_episode = build_batch(episodes, RFTConfig(loss_average="episode")).samples

    assert [sample.weight for sample in by_token] == pytest.approx([1 / 4] * 4)
    assert [sample.weight for sample in by_episode] == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])


def test_advantages_are_clipped() -> None:
    """One failure among ten has -2.85 and gets -1.5."""
    episodes = [episode("a", True, ".", 9 + i) for i in range(9)] + [episode("a", False, ".", 30)]
    batch = build_batch(episodes, RFTConfig())

    assert min(sample.advantages[0] for sample in batch.samples) == -1.5


@pytest.mark.parametrize("step_coef", [0.0, 0.5])
def test_advantages_are_clipped_with_all_that_is_added(step_coef: float) -> None:
    """No penalty, and no coefficient, takes an advantage beyond the limits."""
    episodes = [episode("a", True, ".x"), episode("a", False, ".", 20)]
    args = RFTConfig(invalid_penalty=20.0, episode_coef=50.0, step_coef=step_coef)
    advantages = [a for sample in build_batch(episodes, args).samples for a in sample.advantages]

    assert (min(advantages), max(advantages)) == (-1.5, 2.5)


def test_a_turn_is_compared_with_turns_of_the_same_context() -> None:
    """From one state, one episode wins at once, one a turn later, one never: 1, 0.5 and 0."""
    episodes = [episode("a", True, "."), episode("a", True, "..", 20), episode("a", False, ".", 30)]
    args = RFTConfig(episode_coef=0.0, step_coef=1.0, discount=0.5)
    batch = build_batch(episodes, args)

    # the four turns all saw context 1; their returns are 1, 0.5, 1 and 0: mean 0.625, squared
    # deviations 0.140625, 0.015625, 0.140625 and 0.390625, standard deviation sqrt(0.171875)
    units = [0.375, -0.125, 0.375, -0.625]
    expected = [max(-1.5, unit / 0.171875**0.5) for unit in units]
    assert [sample.advantages[0] for sample in batch.samples] == pytest.approx(expected)


def growing(success: bool, *answers: int | None) -> Trajectory:
    """Return an episode of one growing sequence, whose observations are all token 7."""
    turns = tuple(
        Turn(
            "",
            Completion(
                "",
                (7,),
                () if answer is None else (answer,),
                () if answer is None else (-0.5,),
                starts_sequence=number == 0,
            ),
            "",
            0.0,
            True,
        )
        for number, answer in enumerate(answers)
    )
    return Trajectory("e", "a", "native", 0, turns, "", success, float(success), "success")


def test_the_context_of_a_growing_sequence_is_all_of_it() -> None:
    """After 20 and after 30 the same is shown, but the model has read something else."""
    args = RFTConfig(episode_coef=0.0, step_coef=1.0, discount=1.0)
    apart = build_batch([growing(True, 20, 21), growing(False, 30, 31)], args)
    alike = build_batch([growing(True, 20, 21), growing(False, 20, 31)], args)

    assert [sample.advantages for sample in apart.samples] == [(1.0, 0.0), (-1.0, 0.0)]
    assert [sample.advantages for sample in alike.samples] == [(1.0, 1.0), (-1.0, -1.0)]


def test_an_empty_answer_leaves_what_was_read_before_it() -> None:
    """The model has read two observations in a row, and the sequence has both."""
    first, last = growing(True, 20, None, 22), growing(False, None, 31)
    batch = build_batch([first, last], RFTConfig(step_coef=0.0))

    assert [s.sequence.ids for s in batch.samples] == [(7, 20, 7, 7, 22), (7, 7, 31)]
    assert [len(s.advantages) for s in batch.samples] == [2, 1]
    assert growing(True, None, None).sequences() == ()


def test_the_rules_for_truncated_episodes() -> None:
    """A kept one counts and is trained on, a masked one only counts, a dropped one does neither."""
    episodes = [
        episode("a", True, "."),
        episode("a", False, ".", 20),
        episode("a", False, ".", 30, "turn_limit"),
    ]
    by_rule = {
        rule: build_batch(episodes, RFTConfig(truncation=rule, estimator="dr_grpo"))
        for rule in ("keep", "mask", "drop")
    }
    first = {rule: batch.samples[0].advantages[0] for rule, batch in by_rule.items()}

    assert {rule: len(batch.samples) for rule, batch in by_rule.items()} == {
        "keep": 3,
        "mask": 2,
        "drop": 2,
    }
    assert first == pytest.approx({"keep": 2 / 3, "mask": 2 / 3, "drop": 1 / 2})
    assert {batch.truncated for batch in by_rule.values()} == {1}


@pytest.mark.parametrize("end_reason", ["backend_error", "policy_error"])
def test_an_episode_whose_world_or_policy_failed_is_left_out(end_reason: str) -> None:
    """It is counted, and the rest of its group has nothing to be compared with."""
    batch = build_batch(
        [episode("a", True, "."), episode("a", False, ".", 20, end_reason)], RFTConfig()
    )

    assert (batch.failed, batch.samples, batch.zero_variance, batch.reward) == (1, [], 1, 1.0)


def test_all_episodes_of_a_step_are_one_group_for_reinforce() -> None:
    """One of four succeeded, and single episodes of a task are enough."""
    episodes = [episode(task, task == "a", ".", 9 + n) for n, task in enumerate("abcd")]
    batch = build_batch(episodes, RFTConfig(estimator="reinforce++", num_generations=1))

    assert [sample.advantages[0] for sample in batch.samples] == pytest.approx(
        [1.5, -0.5, -0.5, -0.5]
    )


def test_valid_actions_raise_the_reward() -> None:
    """Half of the second episode's actions are valid: 0.8 + 0.4 against 0 + 0.2."""
    episodes = [episode("a", True, ".."), episode("a", False, ".x", 20)]
    args = RFTConfig(valid_coef=0.4, turn_cost=0.1, estimator="dr_grpo")

    assert [episode_reward(trajectory, args) for trajectory in episodes] == pytest.approx(
        [1.2, 0.0]
    )


def test_the_constant_of_dr_grpo_does_not_depend_on_the_tokens() -> None:
    """Two episodes of up to 10 tokens a turn give each token the weight 1/20."""
    episodes = [episode("a", True, "."), episode("a", False, "...", 20)]
    args = RFTConfig(loss_average="constant", max_new_tokens=10)

    assert [sample.weight for sample in build_batch(episodes, args).samples] == [1 / 20] * 4


def test_a_sample_without_advantage_is_left_out() -> None:
    """A turn whose context came once, in a group of equal rewards, counts only with a KL term."""
    episodes = [episode("a", False, "."), episode("a", False, ".", 20)]
    settings = {"step_coef": 1.0, "episode_coef": 0.0}

    assert build_batch(episodes, RFTConfig(**settings)).samples == []
    assert len(build_batch(episodes, RFTConfig(kl_coef=0.1, **settings)).samples) == 2


@pytest.mark.parametrize("average", ["token", "episode", "constant"])
def test_mini_batches_are_normalised_among_themselves(average: str) -> None:
    """Two tasks in an update of their own have the weights of two steps of one task each."""
    first = [episode("a", True, ".."), episode("a", False, "...", 20)]
    second = [episode("b", True, ".", 40), episode("b", False, "....", 60)]
    settings: dict[str, Any] = {"loss_average": average, "max_new_tokens": 10}
    args = RFTConfig(mini_batch_tasks=1, **settings)
    batch = build_batch([*first, *second], args)
    alone = [build_batch(episodes, RFTConfig(**settings)).samples for episodes in (first, second)]

    assert batch.mini_batches == alone


def test_mini_batches_are_shuffled_by_their_stream() -> None:
    """Each task is in one of them, in an order that the stream decides."""
    episodes = [
        episode(task, success, ".", 9 + 2 * number + success)
        for number, task in enumerate("abcdefgh")
        for success in (True, False)
    ]
    args = RFTConfig(mini_batch_tasks=2)
    first, again, other = (
        build_batch(episodes, args, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )

    assert [len(samples) for samples in first.mini_batches] == [4] * 4
    assert first == again
    assert first != other
    assert sorted(s.sequence.ids for s in first.samples) == sorted(
        s.sequence.ids for s in other.samples
    )


def test_a_group_at_the_mean_of_the_batch_counts_in_the_average() -> None:
    """REINFORCE++ compares it with the others: its advantage is 0, and its tokens are counted."""
    won, lost = (episode("a", True, "."), episode("b", False, ".", 20))
    middle = [replace(episode("c", False, ".", first), score=0.5) for first in (30, 40)]
    args = RFTConfig(estimator="reinforce++", reward="score", kl_coef=0.1)
    batch = build_batch([won, lost, *middle], args)

    assert [sample.weight for sample in batch.samples] == pytest.approx([0.25] * 4)
    assert build_batch([*middle, *middle], replace(args, kl_coef=0.0)).samples == []


def test_an_episode_without_a_turn_has_no_valid_action() -> None:
    """Its first prompt left no room: it earns nothing, and no share of what it did not do."""
    args = RFTConfig(valid_coef=0.5)

    assert episode_reward(episode("a", False, "", end="context_limit"), args) == 0
    assert episode_reward(episode("a", False, ".x"), args) == 0.25

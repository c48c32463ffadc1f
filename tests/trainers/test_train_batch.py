"""From episodes to advantages, with numbers worked out by hand."""

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
        Turn("", Completion("", (1,), (first + i,), (-0.5,), fresh=True), "", 0.0, mark != "x")
        for i, mark in enumerate(valid)
    )
    return Trajectory("e", task, "native", 0, turns, "", success, float(success), end)


def test_groups_of_equal_rewards_are_dropped_and_counted() -> None:
    """Of two tasks, one was always solved."""
    played = [episode("a", True, "."), episode("a", True, "."), episode("b", True, ".")]
    played.append(episode("b", False, ".", 20))
    lesson = build_batch(played, RFTConfig())

    assert (lesson.groups, lesson.zero_variance, lesson.reward) == (2, 1, 0.75)
    found = {sample.sequence.ids: sample.advantages for sample in lesson.samples}
    assert found == {
        (1, 9): (pytest.approx(0.70710678),),
        (1, 20): (pytest.approx(-0.70710678),),
    }


def test_an_invalid_turn_pays_for_itself() -> None:
    """One of four turns is invalid: it loses 3/4 of the penalty, the others gain 1/4."""
    played = [episode("a", False, ".x"), episode("a", False, "..", 20)]
    lesson = build_batch(played, RFTConfig(invalid_penalty=0.4))

    assert lesson.zero_variance == 1
    assert [sample.advantages for sample in lesson.samples] == [
        (pytest.approx(0.1),),
        (pytest.approx(-0.3),),
        (pytest.approx(0.1),),
        (pytest.approx(0.1),),
    ]


def test_turns_cost_what_they_cost() -> None:
    """Of two successes the shorter one is better."""
    played = [episode("a", True, "."), episode("a", True, "...", 20)]
    lesson = build_batch(played, RFTConfig(turn_cost=0.1, estimator="dr_grpo"))

    assert lesson.reward == pytest.approx(0.8)
    assert lesson.samples[0].advantages == (pytest.approx(0.1),)


def test_weights_add_up_to_1() -> None:
    """By token every token weighs alike, by episode every episode."""
    played = [episode("a", True, "."), episode("a", False, "...", 20)]
    by_token = build_batch(played, RFTConfig()).samples
    by_episode = build_batch(played, RFTConfig(loss_average="episode")).samples

    assert [one.weight for one in by_token] == pytest.approx([1 / 4] * 4)
    assert [one.weight for one in by_episode] == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])


def test_advantages_are_kept_between_their_bounds() -> None:
    """One failure among ten has -2.85 and gets -1.5."""
    played = [episode("a", True, ".", 9 + i) for i in range(9)] + [episode("a", False, ".", 30)]
    lesson = build_batch(played, RFTConfig())

    assert min(sample.advantages[0] for sample in lesson.samples) == -1.5


def test_a_turn_is_compared_with_those_that_saw_the_same() -> None:
    """From one state, one episode wins at once, one a turn later, one never: 1, 0.5 and 0."""
    played = [episode("a", True, "."), episode("a", True, "..", 20), episode("a", False, ".", 30)]
    args = RFTConfig(episode_coef=0.0, step_coef=1.0, discount=0.5)
    lesson = build_batch(played, args)

    # the four turns all saw context 1; their returns are 1, 0.5, 1 and 0: mean 0.625, squared
    # deviations 0.140625, 0.015625, 0.140625 and 0.390625, standard deviation sqrt(0.171875)
    units = [0.375, -0.125, 0.375, -0.625]
    expected = [max(-1.5, unit / 0.171875**0.5) for unit in units]
    assert [sample.advantages[0] for sample in lesson.samples] == pytest.approx(expected)


def test_the_rules_for_what_the_turn_limit_ended() -> None:
    """Kept it counts and teaches, masked it only counts, dropped it does neither."""
    played = [
        episode("a", True, "."),
        episode("a", False, ".", 20),
        episode("a", False, ".", 30, "turn_limit"),
    ]
    found = {
        rule: build_batch(played, RFTConfig(truncation=rule, estimator="dr_grpo"))
        for rule in ("keep", "mask", "drop")
    }
    first = {rule: lesson.samples[0].advantages[0] for rule, lesson in found.items()}

    assert {rule: len(lesson.samples) for rule, lesson in found.items()} == {
        "keep": 3,
        "mask": 2,
        "drop": 2,
    }
    assert first == pytest.approx({"keep": 2 / 3, "mask": 2 / 3, "drop": 1 / 2})
    assert {lesson.truncated for lesson in found.values()} == {1}


def test_an_episode_whose_world_failed_is_left_out() -> None:
    """It is counted; what is left of its group has nothing to be compared with."""
    lesson = build_batch(
        [episode("a", True, "."), episode("a", False, ".", 20, "backend_error")], RFTConfig()
    )

    assert (lesson.failed, lesson.samples, lesson.zero_variance, lesson.reward) == (1, [], 1, 1.0)


def test_all_episodes_of_a_step_are_one_group_for_reinforce() -> None:
    """One of four succeeded; single episodes of a task are enough."""
    played = [episode(task, task == "a", ".", 9 + n) for n, task in enumerate("abcd")]
    lesson = build_batch(played, RFTConfig(estimator="reinforce++", num_generations=1))

    assert [one.advantages[0] for one in lesson.samples] == pytest.approx([1.5, -0.5, -0.5, -0.5])


def test_valid_actions_are_worth_something() -> None:
    """Half of the second episode's are valid: 0.8 + 0.4 against 0 + 0.2."""
    played = [episode("a", True, ".."), episode("a", False, ".x", 20)]
    args = RFTConfig(valid_coef=0.4, turn_cost=0.1, estimator="dr_grpo")

    assert [episode_reward(one, args) for one in played] == pytest.approx([1.2, 0.0])


def test_the_constant_of_dr_grpo_does_not_depend_on_what_was_said() -> None:
    """Two episodes that may say 10 tokens a turn."""
    played = [episode("a", True, "."), episode("a", False, "...", 20)]
    args = RFTConfig(loss_average="constant", max_new_tokens=10)

    assert [one.weight for one in build_batch(played, args).samples] == [1 / 20] * 4


def test_what_teaches_nothing_is_not_scored() -> None:
    """A turn seen once in a flat group; with a divergence term it counts."""
    played = [episode("a", False, "."), episode("a", False, ".", 20)]
    settings = {"step_coef": 1.0, "episode_coef": 0.0}

    assert build_batch(played, RFTConfig(**settings)).samples == []
    assert len(build_batch(played, RFTConfig(kl_coef=0.1, **settings)).samples) == 2

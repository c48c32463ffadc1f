"""DAPO's resampling: groups that differ take the place of those that do not, in bounded rounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, group_by_task
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.algorithm.train_batch import differs
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
SETTINGS: dict[str, Any] = {
    **{"lora_rank": 0, "max_steps": 2, "tasks_per_step": 2, "num_generations": 3},
    **{"max_turns": 2, "max_new_tokens": 4, "save_total_limit": 0},
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def even(trajectory: Trajectory) -> float:
    """Return 1 for the first episode of a task with an even number, so that its group differs."""
    number = int(trajectory.task_id.rpartition("/")[2])
    return float(number % 2 == 0 and trajectory.sample == 0)


def nothing(trajectory: Trajectory) -> float:
    """Return 0 for every episode, so that no group differs."""
    return 0.0 * trajectory.sample


class Keeper:
    """Keeps all episodes of each step."""

    def __init__(self) -> None:
        self.steps: list[list[Trajectory]] = []

    def on_step_end(self, args: object, state: object, control: object, **extras: Any) -> None:  # noqa: ANN401
        self.steps.append(extras["trajectories"])


def trainer(reward: Any, *callbacks: object, **settings: object) -> RFTTrainer:  # noqa: ANN401
    """Return a trainer of a model with random weights."""
    model, tokenizer = build_tiny(["walk to door 2", "It opens."], 0, TinySize(1, 16, 2, 300, 512))
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(**(SETTINGS | settings)),
        style=PromptStyle("action", instruction=False),
        reward=reward,
        callbacks=callbacks,
    )


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the log without what two equal runs do not share."""
    return {key: value for key, value in row.items() if "second" not in key}


def test_tasks_are_played_until_so_many_groups_differ() -> None:
    """Only groups that differ are learned from, as many as a step has; all are counted."""
    keeper = Keeper()
    rows = trainer(even, keeper, max_resampling=50).train()

    for row, episodes in zip(rows, keeper.steps, strict=True):
        groups = [list(group) for group in group_by_task(episodes)]
        args = RFTConfig(**SETTINGS)
        assert sum(differs(group, args, even) for group in groups) == 2
        assert (row["groups"], row["zero_variance_groups"]) == (2, 0)
        assert row["resampled_groups"] == len(groups) - 2
        assert len(groups) == 2 or row["resampling"] > 0
        assert row["episodes"] == len(episodes)
    assert sum(row["resampling"] for row in rows) > 0, "the test tests nothing"


def test_the_number_of_rounds_is_bounded() -> None:
    """Where nothing differs, so many rounds are played, and the first groups stay."""
    (row,) = trainer(nothing, max_resampling=3, max_steps=1).train()

    assert (row["resampling"], row["resampled_groups"]) == (3, 6)
    assert (row["groups"], row["zero_variance_groups"]) == (2, 2)
    assert "gradient_norm" not in row


def test_without_need_nothing_is_played_again() -> None:
    """A step whose groups differ is the step without the setting."""
    plain = trainer(lambda episode: float(episode.sample)).train()
    ready = trainer(lambda episode: float(episode.sample), max_resampling=5).train()

    assert [row.pop("resampling") for row in ready] == [0, 0]
    assert [row.pop("resampled_groups") for row in ready] == [0, 0]
    assert list(map(without_times, ready)) == list(map(without_times, plain))


def test_resampling_is_reproduced_and_resumed(tmp_path: Any) -> None:  # noqa: ANN401
    """A run that goes on from its first step has the same log."""
    settings = {"max_resampling": 50, "output_dir": str(tmp_path)}
    rows = list(map(without_times, trainer(even, **settings).train()))
    resumed = trainer(even, **settings).train(resume_from_checkpoint=tmp_path / "step_000001")

    assert list(map(without_times, resumed)) == rows


def test_an_estimator_that_compares_groups_has_none_to_replace() -> None:
    """With REINFORCE++ a group of equal rewards teaches something."""
    with pytest.raises(InvalidValueError, match="'reinforce\\+\\+' compares the groups"):
        RFTConfig(estimator="reinforce++", max_resampling=1)
    with pytest.raises(InvalidValueError, match="`max_resampling` is a whole number"):
        RFTConfig(max_resampling=-1)


def test_a_split_of_fewer_tasks_than_a_step_plays_is_not_played_for_ever() -> None:
    """One task, drawn twice, is one group: with a difference nothing is missing."""
    keeper = Keeper()
    settings = {"max_resampling": 4, "max_steps": 1, "tasks_per_step": 3}
    rft = trainer(lambda episode: float(episode.sample == 0), keeper, **settings)
    tasks = [Episode(ENV, "corridor/easy/train/0")]
    play = rft._player._play_round

    def play_one(step: int, number: int, weights: Any, count: int) -> list[Trajectory]:  # noqa: ANN401
        assert number == 0, "nothing is missing"
        assert len(play(step, number, weights, count)) == 9
        return rft._player.rollout(tasks * count, 3, 0)

    rft._player._play_round = play_one  # type: ignore[method-assign]
    (row,) = rft.train()

    assert (row["groups"], row["resampling"], row["resampled_groups"]) == (1, 0, 0)


def test_a_group_of_which_all_is_masked_does_not_count_as_different() -> None:
    """Its rewards differ, but no episode of it is learned from."""
    cut = [Trajectory(ENV, "x/0", "", n, (), "", False, n / 2, "turn_limit") for n in range(2)]
    won = replace(cut[1], end_reason="success", success=True)
    masked = RFTConfig(truncation="mask", reward="score")

    assert differs(cut, RFTConfig(reward="score"))
    assert not differs(cut, masked)
    assert differs([cut[0], won], masked)

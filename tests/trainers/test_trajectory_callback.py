"""The episodes of a training are kept in a file, once each, however often it was resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.trajectory_files import read_trajectory_lines
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.trainers import RFTConfig, RFTTrainer, TinySize, TrajectoryCallback, build_tiny

ENV = "rftgen/Corridor-easy-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def train(out: Path, steps: int, *callbacks: object, resume: bool = False, **settings: Any) -> None:  # noqa: ANN401
    """Train a model with random weights for *steps* steps of four episodes."""
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    args = RFTConfig(
        output_dir="" if out == Path() else str(out),
        max_steps=steps,
        lora_rank=2,
        tasks_per_step=2,
        num_generations=2,
        max_turns=2,
        max_new_tokens=3,
        **settings,
    )
    style = PromptStyle("action", instruction=False)
    trainer = RFTTrainer(
        model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=style, callbacks=callbacks
    )
    trainer.train(resume_from_checkpoint=resume)


def steps_of(out: Path) -> list[int]:
    """Return the step of each line of the file."""
    lines = read_trajectory_lines(out / "trajectories.jsonl")
    return [line.labels["step"] for _, line in lines]


def test_every_episode_of_a_training_is_a_line(tmp_path: Path) -> None:
    """With its tokens, their texts and their log-probabilities."""
    train(tmp_path, 2, TrajectoryCallback())
    lines = [line for _, line in read_trajectory_lines(tmp_path / "trajectories.jsonl")]

    assert steps_of(tmp_path) == [1] * 4 + [2] * 4
    for line in lines:
        for turn, texts in zip(line.trajectory.turns, line.tokens, strict=True):
            completion = turn.completion
            assert len(texts) == len(completion.action_ids) == len(completion.logprobs) > 0
            assert all(number <= 0 for number in completion.logprobs)


def test_fewer_steps_and_episodes_can_be_kept(tmp_path: Path) -> None:
    """Every second step, three episodes each."""
    train(tmp_path, 4, TrajectoryCallback(every=2, episodes=3))

    assert steps_of(tmp_path) == [2] * 3 + [4] * 3


def test_a_resumed_training_goes_on_with_the_file(tmp_path: Path) -> None:
    """Steps after the checkpoint come again, and are there once."""
    train(tmp_path, 2, TrajectoryCallback(), save_steps=2)
    path = tmp_path / "trajectories.jsonl"
    first = path.read_text()
    path.write_text(first + first.splitlines()[-1].replace('"step": 2', '"step": 3') + '\n{"half')
    train(tmp_path, 3, TrajectoryCallback(), resume=True)

    assert path.read_text().startswith(first)
    assert steps_of(tmp_path) == [1] * 4 + [2] * 4 + [3] * 4


def test_a_file_of_somebody_else_stays(tmp_path: Path) -> None:
    """The training says so before its first step."""
    (tmp_path / "trajectories.jsonl").write_text('{"my": 1}\n')

    with pytest.raises(DataError, match=r"No trajectory in line 1 of .*trajectories\.jsonl"):
        train(tmp_path, 1, TrajectoryCallback())
    assert (tmp_path / "trajectories.jsonl").read_text() == '{"my": 1}\n'


@pytest.mark.parametrize("settings", [{"every": 0}, {"episodes": 0}, {"every": True}])
def test_numbers_are_checked(settings: dict[str, Any]) -> None:
    """Both count from 1."""
    with pytest.raises(InvalidValueError, match="is 1 or more, not"):
        TrajectoryCallback(**settings)


def test_it_needs_an_output_folder() -> None:
    """Without one there is no place for the file."""
    with pytest.raises(InvalidValueError, match="set `output_dir`"):
        train(Path(), 1, TrajectoryCallback())

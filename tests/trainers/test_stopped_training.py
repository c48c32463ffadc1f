"""A training that goes wrong is stopped, with the weights of the last good step, and stays so."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.trainers import (
    RFTConfig,
    RFTTrainer,
    SFTConfig,
    SFTTrainer,
    TinySize,
    build_tiny,
)
from agentgym_gen.trainers.algorithm.objective import Objective
from agentgym_gen.trainers.demos import demonstrations, expert_texts
from agentgym_gen.trainers.models.types import Model, Tokenizer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


@pytest.fixture
def warm() -> tuple[Model, Tokenizer]:
    """Return a model after 40 steps on demonstrations."""
    size = TinySize(2, 32, 2, 300, 512)
    model, tokenizer = build_tiny(expert_texts([ENV], STYLE, number=20), 0, size)
    trajectories = demonstrations([ENV], tokenizer, STYLE, number=20)
    args = SFTConfig(lora_rank=0, learning_rate=5e-3, max_steps=40, batch_size=8)
    SFTTrainer(model, tokenizer, args, trajectories).train()
    return model, tokenizer


@pytest.fixture
def _gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every update have a gap between the sampler and the scorer."""
    metrics = Objective.metrics
    monkeypatch.setattr(Objective, "metrics", lambda *args: metrics(*args) | {"sampler_gap": 0.3})


def trainer(warm: tuple[Model, Tokenizer], *callbacks: object, **settings: Any) -> RFTTrainer:  # noqa: ANN401
    """Return a trainer."""
    small = {"max_steps": 9, "tasks_per_step": 2, "num_generations": 4, "max_turns": 3}
    small |= {"max_new_tokens": 6, "learning_rate": 1e-3, "invalid_penalty": 0.1, "lora_rank": 0}
    reward = settings.pop("reward", None)
    return RFTTrainer(
        model=warm[0],
        tokenizer=warm[1],
        envs=[ENV],
        args=RFTConfig(**(small | settings)),
        style=STYLE,
        callbacks=callbacks,
        reward=reward,
    )


def weights_of(model: Model) -> dict[str, torch.Tensor]:
    """Return a copy of all weights."""
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def is_unchanged(model: Model, before: dict[str, torch.Tensor]) -> bool:
    """Return whether *model* has the weights *before*."""
    return all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


@pytest.mark.usefixtures("_gap")
@pytest.mark.parametrize("logging_steps", [1, 5])
def test_a_sampler_gap_warns_and_stops_where_it_persists(
    warm: tuple[Model, Tokenizer], logging_steps: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The third update in a row ends the training, with the weights from before the first."""
    before = weights_of(warm[0])
    with caplog.at_level(logging.WARNING):
        history = trainer(warm, logging_steps=logging_steps).train()

    assert history[-1]["stopped"] == "the sampler and the scorer differ"
    assert history[-1]["step"] == 3
    assert "differ by 0.300 on average, more than `max_sampler_gap` (0.050)" in caplog.text
    assert is_unchanged(warm[0], before)


class StepCounter:
    """Knows which step is made."""

    step = 0

    def on_step_begin(self, args: object, state: Any, control: object, **extras: Any) -> None:  # noqa: ANN401
        self.step = state.global_step + 1

    def reward(self, trajectory: Trajectory) -> float:
        """Return equal rewards at every second step, which then makes no update."""
        return float(self.step % 2 * len(trajectory.turns[0].completion.text))


@pytest.mark.usefixtures("_gap")
def test_steps_without_an_update_do_not_hide_a_gap(warm: tuple[Model, Tokenizer]) -> None:
    """The weights are those from before the first of the three updates, idle steps between."""
    before, counter = weights_of(warm[0]), StepCounter()
    settings = {"invalid_penalty": 0.0, "reward": counter.reward}
    history = trainer(warm, counter, **settings).train()

    assert ["sampler_gap" in row for row in history] == [True, False, True, False, True]
    assert "stopped" in history[-1]
    assert is_unchanged(warm[0], before)


class KillAt:
    """Raises before a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_begin(self, args: object, state: Any, control: object, **extras: Any) -> None:  # noqa: ANN401
        if state.global_step == self.step:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("_gap")
@pytest.mark.parametrize("logging_steps", [1, 5])
def test_weights_after_a_gap_are_not_called_good_by_a_resumed_training(
    warm: tuple[Model, Tokenizer],
    tmp_path: Path,
    logging_steps: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has no weights from before the gap, stays where it is, and says so.

    It knows the steps before, whether they were logged or not.
    """
    settings = {"output_dir": tmp_path, "logging_steps": logging_steps}
    with pytest.raises(KeyboardInterrupt):
        trainer(warm, KillAt(2), **settings).train()
    with caplog.at_level(logging.WARNING):
        history = trainer(warm, **settings).train(resume_from_checkpoint=True)

    assert (history[-1]["step"], "stopped" in history[-1]) == (3, True)
    assert "those of an earlier checkpoint may be better" in caplog.text


@pytest.mark.usefixtures("_gap")
def test_a_stopped_training_that_is_resumed_stays_stopped(
    warm: tuple[Model, Tokenizer], tmp_path: Path
) -> None:
    """The log, the weights and the checkpoints are as they were."""
    first = trainer(warm, output_dir=tmp_path).train()
    before = weights_of(warm[0])
    files = sorted(path.name for path in tmp_path.iterdir())
    second = trainer(warm, output_dir=tmp_path).train(resume_from_checkpoint=True)

    assert second == first
    assert is_unchanged(warm[0], before)
    assert sorted(path.name for path in tmp_path.iterdir()) == files

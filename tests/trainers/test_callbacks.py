"""Callbacks are called in order, and can stop, save and evaluate."""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import InvalidValueError, MissingExtraError
from agentgym_gen.trainers.callbacks import EVENTS, TrainerCallback
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.logging.curve import draw_curve
from agentgym_gen.trainers.logging.reporting import numbers
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
TEXTS = ["You are at door 1. Goal: to open door 4.", "walk to door 2", "It opens.", "wait"]
SMALL: dict[str, Any] = {
    "lora_rank": 2,
    "max_steps": 3,
    "tasks_per_step": 1,
    "num_generations": 2,
    "max_turns": 2,
    "max_new_tokens": 3,
    "eval_tasks": 2,
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def trainer(*callbacks: object, **settings: object) -> RFTTrainer:
    """Return a trainer of a model with random weights."""
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(**(SMALL | settings)),
        style=PromptStyle("action", instruction=False),
        callbacks=callbacks,
    )


class EventRecorder(TrainerCallback):
    """Records the events that it receives."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        for name in EVENTS:
            setattr(self, name, partial(self.record, name))

    def record(self, name: str, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        self.calls.append((name, state.global_step))


class RequestAfterFirstStep(TrainerCallback):
    """Sets a field of the control after the first step."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_step_end(self, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        if state.global_step == 1:
            setattr(control, self.name, True)


def test_events_come_in_order(tmp_path: Path) -> None:
    """With an evaluation every second step and a checkpoint after each, the order is as listed."""
    recorder = EventRecorder()
    trainer(recorder, output_dir=str(tmp_path), max_steps=2, eval_steps=2).train()

    assert recorder.calls == [
        ("on_train_begin", 0),
        ("on_step_begin", 0),
        ("on_step_end", 1),
        ("on_log", 1),
        ("on_save", 1),
        ("on_step_begin", 1),
        ("on_step_end", 2),
        ("on_evaluate", 2),
        ("on_log", 2),
        ("on_save", 2),
        ("on_train_end", 2),
    ]


def test_a_callback_stops_the_training(tmp_path: Path) -> None:
    """The training stops after that step, with a checkpoint of it."""
    history = trainer(
        RequestAfterFirstStep("should_training_stop"), output_dir=str(tmp_path)
    ).train()

    assert [row["step"] for row in history] == [1]
    assert [path.name for path in tmp_path.glob("step_*")] == ["step_000001"]


def test_a_callback_requests_an_evaluation() -> None:
    """The evaluation is made once, and its metrics are in the row of that step."""
    history = trainer(RequestAfterFirstStep("should_evaluate")).train()

    assert ["eval/success" in row for row in history] == [True, False, False]
    assert history[0]["eval/episodes"] == 2
    assert 0 <= history[0][f"eval/{ENV}/valid"] <= 1


def test_a_callback_requests_a_checkpoint(tmp_path: Path) -> None:
    """A checkpoint is written after that step, besides the last one."""
    trainer(RequestAfterFirstStep("should_save"), output_dir=str(tmp_path), save_steps=0).train()

    assert sorted(path.name for path in tmp_path.glob("step_*")) == ["step_000001", "step_000003"]


@pytest.mark.parametrize("wrong", [EventRecorder, "print", 3])
def test_what_is_no_callback_is_refused(wrong: object) -> None:
    """A class, and an object without any of the methods, are refused."""
    with pytest.raises(InvalidValueError, match="A callback is an instance"):
        trainer(wrong)


def test_evaluation_has_k_episodes_of_each_task() -> None:
    """It plays k episodes of each task, and pass@k is at least the mean success."""
    metrics = trainer().evaluate(k=3, number=2)

    assert metrics["episodes"] == 6
    assert metrics["success"] <= metrics["pass_at_k"] <= 1
    assert metrics[f"{ENV}/success"] == metrics["success"]


def test_rows_go_to_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is started with the settings, gets every row and is finished."""
    calls: list[tuple[str, Any]] = []
    fake = SimpleNamespace(
        init=lambda **settings: calls.append(("init", settings["config"]["max_steps"])),
        log=lambda row, step: calls.append(("log", (step, row["success"]))),
        finish=lambda: calls.append(("finish", None)),
    )
    monkeypatch.setitem(sys.modules, "trackio", fake)  # type: ignore[arg-type]
    history = trainer(report_to=("trackio",), max_steps=2).train()

    rows = [("log", (row["step"], row["success"])) for row in history]
    assert calls == [("init", 2), *rows, ("finish", None)]


def test_a_service_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes before anything is played, and has the command that installs the service."""
    monkeypatch.setitem(sys.modules, "wandb", None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match="pip install wandb"):
        trainer(report_to=("wandb",))


def test_only_numbers_are_reported() -> None:
    """A text is left out, and so is the step, which is the axis."""
    assert numbers({"step": 3, "success": 0.5, "stopped": "why", "groups": 2}) == {
        "success": 0.5,
        "groups": 2.0,
    }


def test_a_checkpoint_has_a_card_with_the_curve(tmp_path: Path) -> None:
    """The card has the kind of model, the success and the settings; two checkpoints are kept."""
    trainer(output_dir=str(tmp_path)).train()
    names = sorted(path.name for path in tmp_path.glob("step_*"))
    card = (tmp_path / names[-1] / "README.md").read_text()

    assert names == ["step_000002", "step_000003"]
    assert "library_name: peft" in card
    assert "RFT, 3 steps: success went from" in card
    assert "| lora_rank | `2` |" in card
    assert (tmp_path / names[-1] / "curve.svg").read_text().startswith("<svg")


def test_the_curve_goes_through_its_points() -> None:
    """The curve goes from the bottom left to the top right; many points have means beside them."""
    picture = draw_curve([(1, 0.0), (2, 0.5)], "success")

    assert picture.count('<polyline points="46.0,220.0 342.0,40.0"') == 1
    assert draw_curve([(step, step / 40) for step in range(41)], "success").count("<polyline") == 2
    assert ">step 1<" in picture
    assert ">0.5<" in picture

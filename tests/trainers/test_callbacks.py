"""Callbacks are told in order, and can stop, save and evaluate."""

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
    """Return a trainer of a model that says noise."""
    model, tokenizer = build_tiny(TEXTS, size=TinySize(1, 16, 2, 300, 512))
    return RFTTrainer(
        model=model,
        tokenizer=tokenizer,
        envs=[ENV],
        args=RFTConfig(**(SMALL | settings)),
        style=PromptStyle("action", instruction=False),
        callbacks=callbacks,
    )


class Listener(TrainerCallback):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        for name in EVENTS:
            setattr(self, name, partial(self.hear, name))

    def hear(self, name: str, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        self.told.append((name, state.global_step))


class Wish(TrainerCallback):
    """Asks for something after the first step."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_step_end(self, args: Any, state: Any, control: Any, **extras: Any) -> None:  # noqa: ANN401
        if state.global_step == 1:
            setattr(control, self.name, True)


def test_events_come_in_order(tmp_path: Path) -> None:
    """An evaluation every second step, a checkpoint after each."""
    listener = Listener()
    trainer(listener, output_dir=str(tmp_path), max_steps=2, eval_steps=2).train()

    assert listener.told == [
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
    """After the step, and the checkpoint is of that step."""
    history = trainer(Wish("should_training_stop"), output_dir=str(tmp_path)).train()

    assert [row["step"] for row in history] == [1]
    assert [path.name for path in tmp_path.glob("step_*")] == ["step_000001"]


def test_a_callback_asks_for_an_evaluation() -> None:
    """It is made once; its measurements are in the row."""
    history = trainer(Wish("should_evaluate")).train()

    assert ["eval/success" in row for row in history] == [True, False, False]
    assert history[0]["eval/episodes"] == 2
    assert 0 <= history[0][f"eval/{ENV}/valid"] <= 1


def test_a_callback_asks_for_a_checkpoint(tmp_path: Path) -> None:
    """Besides the last one."""
    trainer(Wish("should_save"), output_dir=str(tmp_path), save_steps=0).train()

    assert sorted(path.name for path in tmp_path.glob("step_*")) == ["step_000001", "step_000003"]


@pytest.mark.parametrize("wrong", [Listener, "print", 3])
def test_what_is_no_callback_is_refused(wrong: object) -> None:
    """A class, or a thing without any of the methods."""
    with pytest.raises(InvalidValueError, match="A callback is an instance"):
        trainer(wrong)


def test_evaluation_has_k_episodes_of_each_task() -> None:
    """And counts the tasks that were won at least once."""
    found = trainer().evaluate(k=3, number=2)

    assert found["episodes"] == 6
    assert found["success"] <= found["pass_at_k"] <= 1
    assert found[f"{ENV}/success"] == found["success"]


def test_rows_go_to_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is begun with the settings, gets every row and is ended."""
    told: list[tuple[str, Any]] = []
    fake = SimpleNamespace(
        init=lambda **given: told.append(("init", given["config"]["max_steps"])),
        log=lambda row, step: told.append(("log", (step, row["success"]))),
        finish=lambda: told.append(("finish", None)),
    )
    monkeypatch.setitem(sys.modules, "trackio", fake)  # type: ignore[arg-type]
    history = trainer(report_to=("trackio",), max_steps=2).train()

    rows = [("log", (row["step"], row["success"])) for row in history]
    assert told == [("init", 2), *rows, ("finish", None)]


def test_a_service_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is played, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "wandb", None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match="pip install wandb"):
        trainer(report_to=("wandb",))


def test_only_numbers_are_reported() -> None:
    """A sentence has no axis; the step is the axis."""
    assert numbers({"step": 3, "success": 0.5, "stopped": "why", "groups": 2}) == {
        "success": 0.5,
        "groups": 2.0,
    }


def test_a_checkpoint_has_a_card_with_the_curve(tmp_path: Path) -> None:
    """What it is, how to load it, and the success of each step; only the newest two are kept."""
    trainer(output_dir=str(tmp_path)).train()
    names = sorted(path.name for path in tmp_path.glob("step_*"))
    card = (tmp_path / names[-1] / "README.md").read_text()

    assert names == ["step_000002", "step_000003"]
    assert "library_name: peft" in card
    assert "RFT, 3 steps: success went from" in card
    assert "| lora_rank | `2` |" in card
    assert (tmp_path / names[-1] / "curve.svg").read_text().startswith("<svg")


def test_the_curve_goes_through_its_points() -> None:
    """From the bottom left to the top right of a field of 36 pixels margin."""
    assert '<polyline points="36.0,204.0 604.0,36.0"' in draw_curve([(1, 0.0), (2, 0.5)], "success")

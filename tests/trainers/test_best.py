"""The best weights are kept, a training without hope ends, and both are resumed exactly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from agentgym_gen import Registered, register
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.trainers.best import best_step, is_exhausted
from agentgym_gen.trainers.callbacks import LogRow
from agentgym_gen.trainers.config import RFTConfig
from agentgym_gen.trainers.models.tiny import TinySize, build_tiny
from agentgym_gen.trainers.rft import RFTTrainer

ENV = "rftgen/Corridor-easy-v0"
STYLE = PromptStyle("action", instruction=False)
SETTINGS: dict[str, Any] = {
    "lora_rank": 0,
    "max_steps": 6,
    "tasks_per_step": 1,
    "num_generations": 2,
    "max_turns": 2,
    "max_new_tokens": 3,
    "invalid_penalty": 0.1,
    "turn_cost": 0.01,
    "learning_rate": 1e-2,
    "eval_steps": 1,
    "eval_tasks": 1,
    "save_best": "success",
    "save_total_limit": 0,
}


@pytest.fixture(scope="module", autouse=True)
def _corridor() -> None:
    register(Registered("Corridor", "toy_world:CorridorWorld"))


def trainer(
    folder: Path, values: list[float], monkeypatch: pytest.MonkeyPatch, **settings: object
) -> RFTTrainer:
    """Return a trainer whose evaluation after step n is the n-th of *values*."""
    model, tokenizer = build_tiny(["walk to door 2", "It opens."], 0, TinySize(1, 16, 2, 300, 512))
    args = RFTConfig(**(SETTINGS | {"output_dir": str(folder)} | settings))
    rft = RFTTrainer(model=model, tokenizer=tokenizer, envs=[ENV], args=args, style=STYLE)

    def evaluate(**_: object) -> dict[str, float]:
        return {"success": values[rft._learner.step - 1]}

    monkeypatch.setattr(rft, "evaluate", evaluate)
    return rft


def best_of(folder: Path) -> int:
    """Return the step of the folder ``best``, whose weights are those of that checkpoint."""
    step = json.loads((folder / "best" / "state.json").read_text())["step"]
    files = [folder / name / "model.safetensors" for name in ("best", f"step_{step:06d}")]
    first, second = (load_file(file) for file in files)
    assert all(bool((first[name] == second[name]).all()) for name in first)
    return int(step)


def rows(*values: float) -> list[LogRow]:
    """Return a log with an evaluation at every second step."""
    log: list[LogRow] = []
    for number, value in enumerate(values):
        log += [{"step": 2 * number + 1}, {"step": 2 * number + 2, "eval/success": value}]
    return log


def test_of_equal_evaluations_the_first_is_the_best() -> None:
    """A later one has to be better; without any there is none."""
    assert best_step(rows(0.1, 0.5, 0.3, 0.5), "success") == 4
    assert best_step(rows(), "success") is None
    assert best_step(rows(0.1), "score") is None


@pytest.mark.parametrize(
    ("values", "patience", "expected"),
    [
        ((0.5, 0.4), 2, False),
        ((0.5, 0.4, 0.5), 2, True),
        ((0.5, 0.4, 0.6), 2, False),
        ((0.5, 0.4, 0.4, 0.4), 0, False),
        ((), 1, False),
    ],
)
def test_patience_counts_evaluations_that_were_not_better(
    values: tuple[float, ...], patience: int, expected: bool
) -> None:
    """So many in a row since the best; 0 has patience for ever."""
    assert is_exhausted(rows(*values), "success", patience) is expected


def test_the_best_weights_are_kept_and_the_training_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says why; the last weights are others; resuming makes no further step."""
    values = [0.1, 0.4, 0.2, 0.4, 0.9, 0.9]
    history = trainer(tmp_path, values, monkeypatch, patience=2).train()

    assert [row["step"] for row in history] == [1, 2, 3, 4]
    assert history[-1]["stopped"] == "2 evaluations were not better than the best"
    assert best_of(tmp_path) == 2
    again = trainer(tmp_path, values, monkeypatch, patience=2).train(resume_from_checkpoint=True)
    assert [row["step"] for row in again] == [1, 2, 3, 4]


def test_best_weights_are_those_of_an_unbroken_run_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is resumed before its best evaluation keeps the same weights in the end."""
    values = [0.3, 0.1, 0.5, 0.2, 0.1, 0.1]
    trainer(tmp_path / "whole", values, monkeypatch).train()
    assert best_of(tmp_path / "whole") == 3

    trainer(tmp_path / "killed", values, monkeypatch, max_steps=3).train()
    killed = tmp_path / "killed"
    shutil.rmtree(killed / "step_000003")  # killed after `best` and before the checkpoint
    assert best_of_step(killed) == 3
    resumed = trainer(killed, values, monkeypatch)
    resumed.train(resume_from_checkpoint=True)

    assert best_of(killed) == 3
    first, second = (
        load_file(f / "best" / "model.safetensors") for f in (tmp_path / "whole", killed)
    )
    assert all(bool((first[name] == second[name]).all()) for name in first)


def best_of_step(folder: Path) -> int:
    """Return the step that the folder ``best`` is of."""
    return int(json.loads((folder / "best" / "state.json").read_text())["step"])


def test_best_weights_of_another_course_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resuming from before them, the log does not call them best."""
    trainer(tmp_path, [0.1, 0.2, 0.9, 0.3], monkeypatch, max_steps=4).train()
    other = trainer(tmp_path, [0.1, 0.2, 0.1, 0.1], monkeypatch, max_steps=4)
    other.train(resume_from_checkpoint=tmp_path / "step_000002")

    assert not (tmp_path / "best").exists()
    assert json.loads((tmp_path / "best.aside" / "state.json").read_text())["step"] == 3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"save_best": "success", "eval_steps": 0}, "`eval_steps` above 0"),
        ({"save_best": "sucess"}, "Unknown metric of `save_best` 'sucess'"),
        ({"save_best": "", "patience": 2}, "`patience` needs a metric"),
        ({"patience": -1}, "`patience` is a whole number"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], sentence: str) -> None:
    """Before anything is trained."""
    with pytest.raises(InvalidValueError, match=sentence):
        RFTConfig(**(SETTINGS | settings))


def test_best_weights_come_along_into_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of the resumed training calls them best, and has no better evaluation."""
    values = [0.1, 0.9, 0.2, 0.1]
    trainer(tmp_path / "old", values, monkeypatch, max_steps=3).train()
    other = trainer(tmp_path / "new", values, monkeypatch, max_steps=4)
    other.train(resume_from_checkpoint=tmp_path / "old" / "step_000003")

    assert best_of_step(tmp_path / "new") == 2
    assert best_of_step(tmp_path / "old") == 2
    assert other.args.save_best == "success"


def test_best_weights_from_after_the_checkpoint_do_not_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to another course of the training."""
    trainer(tmp_path / "old", [0.1, 0.2, 0.9], monkeypatch, max_steps=3).train()
    other = trainer(tmp_path / "new", [0.1, 0.2, 0.1], monkeypatch, max_steps=3)
    other.train(resume_from_checkpoint=tmp_path / "old" / "step_000002")

    assert not (tmp_path / "new" / "best").exists()
    assert best_of_step(tmp_path / "old") == 3

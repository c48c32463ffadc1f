"""Runs a training plan into a folder: warm start, reinforcement fine-tuning, the finished model.

    train.json      the plan, its key, and the versions it began with
    base/           the model that reinforcement fine-tuning starts from, with the log of its making
    rft/            the log and the checkpoints of reinforcement fine-tuning
    model/          the finished model: an adapter, or all weights
    result.json     written last

A run that was killed goes on from its last checkpoint. A folder of another plan is refused.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.study.plan.validation import first_difference, short_repr
from agentgym_gen.study.results.provenance import code_state
from agentgym_gen.study.run.recipes import PretrainedRecipe, StepPrinter, TinyRecipe
from agentgym_gen.system.file_lock import LOCK_NAME, lock_folder
from agentgym_gen.system.files import is_temporary, write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.training.plan import TrainingPlan

if TYPE_CHECKING:
    from agentgym_gen.trainers import RFTConfig, RFTTrainer

__all__ = ["check_folder", "make_trainer", "recipe_of_plan", "run_training"]

PLAN, RESULT = "train.json", "result.json"

Log = Callable[[str], None]


def run_training(plan: TrainingPlan, out: Path, log: Log = print) -> Path:
    """Do what is not yet done of *plan* in *out*, and return the folder of the finished model.

    Args:
        plan: The plan.
        out: The folder of the run.
        log: Called with each line of progress.

    Raises:
        ResultExistsError: if *out* holds another training, or another run writes to it.
        DataError: if it cannot be written, or there is no such model.
        TrainingError: if the loss is not a number, or memory runs out.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InvalidValueError(
            "A training from a file runs in one process; several train with a script of "
            "`RFTTrainer`, started by torchrun"
        )
    check_folder(plan, out)  # the lock is a file already
    with lock_folder(out, "another folder with --out"):
        check_folder(plan, out)
        if not (out / PLAN).exists():
            write_json(out / PLAN, {"key": plan.key(), **code_state(), "plan": plan.as_dict()})
        if (out / RESULT).exists():
            log(f"Nothing is left to do in {out}")
        else:
            _run(plan, out, log)
    return out / "model"


def check_folder(plan: TrainingPlan, out: Path) -> None:
    """Raise unless *out* holds *plan* or nothing.

    Raises:
        ResultExistsError: if *out* holds another training, or files of others.
        DataError: if its plan cannot be read.
    """
    path = out / PLAN
    if path.exists():
        record = parse_json(read_text(path), str(path))
        if not isinstance(record, dict) or not isinstance(record.get("plan"), dict):
            raise DataError(f"{path} is no plan of a training; choose another folder with --out")
        if record.get("key") != plan.key():
            key, old, new = first_difference(record["plan"], plan.as_dict())
            raise ResultExistsError(
                f"{out} holds another training: there `{key}` is {_shown(old)}, and here it is "
                f"{_shown(new)}; choose another folder with --out, or remove the old one"
            )
        return
    others = [p.name for p in out.iterdir()] if out.is_dir() else []
    others = [name for name in others if name != LOCK_NAME and not is_temporary(Path(name))]
    if others:
        raise ResultExistsError(
            f"{out} holds {others[0]!r}, and no training; choose another folder with --out"
        )


def recipe_of_plan(plan: TrainingPlan) -> TinyRecipe | PretrainedRecipe:
    """Return how the model of *plan* is made and warmed up."""
    from agentgym_gen.trainers import RFTConfig

    settings: dict[str, Any] = {
        "style_of": plan.style.for_env,
        "rft": plan.rft or RFTConfig(),
        "warm_start": plan.warm_start,
        "demonstrations": plan.demonstrations or dict.fromkeys(plan.envs, 0),
    }
    if plan.size is None:
        return PretrainedRecipe(name=plan.model, **settings)
    return TinyRecipe(size=plan.size, text_episodes=plan.text_episodes, **settings)


def _run(plan: TrainingPlan, out: Path, log: Log) -> None:
    recipe = recipe_of_plan(plan)
    base = out / ("model" if plan.rft is None else "base")
    recipe.make_base(base, plan.seed, log)
    result: dict[str, Any] = {"model": "model"}
    if plan.rft is not None:
        rft = replace(plan.rft, output_dir=str(out / "rft"))
        trainer = make_trainer(plan, rft, recipe.source(base), log)
        history = trainer.train(resume_from_checkpoint=True)
        _save_final(trainer, out)
        result["last_row"] = history[-1] if history else {}
    write_json(out / RESULT, result)


def _save_final(trainer: RFTTrainer, out: Path) -> None:
    """Write the finished model: the best one, where the settings keep it, or else the last."""
    from agentgym_gen.trainers import checkpoint

    best = out / "rft" / checkpoint.BEST
    if not trainer.args.save_best or not best.is_dir():
        trainer.save_model(out / "model")
        return
    with checkpoint.writing(out / "model", "the model"):
        hidden = shutil.ignore_patterns(checkpoint.STATE)
        shutil.copytree(best, out / "model", dirs_exist_ok=True, ignore=hidden)


def make_trainer(plan: TrainingPlan, rft: RFTConfig, source: str | Path, log: Log) -> RFTTrainer:
    """Return the trainer of reinforcement fine-tuning.

    Args:
        plan: The plan.
        rft: Its settings, with the folder of the log and the checkpoints.
        source: What the model is loaded from.
        log: Called with each line of progress.
    """
    from agentgym_gen.trainers import RFTTrainer
    from agentgym_gen.trainers.models.progress_bars import hide_progress_bars

    hide_progress_bars()
    return RFTTrainer(
        model=source,
        envs=plan.envs,
        args=rft,
        style=plan.style,
        callbacks=[StepPrinter("reinforcement", "success", log)],
    )


def _shown(value: object) -> str:
    return "the default" if value is None else short_repr(value)

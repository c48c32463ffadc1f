"""Runs a training plan into a folder: warm start, reinforcement fine-tuning, the finished model.

    train.json      the plan, its key, and the versions it began with
    base/           the model that reinforcement fine-tuning starts from, with the log of its making
    rft/            the log and the checkpoints of reinforcement fine-tuning
    model/          the finished model: an adapter, or all weights
    result.json     written last

A run that was killed goes on from its last checkpoint. A folder of another plan is refused. Several
processes, started by torchrun, do one run together; the main one writes and logs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.study.plan.validation import first_difference, short_repr
from agentgym_gen.study.results.provenance import code_state
from agentgym_gen.study.run.recipes import PretrainedRecipe, StepPrinter, TinyRecipe
from agentgym_gen.system.file_lock import LOCK_NAME, lock_folder
from agentgym_gen.system.files import is_temporary, write_json
from agentgym_gen.system.processors import launched_processes
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.training.plan import TrainingPlan

if TYPE_CHECKING:
    from agentgym_gen.trainers import RFTConfig, RFTTrainer
    from agentgym_gen.trainers.parallel.distributed import Distributed

__all__ = ["check_folder", "check_processes", "make_trainer", "recipe_of_plan", "run_training"]

PLAN, RESULT = "train.json", "result.json"

Log = Callable[[str], None]


def run_training(plan: TrainingPlan, out: Path, log: Log = print) -> Path:
    """Do what is not yet done of *plan* in *out*, and return the folder of the finished model.

    Args:
        plan: The plan.
        out: The folder of the run.
        log: Called with each line of progress.

    Raises:
        InvalidValueError: if weights are to be divided, and there is one process.
        ResultExistsError: if *out* holds another training, or another run writes to it.
        DataError: if it cannot be written, or there is no such model.
        TrainingError: if the loss is not a number, or memory runs out.
    """
    from agentgym_gen.trainers.parallel.distributed import Distributed

    check_processes(plan, launched_processes().size)
    processes = Distributed()
    log = log if processes.is_main else _log_nothing
    with ExitStack() as lock:
        is_done = processes.run_on_main(partial(_open_folder, plan, out, lock))
        if any(processes.gather([bool(is_done)])):
            log(f"Nothing is left to do in {out}")
        else:
            _run(plan, out, processes, log)
    return out / "model"


def check_processes(plan: TrainingPlan, processes: int) -> None:
    """Raise unless *plan* can be trained by so many processes.

    Raises:
        InvalidValueError: if weights are to be divided, and there is one process.
    """
    for name, settings in (("warm_start", plan.warm_start), ("rft", plan.rft)):
        if settings is not None and settings.fsdp and processes == 1:
            raise InvalidValueError(
                f"`{name}.fsdp` divides the weights among several processes, and this is the only "
                f"one; start several with --processes N, or set {name}.fsdp=false"
            )


def _log_nothing(_line: str) -> None:
    """Stand in for the log in all processes but the main one."""


def _open_folder(plan: TrainingPlan, out: Path, lock: ExitStack) -> bool:
    """Lock the folder of the run and write the plan into it; return whether the run is done."""
    check_folder(plan, out)  # the lock is a file already
    lock.enter_context(lock_folder(out, "another folder with --out"))
    check_folder(plan, out)
    if not (out / PLAN).exists():
        write_json(out / PLAN, {"key": plan.key(), **code_state(), "plan": plan.as_dict()})
    return (out / RESULT).exists()


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
        "epsilon": plan.epsilon,
    }
    if plan.size is None:
        return PretrainedRecipe(name=plan.model, **settings)
    return TinyRecipe(size=plan.size, text_episodes=plan.text_episodes, **settings)


def _run(plan: TrainingPlan, out: Path, processes: Distributed, log: Log) -> None:
    recipe = recipe_of_plan(plan)
    base = out / ("model" if plan.rft is None else "base")
    recipe.make_base(base, plan.seed, log)
    result: dict[str, Any] = {"model": "model"}
    if plan.rft is not None:
        rft = replace(plan.rft, output_dir=str(out / "rft"))
        trainer = make_trainer(plan, rft, recipe.source(base), log)
        history = trainer.train(resume_from_checkpoint=True)
        _save_final(trainer, out, processes)
        result["last_row"] = history[-1] if history else {}
    processes.run_on_main(partial(write_json, out / RESULT, result))


def _save_final(trainer: RFTTrainer, out: Path, processes: Distributed) -> None:
    """Write the finished model: the best one, where the settings keep it, or else the last."""
    from agentgym_gen.trainers import checkpoint

    best = out / "rft" / checkpoint.BEST

    def copy_best() -> None:
        hidden = shutil.ignore_patterns(checkpoint.STATE)
        shutil.copytree(best, out / "model", dirs_exist_ok=True, ignore=hidden)

    with checkpoint.writing(out / "model", "the model"):
        if trainer.args.save_best and any(processes.gather([best.is_dir()])):
            processes.run_on_main(copy_best)
        else:
            trainer.save_model(out / "model")


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

"""Runs a study: models are made, trained and tested, and every cell leaves a file of rows.

The results folder holds everything and is never overwritten: what is finished is kept, so a
killed run goes on where it was. Training seeds are independent and can run side by side.

    plan.json                       the study and the versions it ran with
    models/base.s0/                 a model before RFT
    models/sokoban-easy.s0/         the same after training, with its log and checkpoints
    rows/base.s0.Sokoban-easy-v0.jsonl   one row per test episode, whole or absent
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.files import write_json, write_jsonl
from agentgym_gen.policy import Policy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.registration import check_env_id
from agentgym_gen.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan import BASE, ROW_SCHEMA, Arm, Cell, Study, cells
from agentgym_gen.study.progress import Progress
from agentgym_gen.trajectory import Trajectory

VERSIONS_OF = ("agentgym-gen", "gymnasium", "numpy", "torch", "transformers", "peft")

BASE_WEIGHT, TRAIN_WEIGHT, TEST_WEIGHT = 10.0, 20.0, 1.0
"""How long making a base model, training it and testing one column take, relative to another."""

Say = Callable[[str], None]


class Recipe(Protocol):
    """How the models of a study are made; `agentgym_gen.trainers.recipes` has them by name."""

    def style_of(self, env_id: str) -> PromptStyle:
        """Return how episodes of *env_id* are put to the model."""

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before RFT into *folder*, unless it is there whole."""

    def train(self, base: Path, folder: Path, arm: Arm, seed: int, say: Say) -> None:
        """Train *base* on the arm's environments into *folder*, going on from a checkpoint."""

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*."""


def run_study(
    study: Study, out: Path, *, say: Say, recipe: Recipe | None = None, workers: int = 1
) -> None:
    """Run what is not yet done of *study* into *out*.

    Args:
        study: The plan.
        out: The results folder.
        say: Called with each line of progress; with several workers it has to be picklable.
        recipe: How models are made; None takes the study's own recipe by name.
        workers: How many training seeds run side by side, each in a process of its own.

    Raises:
        ResultExistsError: if *out* holds another study.
        UnknownNameError: if a column or an arm names an unknown environment.
    """
    if workers < 1:
        raise InvalidValueError(f"`workers` is at least 1, not {workers!r}")
    for env_id in {*study.columns, *(env_id for arm in study.arms for env_id in arm.env_ids)}:
        check_env_id(env_id)
    recipe = recipe or _load_recipe(study.recipe)
    _claim(study, recipe, out)
    say(_cost(study, min(workers, len(study.seeds))))
    if workers == 1 or len(study.seeds) == 1:
        for seed in study.seeds:
            _run_seed(study, recipe, out, seed, say)
        return
    # Spawned, not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(study.seeds)), mp_context=context) as pool:
        jobs = [pool.submit(_run_seed, study, recipe, out, seed, say) for seed in study.seeds]
        for job in jobs:
            job.result()


def default_workers(study: Study) -> int:
    """Return how many seeds can run side by side here: one a processor that this may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(len(study.seeds), usable or 1))


def _run_seed(study: Study, recipe: Recipe, out: Path, seed: int, say: Say) -> None:
    """Make, train and test the models of one *seed*."""
    tasks = {column: held_out_tasks(study, column) for column in study.columns}
    progress = Progress(_stage_weights(study), say, f"seed {seed} ")
    base = model_folder(out, BASE, seed)
    with progress.stage("the base model"):
        recipe.make_base(base, seed, progress.detail)
    _test(study, recipe, (out, BASE, seed), tasks, progress)
    for arm in study.arms:
        folder = model_folder(out, arm.name, seed)
        with progress.stage(f"training on {arm.name}"):
            recipe.train(base, folder, arm, seed, progress.detail)
        _test(study, recipe, (out, arm.name, seed), tasks, progress)


def _cost(study: Study, workers: int) -> str:
    models = len(study.seeds) * (1 + len(study.arms))
    episodes = models * len(study.columns) * study.tasks * study.samples
    return (
        f"Study {study.name}: {models} models ({len(study.seeds)} seeds x (base + "
        f"{len(study.arms)} trained)), {models * len(study.columns)} cells, {episodes:,} test "
        f"episodes, {workers} seeds at a time"
    )


def model_folder(out: Path, arm: str, seed: int) -> Path:
    """Return the folder of the model of *arm* and *seed*."""
    return out / "models" / f"{arm}.s{seed}"


def rows_file(out: Path, cell: Cell) -> Path:
    """Return the file of the rows of *cell*."""
    return out / "rows" / f"{cell.name}.jsonl"


def held_out_tasks(study: Study, column: str) -> list[str]:
    """Return the test tasks of *column*: the same for every arm, seed and interface."""
    env = make_text_env(column, "test")
    rng = stream("study tasks", env.world.tasks.env, *env.tiers)
    return draw_task_ids(column, "test", study.tasks, rng)


def _stage_weights(study: Study) -> list[float]:
    tests = [TEST_WEIGHT] * len(study.columns)
    return [BASE_WEIGHT, *tests, *([TRAIN_WEIGHT, *tests] * len(study.arms))]


def _load_recipe(name: str) -> Recipe:
    from agentgym_gen.trainers.recipes import load_recipe

    return load_recipe(name)


def _settings(recipe: Recipe) -> str:
    """Return what the recipe's models depend on: the settings of a dataclass, or its kind."""
    return repr(recipe) if is_dataclass(recipe) else type(recipe).__qualname__


def check_plan(study: Study, recipe: Recipe, out: Path) -> bool:
    """Return whether *out* holds a plan, which then is this one.

    Raises:
        ResultExistsError: if it holds another plan, or results without one.
        DataError: if its plan cannot be read.
    """
    path = out / "plan.json"
    if not path.exists():
        if (out / "rows").exists() or (out / "models").exists():
            raise ResultExistsError(f"{out} holds results without a plan.json; move them away")
        return False
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["key"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"Cannot read {path}: it is not the plan of a study") from error
    if known != study.key(_settings(recipe)):
        raise ResultExistsError(
            f"{out} holds the results of another plan, {known!r}: the study, its recipe or the "
            "schema of its rows differ; choose another folder with --out, or move it away"
        )
    return True


def _claim(study: Study, recipe: Recipe, out: Path) -> None:
    """Write the plan into *out*, unless the same one is there."""
    if check_plan(study, recipe, out):
        return
    write_json(
        out / "plan.json",
        {
            "key": study.key(_settings(recipe)),
            "study": asdict(study),
            "recipe": _settings(recipe),
            "row_schema": ROW_SCHEMA,
            "python": platform.python_version(),
            "versions": {name: _version(name) for name in VERSIONS_OF},
        },
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _test(
    study: Study,
    recipe: Recipe,
    model: tuple[Path, str, int],
    tasks: dict[str, list[str]],
    progress: Progress,
) -> None:
    out, arm, seed = model
    policy: Policy | None = None
    for cell in cells(study, arm, seed):
        path = rows_file(out, cell)
        with progress.stage(f"testing {arm} on {cell.column}"):
            if path.exists():
                continue
            policy = policy or recipe.load_policy(model_folder(out, arm, seed))
            played = _play(study, cell, policy, recipe.style_of(cell.column), tasks[cell.column])
            write_jsonl(path, [row_of(cell, trajectory) for trajectory in played])


def _play(
    study: Study, cell: Cell, policy: Policy, style: PromptStyle, tasks: Sequence[str]
) -> list[Trajectory]:
    episodes = [
        Episode(cell.column, task, sample) for task in tasks for sample in range(study.samples)
    ]
    return run(episodes, policy, style=style, seed=cell.seed)


def row_of(cell: Cell, trajectory: Trajectory) -> dict[str, Any]:
    """Return the row of one test episode."""
    return {
        "schema": ROW_SCHEMA,
        "cell": cell.name,
        "arm": cell.arm,
        "seed": cell.seed,
        "column": cell.column,
        "task_id": trajectory.task_id,
        "sample": trajectory.sample,
        "interface": trajectory.interface,
        "success": trajectory.success,
        "score": trajectory.score,
        "reward": round(trajectory.total_reward, 6),
        "turns": len(trajectory.turns),
        "invalid_turns": trajectory.invalid_turns,
        "action_tokens": trajectory.action_tokens,
        "end_reason": trajectory.end_reason,
    }

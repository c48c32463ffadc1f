"""Runs a study: models are made, trained and tested, and every cell leaves a file of rows.

The results folder holds everything and is never overwritten: what is finished is kept, so a
killed run goes on where it was.

    plan.json                       the study and the versions it ran with
    models/base.s0/                 a model before RFT
    models/sokoban-easy.s0/         the same after training, with its log and checkpoints
    rows/base.s0.Sokoban-easy-v0.jsonl   one row per test episode, whole or absent
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.errors import ResultExistsError
from agentgym_gen.files import write_json, write_jsonl
from agentgym_gen.policy import Policy
from agentgym_gen.prompt import PromptStyle
from agentgym_gen.registration import check_env_id
from agentgym_gen.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan import BASE, Arm, Cell, Study, cells
from agentgym_gen.study.progress import Progress
from agentgym_gen.trajectory import Trajectory

ROW_SCHEMA = 1
"""The version of a row's keys; it rises when one changes its meaning."""

VERSIONS_OF = ("agentgym-gen", "gymnasium", "numpy", "torch", "transformers", "peft")

BASE_WEIGHT, TRAIN_WEIGHT, TEST_WEIGHT = 10.0, 20.0, 1.0
"""How long making a base model, training it and testing one column take, relative to another."""

Say = Callable[[str], None]


class Recipe(Protocol):
    """How the models of a study are made; `agentgym_gen.trainers.recipes` has them by name."""

    style: PromptStyle
    """How episodes are put to the model."""

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before RFT into *folder*, unless it is there whole."""

    def train(self, base: Path, folder: Path, arm: Arm, seed: int, say: Say) -> None:
        """Train *base* on the arm's environments into *folder*, going on from a checkpoint."""

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*."""


def run_study(study: Study, out: Path, *, say: Say, recipe: Recipe | None = None) -> None:
    """Run what is not yet done of *study* into *out*.

    Args:
        study: The plan.
        out: The results folder.
        say: Called with each line of progress.
        recipe: How models are made; None takes the study's own recipe by name.

    Raises:
        ResultExistsError: if *out* holds another study.
        UnknownNameError: if a column or an arm names an unknown environment.
    """
    for env_id in {*study.columns, *(env_id for arm in study.arms for env_id in arm.env_ids)}:
        check_env_id(env_id)
    _claim(study, out)
    recipe = recipe or _load_recipe(study.recipe)
    tasks = {column: held_out_tasks(study, column) for column in study.columns}
    progress = Progress(_stage_weights(study), say)
    for seed in study.seeds:
        base = model_folder(out, BASE, seed)
        with progress.stage(f"base model, seed {seed}"):
            recipe.make_base(base, seed, say)
        _test(study, recipe, (out, BASE, seed), tasks, progress)
        for arm in study.arms:
            folder = model_folder(out, arm.name, seed)
            with progress.stage(f"training on {arm.name}, seed {seed}"):
                recipe.train(base, folder, arm, seed, say)
            _test(study, recipe, (out, arm.name, seed), tasks, progress)


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
    base = [BASE_WEIGHT, *tests]
    trained = [TRAIN_WEIGHT, *tests] * len(study.arms)
    return (base + trained) * len(study.seeds)


def _load_recipe(name: str) -> Recipe:
    from agentgym_gen.trainers.recipes import load_recipe

    return load_recipe(name)


def _claim(study: Study, out: Path) -> None:
    """Write the plan into *out*, or check that the one that is there is the same."""
    path = out / "plan.json"
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        if known.get("key") != study.key:
            raise ResultExistsError(
                f"{out} holds the results of another plan ({known.get('key')!r}, not "
                f"{study.key!r}); choose another folder with --out, or move it away"
            )
        return
    write_json(
        path,
        {
            "key": study.key,
            "study": asdict(study),
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
        with progress.stage(f"testing {arm}, seed {seed}, on {cell.column}"):
            if path.exists():
                continue
            policy = policy or recipe.load_policy(model_folder(out, arm, seed))
            played = _play(study, cell, policy, recipe.style, tasks[cell.column])
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

"""Runs a study: models are made, trained and tested, and every cell leaves its rows.

The results folder holds everything and is never overwritten: what is finished is kept, so a killed
run goes on where it was.

    plan.json                   the plan, and the versions it ran with
    columns/<column>.json       the tasks of a column, and hashes of their content and prompt
    models/<arm>.s<seed>/       a model, with the log of its training
    cells/<arm>.s<seed>/<column>/   see `agentgym_gen.study.rows`
"""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.agents.policy import Policy
from agentgym_gen.agents.prompt import build
from agentgym_gen.agents.rollout import Episode, draw_task_ids, make_text_env, run
from agentgym_gen.env.registration import split_env_id
from agentgym_gen.errors import AgentGymGenError, DataError, DiskFullError, ResultExistsError
from agentgym_gen.seeding import stream
from agentgym_gen.study.executors import Executor, InProcess
from agentgym_gen.study.failures import RULES_VERSION
from agentgym_gen.study.jobs import column_file, is_done, make_jobs, models_by_name
from agentgym_gen.study.plan import Cell, ModelId, Plan, Stage, label
from agentgym_gen.study.provenance import code_state, model_hash
from agentgym_gen.study.rows import FAILURE, cell_folder, is_whole, model_folder, write_cell
from agentgym_gen.study.schedule import Outcome, run_jobs
from agentgym_gen.system.file_lock import lock_folder
from agentgym_gen.system.files import remove_temporary_files, write_json
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import read_text

Say = Callable[[str], None]


class Recipe(Protocol):
    """How the models of a study are made; `agentgym_gen.trainers.recipes` makes it from a plan."""

    def make_base(self, folder: Path, seed: int, say: Say) -> None:
        """Write the model before RFT into *folder*; ``recipe.json`` is written last."""

    def train(self, base: Path, folder: Path, stage: Stage, seed: int, say: Say) -> None:
        """Train *base* on *stage* into *folder*, going on from a checkpoint."""

    def load_policy(self, folder: Path) -> Policy:
        """Return the policy of the model in *folder*, decoding as the plan says."""


def run_plan(
    plan: Plan,
    out: Path,
    *,
    say: Say,
    recipe: Recipe | None = None,
    executor: Executor | None = None,
) -> Outcome:
    """Run what is not yet done of *plan* into *out*.

    Args:
        plan: The plan.
        out: The results folder.
        say: Called with each line of progress; with several processes it has to be picklable.
        recipe: How models are made; None takes the one that the plan spells.
        executor: Where jobs run; None runs them one after the other, here.

    Returns:
        What was done, and what failed; a failure is recorded and everything that does not need it
        goes on.

    Raises:
        ResultExistsError: if *out* holds another study, or another run writes to it.
    """
    where = executor or InProcess()
    with lock_folder(out, "another folder with --out"):
        claim(plan, out)
        remove_temporary_files(out)
        jobs = make_jobs(plan)
        finished = {job.name for job in jobs if is_done(plan, out, job)}
        try:
            return run_jobs(jobs, finished, Worker(plan, out, say, recipe), where, say)
        finally:
            where.close()


def claim(plan: Plan, out: Path) -> None:
    """Write *plan* into *out*, unless the same one is there.

    Raises:
        ResultExistsError: if it holds another plan, or results without one.
        DataError: if its plan cannot be read, or the folder cannot be written.
    """
    check_out(plan, out)
    path = out / "plan.json"
    if not path.exists():
        write_json(path, {"key": plan.key(), **code_state(), "plan": plan.as_dict()})


def check_out(plan: Plan, out: Path) -> None:
    """Raise unless *out* is free for *plan* or holds it already.

    Raises:
        ResultExistsError: if it holds another plan, or results without one.
        DataError: if its plan cannot be read.
    """
    if (out / "plan.json").exists():
        known = read_plan_file(out)["key"]
        if known != plan.key():
            raise ResultExistsError(
                f"{out} holds the results of another plan, {known!r}, and this one is "
                f"{plan.key()!r}; choose another folder with --out, or move it away"
            )
        return
    if (out / "cells").exists() or (out / "models").exists():
        raise ResultExistsError(f"{out} holds results without a plan.json; move them away")


def read_plan_file(out: Path) -> dict[str, Any]:
    """Return what ``plan.json`` of the results folder *out* holds.

    Raises:
        DataError: if there is none, or it is not the plan of a study.
    """
    path = out / "plan.json"
    if not path.exists():
        raise DataError(f"{out} holds no study: it has no plan.json")
    try:
        found = json.loads(read_text(path))
        if isinstance(found["key"], str) and isinstance(found["plan"], dict):
            return dict(found)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise DataError(f"Cannot read {path}: it is not the plan of a study") from error
    raise DataError(f"Cannot read {path}: it is not the plan of a study")


@dataclass
class Worker:
    """Does the jobs of a study, in whatever process it is called in."""

    plan: Plan
    out: Path
    say: Say
    recipe: Recipe | None = None
    _models: dict[str, ModelId] = field(default_factory=dict, repr=False)

    def __call__(self, job: str) -> str | None:
        """Do *job*; return None, or the traceback of what went wrong, which is recorded as well.

        Raises:
            DiskFullError: if there is no room for what it makes: the other jobs need some, too.
        """
        kind, _, target = job.partition(" ")
        for module in self.plan.modules:
            load_module(module, self.plan.name)
        self._models = self._models or dict(models_by_name(self.plan))
        try:
            {"column": self._column, "train": self._train, "test": self._test}[kind](target)
        except DiskFullError:
            raise
        except Exception as error:  # noqa: BLE001  (the boundary: what failed is recorded)
            return self._record(job, self._folder(kind, target), error)
        return None

    def _folder(self, kind: str, target: str) -> Path:
        return self.out / {"column": "columns", "train": "models", "test": "cells"}[kind] / target

    def _record(self, job: str, folder: Path, error: Exception) -> str:
        """Write what went wrong into *folder* and return it."""
        if isinstance(error, AgentGymGenError) and isinstance(error, DataError):
            short = f"{type(error).__name__}: {error}"
        else:
            short = "".join(traceback.format_exception(error))
        told = {"job": job, "error": str(error), "traceback": short, "time": time.time()}
        write_json(folder / FAILURE, told)
        return short

    def _column(self, name: str) -> None:
        column = next(each for each in self.plan.columns if label(each) == name)
        write_json(column_file(self.out, name), describe_column(self.plan, column))

    def _recipe(self, stage: Stage | None = None) -> Recipe:
        """Return how models are made, and trained on *stage*."""
        if self.recipe is not None:
            return self.recipe
        from agentgym_gen.trainers import recipe_of

        plan = self.plan
        decoding = (plan.test.temperature, plan.test.max_new_tokens)
        rft = plan.rft if stage is None else plan.rft_of(stage)
        return recipe_of(plan.model, plan.warm_start, rft, plan.style_of, decoding)

    def _train(self, name: str) -> None:
        model = self._models[name]
        folder = model_folder(self.out, model)

        def say(line: str) -> None:
            self.say(f"{'':28} {name}: {line.strip()}")

        if model.parent is None:
            self._recipe().make_base(folder, model.seed, say)
        else:
            base, stage = model_folder(self.out, model.parent), model.stages[-1]
            self._recipe(stage).train(base, folder, stage, model.seed, say)
        (folder / FAILURE).unlink(missing_ok=True)

    def _test(self, name: str) -> None:
        model = self._models[name]
        folder = model_folder(self.out, model)
        left = [cell for cell in self.plan.cells(model) if not is_whole(self.out, cell)]
        policy = self._recipe().load_policy(folder)
        made = {"model_hash": model_hash(folder), "stages": [s.env_ids for s in model.stages]}
        troubles = []
        for cell in left:
            try:
                self._test_cell(cell, policy, made)
            except DiskFullError:
                raise
            except Exception as error:  # noqa: BLE001  (the boundary: other cells go on)
                troubles.append(self._record(cell.name, cell_folder(self.out, cell), error))
        (self._folder("test", name) / FAILURE).unlink(missing_ok=True)
        if troubles:
            raise DataError(
                f"{len(troubles)} of {len(left)} cells failed; the first: {troubles[0]}"
            )

    def _test_cell(self, cell: Cell, policy: Policy, made: dict[str, Any]) -> None:
        started = time.perf_counter()
        told = json.loads(column_file(self.out, label(cell.column)).read_text(encoding="utf-8"))
        test = self.plan.test
        limit = {} if test.max_turns is None else {"max_turns": test.max_turns}
        tasks = told.pop("task_ids")
        episodes = [
            Episode(cell.column, task, n, limit) for task in tasks for n in range(test.samples)
        ]
        style = self.plan.style_of(cell.column)
        played = run(episodes, policy, style=style, seed=cell.model.seed)
        about = {
            **told,
            **made,
            "split": test.split,
            "samples": test.samples,
            "decoding": {
                "temperature": test.temperature,
                "max_new_tokens": test.max_new_tokens,
                "max_turns": test.max_turns,
            },
            "plan": self.plan.key(),
            "failure_rules": RULES_VERSION,
            "seconds": round(time.perf_counter() - started, 3),
            **code_state(),
        }
        write_cell(self.out, cell, about, played)


def column_tasks(plan: Plan, column: str) -> list[str]:
    """Return the test tasks of *column*: the same for every model, and through every interface."""
    env = make_text_env(column, plan.test.split)
    rng = stream("study tasks", env.world.tasks.env, *env.tiers)
    return draw_task_ids(column, plan.test.split, plan.test.tasks, rng)


def describe_column(plan: Plan, column: str) -> dict[str, Any]:
    """Return the tasks of *column*, and hashes of their content and of the prompt."""
    env = make_text_env(column, plan.test.split)
    task_ids = column_tasks(plan, column)
    content = hashlib.sha256()
    for task_id in task_ids:
        content.update(env.world.tasks.find(task_id).fingerprint.encode())
    observation, _ = env.reset(options={"task_id": task_ids[0]})
    style = plan.style_of(column)
    asked = build(style, env.instruction if style.instruction else "", [], observation)
    return {
        "env_id": split_env_id(column)[0],
        "env_version": int(split_env_id(column)[0].rsplit("-v", 1)[1]),
        "interface": str(env.interface),
        "data_hash": content.hexdigest()[:16],
        "prompt_hash": hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16],
        "task_ids": task_ids,
    }

"""Runs a study: models are made, trained and tested, and every cell gets its rows.

The results folder holds everything and is never overwritten: what is finished is kept, so a killed
run goes on where it was.

    plan.json                   the plan, and the versions it ran with
    columns/<column>.json       the tasks of a column, and hashes of their content and prompt
    models/<arm>.s<seed>/       a model, with the log of its training
    cells/<arm>.s<seed>/<column>/   see `agentgym_gen.study.results.rows`
    distances.json              see `agentgym_gen.study.results.distances`
"""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import ConcurrentPolicy, Policy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.session import Session
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.describe.printable import printable_line
from agentgym_gen.env.making import make_text_env, sample_task_ids
from agentgym_gen.errors import DataError, DiskFullError, ResultExistsError
from agentgym_gen.ids import EnvId
from agentgym_gen.seeding import stream
from agentgym_gen.study.plan.plan import MAX_SEED, Cell, ModelId, Plan, Stage, label
from agentgym_gen.study.plan.validation import first_difference, short_repr
from agentgym_gen.study.results.failures import RULES_VERSION
from agentgym_gen.study.results.files import MODEL_DONE, MODEL_HASH, PLAN, column_file
from agentgym_gen.study.results.folder import ResultsFolder, read_column, read_plan_file
from agentgym_gen.study.results.provenance import code_state, model_hash
from agentgym_gen.study.results.rows import (
    FAILURE,
    cell_folder,
    model_folder,
    write_cell,
)
from agentgym_gen.study.run.distances import measure_distances
from agentgym_gen.study.run.executors import Executor, InProcess
from agentgym_gen.study.run.given import open_given, record_given
from agentgym_gen.study.run.jobs import is_done, make_jobs, models_by_name
from agentgym_gen.study.run.recipes import TrainingRecipe, recipe_of
from agentgym_gen.study.run.schedule import Log, RunSummary, run_jobs, warnings_to
from agentgym_gen.system.file_lock import LOCK_NAME, lock_folder
from agentgym_gen.system.files import (
    is_temporary,
    remove_temporary_files,
    write_error,
    write_json,
)
from agentgym_gen.system.imports import load_module
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.world import EndReason

__all__ = [
    "JobRunner",
    "check_folder",
    "check_weights",
    "claim_folder",
    "describe_column",
    "read_plan_file",
    "run_plan",
    "sample_column_tasks",
]


def run_plan(
    plan: Plan,
    out: Path,
    *,
    log: Log,
    recipe: TrainingRecipe | None = None,
    executor: Executor | None = None,
) -> RunSummary:
    """Run what is not yet done of *plan* into *out*.

    Args:
        plan: The plan.
        out: The results folder.
        log: Called with each line of progress; with several processes it has to be picklable.
        recipe: How models are made; None takes the recipe of the plan.
        executor: Where jobs run; None runs them one after the other in this process.

    Returns:
        Which jobs were done and which failed. A failure is recorded, and every job that does not
        need the failed one goes on.

    Raises:
        ResultExistsError: if *out* holds another study or files of others, or another run writes
            to it.
        DataError: if it is deleted meanwhile.
    """
    executor = executor or InProcess()
    check_folder(plan, out)  # the lock is a file already
    with lock_folder(out, "another folder with --out") as lock:
        claim_folder(plan, out)
        remove_temporary_files(out.rglob("*"))
        for fault in filter(None, map(ResultsFolder(out, plan).fault, plan.all_cells())):
            log(f"Not taken, and made again: {printable_line(fault)}")
        jobs = make_jobs(plan)
        finished = {job.name for job in jobs if is_done(plan, out, job)}
        try:
            summary = run_jobs(jobs, finished, JobRunner(plan, out, log, recipe), executor, log)
        finally:
            executor.close()
        lock.check()
        measure_distances(plan, out, log)
        return summary


def claim_folder(plan: Plan, out: Path) -> None:
    """Write *plan* into *out*, unless it is there already.

    Raises:
        ResultExistsError: if *out* holds another plan, or results without one.
        DataError: if its plan cannot be read, or the folder cannot be written.
    """
    check_folder(plan, out)
    path = out / PLAN
    if not path.exists():
        write_json(path, {"key": plan.key(), **code_state(), "plan": plan.as_dict()})


def check_folder(plan: Plan, out: Path) -> None:
    """Raise unless *out* holds *plan* or nothing.

    Raises:
        ResultExistsError: if *out* holds another plan, or files but no plan.
        DataError: if its plan cannot be read.
    """
    if (out / PLAN).exists():
        record = read_plan_file(out)
        if record["key"] != plan.key():
            key, old, new = first_difference(record["plan"], json.loads(json.dumps(plan.as_dict())))
            raise ResultExistsError(
                f"{out} holds the results of another plan: there `{key}` is {short_repr(old)}, and "
                f"here it is {short_repr(new)}; choose another folder with --out, or move it away"
            )
        return
    foreign = sorted(path.name for path in _entries(out) if not _is_of_a_start(path))
    if foreign:
        raise ResultExistsError(
            f"{out} holds no study, and is not empty: {foreign[0]!r} is there; choose a new folder "
            "with --out"
        )


def _entries(out: Path) -> list[Path]:
    try:
        return list(out.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise write_error(out, error) from error


def _is_of_a_start(path: Path) -> bool:
    """Return whether a run that was killed before it wrote ``plan.json`` has left *path*."""
    return path.name == LOCK_NAME or is_temporary(path, "plan.json")


@dataclass
class JobRunner:
    """Does the jobs of a study, in any process: an executor pickles it."""

    plan: Plan
    out: Path
    log: Log
    recipe: TrainingRecipe | None = None
    _models: dict[str, ModelId] = field(default_factory=dict, repr=False)

    def __call__(self, job: str) -> str | None:
        """Do *job*; return None, or the traceback of its error, which is recorded as well.

        Raises:
            DiskFullError: if the disk is full: the other jobs need room, too.
            DataError: if the results folder was deleted.
        """
        self._check_folder()
        kind, _, target = job.partition(" ")
        for module in self.plan.modules:
            load_module(module, self.plan.name)
        self._models = self._models or dict(models_by_name(self.plan))
        try:
            {"column": self._column, "train": self._train, "test": self._test}[kind](target)
        except DiskFullError:
            raise
        except Exception as error:  # noqa: BLE001  (the boundary: what failed is recorded)
            return self._record_failure(job, self._folder(kind, target), error)
        return None

    def _check_folder(self) -> None:
        """Raise if the results folder is gone: what is written would make a part of it again.

        Raises:
            DataError: if it has no ``plan.json`` any more.
        """
        if not (self.out / "plan.json").exists():
            raise DataError(
                f"{self.out} was deleted while the study ran; nothing more is written, start it "
                "again"
            )

    def _folder(self, kind: str, target: str) -> Path:
        return self.out / {"column": "columns", "train": "models", "test": "cells"}[kind] / target

    def _record_failure(self, job: str, folder: Path, error: Exception) -> str:
        """Write *error* into *folder* and return its traceback, or its sentence if it has one.

        Raises:
            DataError: if the results folder was deleted, which is what failed.
        """
        self._check_folder()
        if isinstance(error, DataError):
            text = f"{type(error).__name__}: {error}"
        else:
            text = "".join(traceback.format_exception(error))
        row = {"job": job, "error": str(error), "traceback": text, "time": time.time()}
        write_json(folder / FAILURE, row)
        return text

    def _column(self, name: str) -> None:
        column = next(column for column in self.plan.columns if label(column) == name)
        write_json(column_file(self.out, name), describe_column(self.plan, column))

    def _recipe(self, stage: Stage | None = None) -> TrainingRecipe:
        """Return the recipe that makes models, with the settings of *stage* if there is one."""
        if self.recipe is not None:
            return self.recipe
        plan = self.plan
        decoding = (plan.test.temperature, plan.test.max_new_tokens)
        rft = plan.rft if stage is None else plan.rft_of(stage)
        return recipe_of(plan.model, plan.warm_start, rft, plan.style_of, decoding)

    def _train(self, name: str) -> None:
        model = self._models[name]
        folder = model_folder(self.out, model)
        # The job is not done: where the file is there, it is damaged.
        (folder / MODEL_DONE).unlink(missing_ok=True)

        def log(line: str) -> None:
            self.log(f"{'':28} {name}: {line.strip()}")

        given = self.plan.given_model(model)
        if given is not None:
            record_given(folder, given, model.seed)
            log(f"given: {given.source(model.seed)}")
        elif model.parent is None:
            self._recipe().make_base(folder, model.seed, log)
        else:
            base, stage = model_folder(self.out, model.parent), model.stages[-1]
            base_hash = check_weights(base)
            with warnings_to(log):
                self._recipe(stage).train(base, folder, stage, stage_seed(model), log)
            if base_hash is not None and base_hash == model_hash(folder):
                log(f"warning: its weights are those of {model.parent.name}")
        (folder / FAILURE).unlink(missing_ok=True)

    def _test(self, name: str) -> None:
        model = self._models[name]
        folder = model_folder(self.out, model)
        results = ResultsFolder(self.out, self.plan)
        cells = [cell for cell in self.plan.cells(model) if not results.is_complete(cell)]
        policy, weights = self._open(model, folder)
        model_keys = {"model_hash": weights, "stages": [s.env_ids for s in model.stages]}
        errors = []
        for cell in cells:
            try:
                self._test_cell(cell, policy, model_keys)
            except DiskFullError:
                raise
            except Exception as error:  # noqa: BLE001  (the boundary: other cells go on)
                errors.append(self._record_failure(cell.name, cell_folder(self.out, cell), error))
        (self._folder("test", name) / FAILURE).unlink(missing_ok=True)
        if errors:
            raise DataError(f"{len(errors)} of {len(cells)} cells failed; the first: {errors[0]}")

    def _open(self, model: ModelId, folder: Path) -> tuple[Policy | ConcurrentPolicy, str | None]:
        """Return the policy of *model*, and the hash of its weights, which is checked."""
        given = self.plan.given_model(model)
        if given is None:
            weights = check_weights(folder)
            return self._recipe().load_policy(folder), weights
        columns = self.plan.columns_of(model.stages)
        appends = any(self.plan.style_of(column).window is None for column in columns)
        return open_given(folder, given, model.seed, self.plan.test, appends=appends)

    def _test_cell(
        self, cell: Cell, policy: Policy | ConcurrentPolicy, model_keys: dict[str, Any]
    ) -> None:
        started = time.perf_counter()
        column_keys = read_column(column_file(self.out, label(cell.column)))
        test = self.plan.test
        limit = {} if test.max_turns is None else {"max_turns": test.max_turns}
        task_ids = column_keys.pop("task_ids")
        episodes = [
            Episode(cell.column, task_id, sample, limit)
            for task_id in task_ids
            for sample in range(test.samples)
        ]
        style = self.plan.style_of(cell.column)
        most, seed = self.plan.max_concurrent, cell.model.seed
        trajectories = run(episodes, policy, style=style, max_concurrent=most, seed=seed)
        _check_answered(trajectories)
        self._check_folder()
        keys = {
            **column_keys,
            **model_keys,
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
        write_cell(self.out, cell, keys, trajectories)


def _check_answered(trajectories: Sequence[Trajectory]) -> None:
    """Raise if an episode ended because the model gave no answer: that is no failure of its."""
    unanswered = [t for t in trajectories if t.end_reason == EndReason.POLICY_ERROR]
    if unanswered:
        raise DataError(
            f"{len(unanswered)} of {len(trajectories)} episodes got no answer, and are no results; "
            f"the same command plays them again. The last one: {unanswered[-1].error}"
        )


def stage_seed(model: ModelId) -> int:
    """Return the seed of the last training of *model*: that of the plan only for the first one.

    With one seed for all, a stage that returns to an environment would play the tasks again that
    its first stage has played.
    """
    number = len(model.stages)
    rng = stream("stage", number, entropy=model.seed)
    return model.seed if number == 1 else int(rng.integers(MAX_SEED))


def check_weights(folder: Path) -> str | None:
    """Return the hash of the weights in *folder*, which are those that its recipe wrote.

    Raises:
        DataError: if they are others.
    """
    own_hash, path = model_hash(folder), folder / MODEL_DONE
    record = parse_json(read_text(path), str(path)) if path.exists() else {}
    if isinstance(record, dict) and record.get(MODEL_HASH, own_hash) != own_hash:
        raise DataError(
            f"The weights in {folder} have the hash {own_hash}, and this study wrote "
            f"{record[MODEL_HASH]}: foreign weights are not tested as this model; put the old ones "
            "back, or remove the folder so that the model is trained again"
        )
    return own_hash


def sample_column_tasks(plan: Plan, column: str) -> list[str]:
    """Return the test tasks of *column*: the same for every model, and through every interface.

    A column with fewer tasks than the plan has each at most once: its second time would be the same
    episode again.
    """
    env = make_text_env(column, plan.test.split)
    rng = stream("study tasks", env.world.tasks.env, *env.tiers)
    return list(dict.fromkeys(sample_task_ids(column, plan.test.split, plan.test.tasks, rng)))


def describe_column(plan: Plan, column: str) -> dict[str, Any]:
    """Return the tasks of *column*, and hashes of their content and of the prompt."""
    env = make_text_env(column, plan.test.split)
    task_ids = sample_column_tasks(plan, column)
    content = hashlib.sha256()
    for task_id in task_ids:
        content.update(env.world.tasks.find(task_id).fingerprint.encode())
    style = plan.style_of(column)
    session = Session(column, task_ids[0], style=style, env=env)
    prompt: list[Any] = session.start()
    if session.tools:
        prompt = [*prompt, session.tools]
    return {
        "env_id": EnvId.parse(column).plain,
        "env_version": EnvId.parse(column).version,
        "interface": str(env.interface),
        "data_hash": content.hexdigest()[:16],
        "prompt_hash": hashlib.sha256(json.dumps(prompt).encode()).hexdigest()[:16],
        "task_ids": task_ids,
    }

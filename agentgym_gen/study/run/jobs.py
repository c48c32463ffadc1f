"""The jobs of a study, what each needs, and whether it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.study.plan.plan import ModelId, Plan, label
from agentgym_gen.study.results.rows import is_complete, model_folder

BASE_WEIGHT, TRAIN_WEIGHT, TEST_WEIGHT = 10.0, 10.0, 1.0
"""The relative times of making a base, a whole training, and testing one column."""

MODEL_DONE = "recipe.json"
"""The file that is written last into the folder of a model: with it, the model is complete."""

MODEL_HASH = "model_hash"
"""The key of that file with the hash of the weights."""


@dataclass(frozen=True)
class Job:
    """A part of a study that one process does."""

    kind: str
    """``column`` (sample the tasks of a column), ``train`` or ``test``."""
    target: str
    """The name of the column or of the model."""
    needs: tuple[str, ...] = ()
    """The names of the jobs that have to be done before it."""
    weight: float = 0.1
    """How long it takes, in units that are the same for all jobs."""

    @property
    def name(self) -> str:
        """Kind and target: ``train sokoban-easy.s0``."""
        return f"{self.kind} {self.target}"


def make_jobs(plan: Plan) -> list[Job]:
    """Return every job of *plan*, each after those that it needs."""
    jobs = [Job("column", label(column)) for column in plan.columns]
    for model in plan.models:
        jobs.append(_train_job(model))
        columns = plan.columns_of(model.stages)
        if columns:
            needs = (f"train {model.name}", *(f"column {label(column)}" for column in columns))
            jobs.append(Job("test", model.name, needs, TEST_WEIGHT * len(columns)))
    return jobs


def _train_job(model: ModelId) -> Job:
    if model.parent is None:
        return Job("train", model.name, (), BASE_WEIGHT)
    needs = (f"train {model.parent.name}",)
    return Job("train", model.name, needs, TRAIN_WEIGHT * model.stages[-1].share)


def is_done(plan: Plan, out: Path, job: Job) -> bool:
    """Return whether *out* holds everything that *job* writes."""
    if job.kind == "column":
        return column_file(out, job.target).is_file()
    model = models_by_name(plan)[job.target]
    if job.kind == "train":
        return (model_folder(out, model) / MODEL_DONE).is_file()
    return all(is_complete(out, cell) for cell in plan.cells(model))


def column_file(out: Path, column_label: str) -> Path:
    """Return the file of the tasks of a column."""
    return out / "columns" / f"{column_label}.json"


def models_by_name(plan: Plan) -> Mapping[str, ModelId]:
    """Return the models of *plan* by their names."""
    return {model.name: model for model in plan.models}


def chain_lengths(jobs: Iterable[Job]) -> dict[str, float]:
    """Return for each job the weight of the longest chain of jobs that starts with it.

    The job with the longest chain (the critical path) is started first: it decides when the last
    job can end.
    """
    ordered = list(jobs)
    weights = {job.name: job.weight for job in ordered}
    lengths = dict(weights)
    # Backwards, so that the chain of a job is final before it is added to those that it needs.
    for job in reversed(ordered):
        for need in job.needs:
            if need in lengths:
                lengths[need] = max(lengths[need], weights[need] + lengths[job.name])
    return lengths

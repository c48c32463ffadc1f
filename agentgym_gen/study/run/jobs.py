"""The jobs of a study, what each needs, and whether it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import ModelId, Plan, label
from agentgym_gen.study.results.files import MODEL_DONE, column_file, model_folder, read_record
from agentgym_gen.study.results.folder import ResultsFolder, read_column

BASE_WEIGHT, TRAIN_WEIGHT, TEST_WEIGHT = 10.0, 10.0, 1.0
"""The relative times of making a base, a whole training, and testing one column."""


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
    """Return whether *out* holds everything that *job* writes, and it can be read."""
    from agentgym_gen.study.results.schema import RecipeFile

    model = models_by_name(plan).get(job.target)
    try:
        if model is None:
            read_column(column_file(out, job.target))
        elif job.kind == "train":
            read_record(model_folder(out, model) / MODEL_DONE, RecipeFile)
        else:
            folder = ResultsFolder(out, plan)
            return all(folder.is_complete(cell) for cell in plan.cells(model))
    except DataError:
        return False
    return True


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

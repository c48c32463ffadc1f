"""How far a study is, as a record and as lines for a terminal."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.describe.printable import printable_line
from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import ModelId, Plan, label
from agentgym_gen.study.results.files import MODEL_DONE, read_log
from agentgym_gen.study.results.folder import ResultsFolder
from agentgym_gen.study.results.rows import (
    FAILURE,
    Row,
    cell_folder,
    model_folder,
    read_cells,
    read_failures,
)
from agentgym_gen.study.results.training import unchanged_models
from agentgym_gen.study.run.jobs import is_done, make_jobs
from agentgym_gen.study.run.schedule import progress_bar
from agentgym_gen.system.file_lock import is_locked

__all__ = ["ModelStatus", "StudyStatus", "status_lines", "study_status"]


@dataclass(frozen=True)
class ModelStatus:
    """How far one model of a study is."""

    name: str
    """The model: its arm and seed."""
    training: str
    """``trained``, ``training failed``, ``waits`` or ``at step N``."""
    cells: int
    """On how many columns it is tested."""
    complete: int
    """How many of these tests are complete."""
    failed: tuple[str, ...]
    """The columns whose test failed."""

    @property
    def tests(self) -> str:
        """The tests as a line of text."""
        counts = f"{self.complete} of {self.cells} cells" if self.cells else "not tested"
        return counts + "".join(f", {column} failed" for column in self.failed)


@dataclass(frozen=True)
class StudyStatus:
    """How far a study is."""

    study: str
    """The name of its plan."""
    out: str
    """Its folder."""
    running: bool
    """Whether a process works on it."""
    share: float
    """How much of the work is done, 0 to 1."""
    models: tuple[ModelStatus, ...]
    """Its models."""
    failures: tuple[Row, ...]
    """What failed: the job and its error."""
    notes: tuple[str, ...]
    """What lies in the folder and does not fit, and which trainings changed nothing."""


def study_status(plan: Plan, out: Path) -> StudyStatus:
    """Return how far *plan* is in *out*."""
    jobs = make_jobs(plan)
    done = [job for job in jobs if is_done(plan, out, job)]
    results = ResultsFolder(out, plan)
    faults = filter(None, map(results.fault, plan.all_cells()))
    notes = [f"does not fit, and is made again: {fault}" for fault in faults]
    notes += [f"not of this study: cells/{name}" for name in results.strangers()]
    notes += [f"{name}: {reason}" for name, reason in _unchanged(plan, out).items()]
    return StudyStatus(
        study=plan.name,
        out=str(out),
        running=is_locked(out),
        share=sum(job.weight for job in done) / sum(job.weight for job in jobs),
        models=tuple(_model_status(results, model) for model in plan.models),
        failures=tuple(read_failures(out)),
        notes=tuple(notes),
    )


def status_lines(plan: Plan, out: Path) -> list[str]:
    """Return how far *plan* is in *out*: a line for the study, each model and each failure."""
    status = study_status(plan, out)
    state = "running" if status.running else "not running"
    lines = [f"{progress_bar(status.share)} {status.study} in {status.out} ({state})", ""]
    rows = [(model.name, model.training, model.tests) for model in status.models]
    names, trainings = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines += [f"{row[0]:{names}}  {row[1]:{trainings}}  {row[2]}" for row in rows]
    if status.failures:
        lines += ["", *map(_failure_line, status.failures)]
    if status.notes:
        lines += ["", *map(printable_line, status.notes)]
    return lines


def _unchanged(plan: Plan, out: Path) -> dict[str, str]:
    """Return the models whose training has ended and changed nothing, with the reason."""
    trained = [model for model in plan.models if (model_folder(out, model) / MODEL_DONE).is_file()]
    logs: dict[str, list[Row]] = {}
    for model in trained:
        with contextlib.suppress(DataError):  # a given model has no log
            logs[model.name] = read_log(model_folder(out, model) / "log.jsonl")
    cells: list[Row] = []
    with contextlib.suppress(DataError):  # what does not fit is named by another note
        cells = read_cells(out, plan)
    return unchanged_models(trained, cells, logs)


def _failure_line(row: Row) -> str:
    """Return one line, whatever line ends the error has: it cannot pass for a line of ours."""
    return printable_line(f"failed: {row.get('job')}: {row.get('error')}")


def _training_state(out: Path, model: ModelId) -> str:
    folder = model_folder(out, model)
    if (folder / MODEL_DONE).is_file():
        return "trained"
    if (folder / FAILURE).is_file():
        return "training failed"
    try:
        step = read_log(folder / "log.jsonl")[-1]["step"]
    except (DataError, LookupError):
        return "waits"
    return f"at step {step}"


def _model_status(results: ResultsFolder, model: ModelId) -> ModelStatus:
    cells = results.plan.cells(model)
    failed = [cell for cell in cells if (cell_folder(results.out, cell) / FAILURE).is_file()]
    return ModelStatus(
        model.name,
        _training_state(results.out, model),
        len(cells),
        sum(results.is_complete(cell) for cell in cells),
        tuple(label(cell.column) for cell in failed),
    )

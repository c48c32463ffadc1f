"""How far a study is, in lines for a terminal."""

from __future__ import annotations

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
    read_failures,
)
from agentgym_gen.study.run.jobs import is_done, make_jobs
from agentgym_gen.study.run.schedule import progress_bar
from agentgym_gen.system.file_lock import is_locked


def status_lines(plan: Plan, out: Path) -> list[str]:
    """Return how far *plan* is in *out*: a line for the study, each model and each failure."""
    jobs = make_jobs(plan)
    done = [job for job in jobs if is_done(plan, out, job)]
    share = sum(job.weight for job in done) / sum(job.weight for job in jobs)
    state = "running" if is_locked(out) else "not running"
    lines = [f"{progress_bar(share)} {plan.name} in {out} ({state})", ""]
    results = ResultsFolder(out, plan)
    for model in plan.models:
        training, tests = _training_state(out, model), _test_state(results, model)
        lines.append(f"{model.name:56} {training:24} {tests}")
    failures = read_failures(out)
    if failures:
        lines += ["", *(_failure_line(row) for row in failures)]
    faults = filter(None, map(results.fault, plan.all_cells()))
    notes = [f"does not fit, and is made again: {fault}" for fault in faults]
    notes += [f"not of this study: cells/{name}" for name in results.strangers()]
    if notes:
        lines += ["", *map(printable_line, notes)]
    return lines


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


def _test_state(results: ResultsFolder, model: ModelId) -> str:
    cells = results.plan.cells(model)
    complete = sum(results.is_complete(cell) for cell in cells)
    failed = [cell for cell in cells if (cell_folder(results.out, cell) / FAILURE).is_file()]
    counts = f"{complete} of {len(cells)} cells" if cells else "not tested"
    return counts + "".join(f", {label(cell.column)} failed" for cell in failed)

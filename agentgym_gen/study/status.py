"""How far a study is, in lines for a terminal."""

from __future__ import annotations

from agentgym_gen.errors import DataError
from agentgym_gen.study.jobs import is_done, make_jobs
from agentgym_gen.study.plan import ModelId, label
from agentgym_gen.study.rows import FAILURE, cell_folder, is_whole, model_folder, read_jsonl
from agentgym_gen.study.schedule import bar
from agentgym_gen.study.study import Study


def status_lines(study: Study) -> list[str]:
    """Return what is done, what is going on, what failed and what is left."""
    jobs = make_jobs(study.plan)
    done = [job for job in jobs if is_done(study.plan, study.out, job)]
    share = sum(job.weight for job in done) / sum(job.weight for job in jobs)
    state = "running" if study.running else "not running"
    lines = [f"{bar(share)} {study.plan.name} in {study.out} ({state})", ""]
    for model in study.plan.models:
        lines.append(f"{model.name:56} {_trained(study, model):24} {_tested(study, model)}")
    failures = study.failures()
    lines += ["", *(f"failed: {one.get('job')}: {one.get('error')}" for one in failures)]
    return lines if failures else lines[:-1]


def _trained(study: Study, model: ModelId) -> str:
    folder = model_folder(study.out, model)
    if (folder / "recipe.json").is_file():
        return "trained"
    if (folder / FAILURE).is_file():
        return "training failed"
    try:
        steps = read_jsonl(folder / "log.jsonl", -1)[-1]["step"]
    except (DataError, LookupError):
        return "waits"
    return f"at step {steps}"


def _tested(study: Study, model: ModelId) -> str:
    cells = study.plan.cells(model)
    whole = sum(is_whole(study.out, cell) for cell in cells)
    failed = [cell for cell in cells if (cell_folder(study.out, cell) / FAILURE).is_file()]
    told = f"{whole} of {len(cells)} cells" if cells else "not tested"
    return told + "".join(f", {label(cell.column)} failed" for cell in failed)

"""What a training did to its model: nothing, if it made no update.

A group-relative trainer learns from groups whose episodes differ in reward. If no group held both a
success and a failure, no step has an update, and the model is the one that it was trained from:
what is measured of it says nothing about training.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agentgym_gen.study.plan.plan import ModelId
from agentgym_gen.study.results.rows import Row

__all__ = ["NO_UPDATE", "made_update", "models_with_cells", "unchanged_models", "untrained_arms"]

NO_UPDATE = "no update: no group held both a success and a failure"
"""What is said of a training whose log has steps and no update."""


def made_update(row: Row) -> bool:
    """Return whether the step of *row*, a line of a training log, changed the weights.

    A row of another trainer, which counts no groups, is taken for an update.
    """
    return "groups" not in row or "loss" in row


def unchanged_models(
    models: Iterable[ModelId], cells: Iterable[Row], logs: Mapping[str, Sequence[Row]]
) -> dict[str, str]:
    """Return the name of every model whose last stage did not change it, with the reason.

    Args:
        models: The models of a plan.
        cells: The rows of cells, whose ``model_hash`` is compared with that of the parent.
        logs: The training log of every model that has one, by name.
    """
    hashes = {f"{cell['arm']}.s{cell['seed']}": cell.get("model_hash") for cell in cells}
    reasons: dict[str, str] = {}
    for model in models:
        if model.parent is None:
            continue
        log, own_hash = logs.get(model.name, ()), hashes.get(model.name)
        if log and not any(made_update(row) for row in log):
            reasons[model.name] = NO_UPDATE
        elif own_hash is not None and own_hash == hashes.get(model.parent.name):
            reasons[model.name] = f"no update: its weights are those of {model.parent.name}"
    return reasons


def models_with_cells(models: Iterable[ModelId], cells: Iterable[Row]) -> list[ModelId]:
    """Return those of *models* that have a cell: one that failed or is still to come has none."""
    names = {f"{cell['arm']}.s{cell['seed']}" for cell in cells}
    return [model for model in models if model.name in names]


def untrained_arms(models: Iterable[ModelId], unchanged: Mapping[str, str]) -> dict[str, str]:
    """Return every arm of which no seed was changed by each of its stages, with what it is instead.

    Args:
        models: The models that were tested. One that was not says nothing of its arm.
        unchanged: What `unchanged_models` returns.
    """
    reasons: dict[str, list[str]] = {}
    for model in models:
        if model.parent is not None:
            reasons.setdefault(model.arm, []).append(_reason(model, unchanged))
    return {arm: seeds[0] for arm, seeds in reasons.items() if all(seeds)}


def _reason(model: ModelId, unchanged: Mapping[str, str]) -> str:
    """Return which stages of *model* did not change it; empty if all did."""
    stages: list[ModelId] = []
    stage = model
    while stage.parent is not None:
        stages.insert(0, stage)
        stage = stage.parent
    idle = [stage for stage in stages if stage.name in unchanged]
    if not idle:
        return ""
    if len(idle) == len(stages):
        return f"{unchanged[idle[0].name]}, so that the arm is its base"
    names = " and ".join(stage.name for stage in idle)
    return f"the last stage of {names} made no update, so that the arm was trained on a part only"

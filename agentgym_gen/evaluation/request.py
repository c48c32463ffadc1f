"""One call for an evaluation: `evaluate` resolves names, runs what is missing, writes the page.

evaluation = evaluate("runs/mine/step_100", ["rftgen/*-easy-v0"], out="runs/eval-100")
print(score_line(evaluation))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agentgym_gen.errors import InvalidValueError, MissingExtraError
from agentgym_gen.evaluation.columns import select_columns
from agentgym_gen.evaluation.page import write_page
from agentgym_gen.evaluation.panel import load_panel
from agentgym_gen.evaluation.results import Column, Evaluation
from agentgym_gen.evaluation.run import EvalRequest, Log, Progress, run_evaluation
from agentgym_gen.evaluation.settings import EvalSettings
from agentgym_gen.ids import EnvId
from agentgym_gen.models import ModelIdentity, identify

__all__ = ["evaluate", "make_request"]

DEFAULT_TASKS = 100
"""How many tasks of each id are played where nobody says."""


def evaluate(  # noqa: PLR0913  (keywords)
    model: str | Path,
    envs: Sequence[str] = (),
    *,
    out: str | Path,
    panel: str | None = None,
    interfaces: Sequence[str] = (),
    tasks: int | None = None,
    samples: int = 1,
    settings: EvalSettings | None = None,
    base_url: str | None = None,
    base: str | Path | None = None,
    label: str | None = None,
    workers: int = 64,
    log: Log | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Play *model* in *envs* or on a *panel*, and return the results, which *out* holds.

    What *out* holds of the same evaluation is not played again; more tasks, samples, interfaces or
    environments extend it.

    Args:
        model: ``random``, ``expert``, a folder with a model or an adapter, a name on the hub, or
            with *base_url* the name under which a server has the model.
        envs: Environment ids, or patterns of them such as ``rftgen/*-easy-v0``.
        out: The folder of the results.
        panel: The name of a panel, such as ``core-v1``, in place of *envs*.
        interfaces: The interfaces that each environment is played through.
        tasks: How many tasks of each environment id; None takes 100. A panel has its own.
        samples: How often each task is played.
        settings: How episodes are played; None takes the defaults.
        base_url: The address of a chat endpoint.
        base: The base of an adapter, in place of the one that its folder names.
        label: What the model is called in results; None takes the last part of its name.
        workers: How many episodes are played at once.
        log: Called with each line of what is done and what it costs.
        progress: Called as each episode ends.

    Raises:
        InvalidValueError: if an argument is outside what is accepted.
        UnknownNameError: if an environment, an interface or a panel is unknown.
        DataError: if there is no such model, or a file cannot be read or written.
        ResultExistsError: if *out* holds results of another model, other settings or another panel.
        PolicyError: if the model's server cannot go on; what was played is kept.
        MissingExtraError: if what the model or an environment needs is not installed.
    """
    request = make_request(
        identify(model, base_url=base_url, base=base),
        envs,
        panel=panel,
        interfaces=interfaces,
        tasks=tasks,
        samples=samples,
        settings=settings or EvalSettings(),
        label=label,
    )
    log = log or _ignore
    evaluation = run_evaluation(request, Path(out), workers=workers, log=log, progress=progress)
    try:
        write_page(evaluation)
    except MissingExtraError as error:  # the results are there; only what makes pages is not
        log(f"There is no page: {error}")
    return evaluation


def _ignore(line: str) -> None:
    """Do nothing."""


def make_request(  # noqa: PLR0913  (keywords)
    model: ModelIdentity,
    envs: Sequence[str],
    *,
    panel: str | None,
    interfaces: Sequence[str],
    tasks: int | None,
    samples: int,
    settings: EvalSettings,
    label: str | None = None,
) -> EvalRequest:
    """Return what is evaluated; for the arguments see `evaluate`."""
    name = model.label if label is None else label
    if not name.strip() or "/" in name or not name.isprintable():
        raise InvalidValueError(f"A label is a short text without '/', not {name!r}")
    if panel is None:
        selection = select_columns(
            envs,
            interfaces=interfaces,
            split=settings.split,
            tasks=DEFAULT_TASKS if tasks is None else tasks,
            samples=samples,
            seed=settings.seed,
        )
        _check_turn_limits(selection.columns, settings)
        return EvalRequest(model, selection.columns, settings, name, left_out=selection.left_out)
    frozen = load_panel(panel)
    if envs or interfaces or tasks is not None:
        raise InvalidValueError(
            "A panel is played as it is: leave out environments, interfaces and the number of tasks"
        )
    if settings.split != frozen.split:
        raise InvalidValueError(f"panel/{frozen.name} is of the split {frozen.split!r}")
    kept, left_out = frozen.available()
    columns = tuple(replace(part.column, samples=samples) for part in kept)
    return EvalRequest(model, columns, settings, name, frozen, left_out)


def _check_turn_limits(columns: Sequence[Column], settings: EvalSettings) -> None:
    """Raise unless each turn limit is named once: in the id of a column, or in the settings."""
    for column in columns:
        if settings.max_turns is not None and "max_turns" in EnvId.parse(column.env_id).options:
            raise InvalidValueError(
                f"{column.env_id!r} has a turn limit; leave it out of the id, or the option "
                "`max_turns`"
            )

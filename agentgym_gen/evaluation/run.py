"""Runs an evaluation: the model plays, and its folder is written as episodes end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.agents.policy import ConcurrentPolicy, Policy
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.agents.session import Session
from agentgym_gen.agents.trajectory import Trajectory
from agentgym_gen.env.registration import ENVIRONMENTS
from agentgym_gen.errors import BackendError, DataError, InvalidValueError, ResultExistsError
from agentgym_gen.evaluation.columns import merge_columns
from agentgym_gen.evaluation.cost import EvalCost, count_cost
from agentgym_gen.evaluation.panel import Panel
from agentgym_gen.evaluation.results import (
    EPISODES,
    NEW_TRANSCRIPTS,
    OPENING_HASH,
    RECORD,
    TRANSCRIPTS,
    Column,
    EpisodeKey,
    Evaluation,
    append_episode,
    finish,
    key_of,
    repair,
    write_record,
)
from agentgym_gen.evaluation.score import UNANSWERED
from agentgym_gen.evaluation.settings import EvalSettings
from agentgym_gen.evaluation.shots import Demonstrations, with_shots
from agentgym_gen.ids import EnvId
from agentgym_gen.models import ModelIdentity, open_policy
from agentgym_gen.study.plan.plan import Cell, ModelId, Stage
from agentgym_gen.study.results.failures import RULES_VERSION
from agentgym_gen.study.results.provenance import code_state
from agentgym_gen.study.results.rows import Row, make_episode_row, make_transcript
from agentgym_gen.system.file_lock import LOCK_NAME, lock_folder
from agentgym_gen.system.files import TEMPORARY_ENDING, remove_temporary_files
from agentgym_gen.system.prepare import PREPARATIONS, PrepareRequest, prepare
from agentgym_gen.system.processors import processor_name

__all__ = ["EvalRequest", "run_evaluation"]

Log = Callable[[str], None]

Progress = Callable[[int, int, bool], None]
"""Called with how many episodes have ended, how many there are, and whether the last succeeded.

The first call comes before any has ended, when the model is there.
"""

ALTERNATIVE = "another folder with --out"


@dataclass(frozen=True)
class EvalRequest:
    """What is evaluated."""

    model: ModelIdentity
    """The model."""
    columns: tuple[Column, ...]
    """What it plays."""
    settings: EvalSettings
    """How it plays."""
    label: str
    """What the model is called in results."""
    panel: Panel | None = None
    """The panel that the columns are of."""
    left_out: tuple[str, ...] = ()
    """The environment ids that are not played, because an extra is not installed."""


def run_evaluation(
    request: EvalRequest,
    out: Path,
    *,
    workers: int = 64,
    log: Log,
    progress: Progress | None = None,
) -> Evaluation:
    """Play what is not yet played of *request* into the folder *out*, and return its results.

    Args:
        request: What is evaluated.
        out: The folder; one that holds a part of this evaluation is extended.
        workers: How many episodes are played at once.
        log: Called with each line of what is done and what it costs.
        progress: Called as each episode ends.

    Raises:
        ResultExistsError: if *out* holds results of another model, other settings or another panel,
            or another run writes to it.
        DataError: if the folder cannot be written, the model cannot be loaded, or a task that was
            played is another one now.
        PolicyError: if the model's server cannot go on; what was played is kept.
    """
    if not request.columns:
        raise InvalidValueError("Nothing is left to be played; install the extras that are absent")
    if request.left_out:
        log(_left_out_sentence(request.left_out))
    with lock_folder(out, ALTERNATIVE):
        record = _merged_record(request, out)
        remove_temporary_files(out.iterdir())
        repair(out)
        columns = tuple(Column.from_dict(value) for value in record["columns"])
        rows = Evaluation.open(out).rows() if (out / RECORD).exists() else []
        remaining = _remaining(columns, rows)
        if remaining:
            wanted = {key.column for key in remaining}
            _check_openings([row for row in rows if row["column"] in wanted], out)
            _play(request, record, columns, remaining, out, workers, log, progress)
        else:
            log("Every episode was played already")
        finish(out)
        return Evaluation.open(out)


def _left_out_sentence(env_ids: Sequence[str]) -> str:
    names = list(dict.fromkeys(EnvId.parse(env_id).name for env_id in env_ids))
    sentence = f"Left out, because what they need is not installed: {', '.join(names)}"
    extras = sorted({extra for name in names if (extra := ENVIRONMENTS[name].extra)})
    advice = f"; run: pip install 'agentgym-gen[{','.join(extras)}]'" if extras else ""
    return sentence + advice


def _play(  # noqa: PLR0913  (one stage of `run_evaluation`, which has checked everything)
    request: EvalRequest,
    record: Mapping[str, Any],
    columns: Sequence[Column],
    remaining: Sequence[EpisodeKey],
    out: Path,
    workers: int,
    log: Log,
    progress: Progress | None,
) -> None:
    _make_slow_tasks(columns, remaining, log)
    if request.panel is not None:
        request.panel.check({key.column for key in remaining}, log)
    log(_announce(request, count_cost(columns, remaining, request.settings), remaining, columns))
    settings = request.settings
    appends = settings.style.window is None
    policy = open_policy(request.model, settings.decoding, appends=appends)
    with ExitStack() as at_end:
        if (close := getattr(policy, "close", None)) is not None:
            at_end.callback(close)
        write_record(out, record)
        limit = {} if settings.max_turns is None else {"max_turns": settings.max_turns}
        episodes = [Episode(key.column, key.task_id, key.sample, limit) for key in remaining]
        by_name = {column.name: column for column in columns}
        done = 0

        def keep(trajectory: Trajectory) -> None:
            nonlocal done
            column = by_name[trajectory.env_id]
            append_episode(out, *_rows_of(request, column, trajectory))
            done += 1
            if progress is not None:
                progress(done, len(episodes), trajectory.success)

        if progress is not None:
            progress(0, len(episodes), False)
        run(
            episodes,
            _with_shots(policy, settings),
            style=settings.style,
            max_concurrent=workers,
            seed=settings.seed,
            on_end=keep,
        )
    usage = getattr(policy, "usage", None)
    if usage is not None:
        log(
            f"The server counted {usage.tokens_in:,} tokens in and {usage.tokens_out:,} out, in "
            f"{usage.answers:,} answers and {usage.retries:,} repeated attempts"
        )


def _with_shots(
    policy: Policy | ConcurrentPolicy, settings: EvalSettings
) -> Policy | ConcurrentPolicy:
    if not settings.shots:
        return policy
    return with_shots(policy, Demonstrations(settings.shots, settings.seed))


def _rows_of(request: EvalRequest, column: Column, trajectory: Trajectory) -> tuple[Row, Row]:
    """Return the row and the transcript of an episode."""
    cell = Cell(ModelId((Stage(request.label, ()),), 0), column.name)
    names = {"column": column.name, "env_id": column.env_id, "split": request.settings.split}
    row = {**make_episode_row(cell, trajectory), **names}
    if trajectory.turns:
        row[OPENING_HASH] = _hash(trajectory.turns[0].observation)
    return row, {"column": column.name, **make_transcript(trajectory)}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _check_openings(rows: Sequence[Row], out: Path) -> None:
    """Check that a task of each column still opens as when it was played.

    Raises:
        DataError: if one does not: a file of the user's own has changed, such as a level.
    """
    latest = {row["column"]: row for row in rows if OPENING_HASH in row}
    for column, row in latest.items():
        with closing(Session(column, row["task_id"])) as session:
            try:
                session.start()
            except BackendError:
                continue  # as where an episode begins: the others can be played
            if _hash(session.observation) != row[OPENING_HASH]:
                raise DataError(
                    f"{row['task_id']} of {column} opens otherwise than when it was played into "
                    f"{out}; put the files back that its tasks are read from, or choose "
                    f"{ALTERNATIVE}"
                )


def _remaining(columns: Sequence[Column], rows: Sequence[Row]) -> list[EpisodeKey]:
    """Return the episodes that have no row, and those for which no answer came."""
    played = {key_of(row) for row in rows if row["end_reason"] != UNANSWERED}
    return [key for column in columns for key in column.episode_keys() if key not in played]


def _announce(
    request: EvalRequest,
    cost: EvalCost,
    remaining: Sequence[EpisodeKey],
    columns: Sequence[Column],
) -> str:
    total = sum(len(column.episode_keys()) for column in columns)
    rest = "" if len(remaining) == total else f" ({total - len(remaining):,} were played before)"
    if request.model.kind == "policy":
        return f"{request.label}: {cost.episodes:,} episodes, at most {cost.turns:,} turns{rest}"
    return f"{request.label}: {cost}{rest}"


def _make_slow_tasks(columns: Sequence[Column], remaining: Sequence[EpisodeKey], log: Log) -> None:
    """Make the tasks that take seconds each, which the cache keeps, before they are played."""
    wanted: dict[str, dict[str, None]] = {}
    names = {column.name: EnvId.parse(column.env_id).name for column in columns}
    for key in remaining:
        name = names[key.column]
        if ENVIRONMENTS[name].slow_tasks is not None and name.lower() in PREPARATIONS:
            wanted.setdefault(name, {})[key.task_id] = None
    for name, task_ids in wanted.items():
        log(f"{name}: {len(task_ids)} tasks are made now, those that are not in the cache yet")
        prepare(name.lower(), log, PrepareRequest(task_ids=tuple(task_ids)))


def _merged_record(request: EvalRequest, out: Path) -> dict[str, Any]:
    """Return ``eval.json`` of *request*, extended by what *out* holds already.

    Raises:
        ResultExistsError: if *out* holds something else.
    """
    record = _new_record(request)
    if not (out / RECORD).exists():
        _check_empty(out)
        return record
    old = Evaluation.open(out)
    _check_same(old.record, record, out)
    columns = merge_columns(old.columns, request.columns)
    record["columns"] = [column.as_dict() for column in columns]
    made_with = list(old.record["made_with"])
    record["made_with"] = made_with + [m for m in record["made_with"] if m not in made_with]
    record["panel"] = _merged_panel(old.record.get("panel"), record["panel"], columns)
    return record


def _merged_panel(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, columns: Sequence[Column]
) -> dict[str, Any] | None:
    """Return the panel of both, which `_check_same` has compared, with what is still left out."""
    if old is None or new is None:
        return None
    played = {column.env_id for column in columns}
    absent = dict.fromkeys((*old["left_out"], *new["left_out"]))
    return {**new, "left_out": [env_id for env_id in absent if env_id not in played]}


def _new_record(request: EvalRequest) -> dict[str, Any]:
    state = code_state()
    panel = request.panel
    return {
        "version": state["versions"]["agentgym-gen"],
        "model": {"label": request.label, **request.model.as_dict()},
        "settings": request.settings.as_dict(),
        "prompt_hash": request.settings.prompt_hash,
        "failure_rules": RULES_VERSION,
        "panel": None
        if panel is None
        else {"name": panel.name, "hash": panel.hash, "left_out": list(request.left_out)},
        "columns": [column.as_dict() for column in request.columns],
        "made_with": [{**state, "processor": processor_name()}],
    }


COMPARED = ("version", "model", "settings", "prompt_hash", "failure_rules", "panel")
"""The keys of ``eval.json`` that must not differ within a folder."""


def _check_same(old: Mapping[str, Any], new: Mapping[str, Any], out: Path) -> None:
    for key in COMPARED:
        before, now = _compared(old, key), _compared(new, key)
        difference = _difference(key, before, now)
        if difference is not None:
            name, was, wanted = difference
            raise ResultExistsError(
                f"{out} holds an evaluation with another {name}: {was!r}, and this one is "
                f"{wanted!r}; choose {ALTERNATIVE}"
            )


def _compared(record: Mapping[str, Any], key: str) -> object:
    """Return the value of *key* in *record*; of a panel its name and hash, whatever is left out."""
    value = record.get(key)
    return f"{value['name']} ({value['hash']})" if key == "panel" and value else value


def _difference(key: str, before: object, now: object) -> tuple[str, object, object] | None:
    """Return the name of the first value that differs, and both values; None if none does."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return None if before == now else (key, before, now)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if key == "model" and now.get("hash") is not None and "hash" not in names:
        # the same content under another path is the same model
        names = [name for name in names if name not in ("name", "base")]
    return (f"{key}.{names[0]}", before.get(names[0]), now.get(names[0])) if names else None


def _check_empty(out: Path) -> None:
    own = {LOCK_NAME, EPISODES, TRANSCRIPTS, NEW_TRANSCRIPTS}
    # a run that was killed while it wrote its record has left a part of it
    names = [path.name for path in out.iterdir() if not path.name.endswith(TEMPORARY_ENDING)]
    others = sorted(set(names) - own)
    if (out / EPISODES).exists() or others:
        content = others[0] if others else EPISODES
        raise ResultExistsError(
            f"{out} holds {content!r} and no {RECORD}, so it is no evaluation; choose {ALTERNATIVE}"
        )

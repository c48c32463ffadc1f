"""Evaluations that are compared: opened, checked to be alike, and restricted to what they share.

Models are compared on the same episodes, played in the same way. What is not alike is refused with
its name, unless the caller allows it; tasks that not all models played are left out and counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, InvalidValueError, unknown_name
from agentgym_gen.evaluation import Evaluation
from agentgym_gen.evaluation.results import OPENING_HASH
from agentgym_gen.study.results.rows import Row

__all__ = ["TRAIN", "ComparedModel", "read_models"]

TRAIN = "train"
"""The split of training tasks, on which only the *generalization gap* is measured."""

FREE_SETTINGS = ("split", "seed")
"""The settings that may differ: they decide which tasks are played, and tasks are compared."""

PROMPT_HASH = "prompt_hash"

RECORD_KEYS = ("version", PROMPT_HASH, "failure_rules")
"""What else must not differ: this package's version, the prompt, the rules of failure modes."""

OWN_PACKAGE = "agentgym-gen"

ENDED_BY_FAILURE = ("backend_error", "policy_error")
"""The ends of an episode for which the model is not to blame."""


@dataclass(frozen=True)
class ComparedModel:
    """A model and the episodes that it is compared by."""

    name: str
    """Its name, different from those of the others."""
    evaluations: tuple[Evaluation, ...]
    """Its evaluations, of different splits or columns."""
    rows: tuple[Row, ...]
    """The rows that all models have, with ``arm`` its name."""
    training_rows: tuple[Row, ...] = ()
    """Its rows on training tasks, if there are others."""

    def transcripts(self) -> dict[tuple[str, str, int], Row]:
        """Return the texts of its episodes by column, task and sample.

        Raises:
            DataError: if a file cannot be read.
        """
        return {
            (row["column"], row["task_id"], row["sample"]): row
            for evaluation in self.evaluations
            for row in evaluation.transcripts()
        }


def read_models(
    folders: Sequence[str | Path], *, names: Sequence[str] = (), allow: Collection[str] = ()
) -> tuple[list[ComparedModel], list[str]]:
    """Return the models of *folders*, and what has to be known beside their numbers.

    Evaluations of one model with different splits or columns are one model.

    Args:
        folders: The folders of evaluations, the base first.
        names: A name for each model; none takes their labels.
        allow: Settings that may differ, ``version``, ``prompt_hash`` or ``failure_rules``.

    Raises:
        DataError: if a folder holds no evaluation, they were not played alike, or share no episode.
        InvalidValueError: if there are fewer than two models, or a folder is named twice.
    """
    paths = [Path(folder).resolve() for folder in folders]
    twice = [path for path, number in Counter(paths).items() if number > 1]
    if twice:
        raise InvalidValueError(f"{twice[0]} is named twice; name each evaluation once")
    by_model = _by_model([Evaluation.open(folder) for folder in folders])
    if len(by_model) < 2:
        raise InvalidValueError(
            f"A comparison is of two models or more, the base first, not of {len(by_model)}; "
            "evaluations of one model with different splits or columns are one model"
        )
    model_names = _names(by_model, names)
    evaluations = [
        (name, evaluation)
        for name, group in zip(model_names, by_model, strict=True)
        for evaluation in group
    ]
    notes = [*_check_settings(evaluations, allow), *_other_versions(evaluations)]
    notes += _unfinished(evaluations)
    all_rows = [
        [
            {**row, "arm": name, "seed": 0, "split": row.get("split", "")}
            for evaluation in group
            for row in evaluation.rows()
        ]
        for name, group in zip(model_names, by_model, strict=True)
    ]
    notes += _check_openings(model_names, all_rows, allow)
    tests = [[row for row in rows if row["split"] != TRAIN] for rows in all_rows]
    training = [[row for row in rows if row["split"] == TRAIN] for rows in all_rows]
    if not any(tests):
        tests, training = training, [[] for _ in training]
        notes.append("All tasks are of the training split: nothing here is held out.")
    shared, restricted = _share(model_names, tests)
    training, left_out = _share_training(model_names, training)
    models = [
        ComparedModel(name, tuple(group), tuple(rows), tuple(rows_of_training))
        for name, group, rows, rows_of_training in zip(
            model_names, by_model, shared, training, strict=True
        )
    ]
    return models, [*notes, *restricted, *left_out, *_failed_episodes(models)]


def _by_model(evaluations: Iterable[Evaluation]) -> list[list[Evaluation]]:
    """Return the evaluations of each model: those of one identity that share no column and split.

    Two evaluations that share one are two models, such as two runs of one with different seeds.
    """
    by_model: list[list[Evaluation]] = []
    for evaluation in evaluations:
        home = next(
            (
                group
                for group in by_model
                if _identity(group[0]) == _identity(evaluation)
                and not any(_places(other) & _places(evaluation) for other in group)
            ),
            None,
        )
        if home is None:
            by_model.append([evaluation])
        else:
            home.append(evaluation)
    return by_model


def _places(evaluation: Evaluation) -> set[tuple[str, str]]:
    """Return the columns and split that were played."""
    split = str(evaluation.record["settings"].get("split", ""))
    return {(column.name, split) for column in evaluation.columns}


def _identity(evaluation: Evaluation) -> str:
    """Return what tells the model from others: its content, or its name where none is known."""
    model = dict(evaluation.record["model"])
    if model.get("hash"):
        model = {key: model.get(key) for key in ("hash", "base_hash")}
    return json.dumps(model, sort_keys=True)


def _names(by_model: Sequence[Sequence[Evaluation]], names: Sequence[str]) -> list[str]:
    """Return a different name for each model: labels, or else folders."""
    if names:
        if len(names) != len(by_model) or len(set(names)) < len(names) or not all(names):
            raise InvalidValueError(
                f"`names` are {len(by_model)} different names, one for each model, not "
                f"{list(names)!r}"
            )
        return list(names)
    firsts = [group[0] for group in by_model]
    for candidates in (
        [first.label for first in firsts],
        [first.path.resolve().name for first in firsts],
    ):
        if len(set(candidates)) == len(candidates) and all(candidates):
            return candidates
    return [str(first.path) for first in firsts]


def _check_settings(
    evaluations: Sequence[tuple[str, Evaluation]], allow: Collection[str]
) -> list[str]:
    """Return which settings and versions differ, and were allowed to.

    Raises:
        DataError: if one differs that is not in *allow*.
        UnknownNameError: if *allow* names no setting.
    """
    settings = [(name, evaluation.record["settings"]) for name, evaluation in evaluations]
    keys = sorted({key for _, values in settings for key in values} - set(FREE_SETTINGS))
    for key in allow:
        if key not in (*keys, *RECORD_KEYS):
            raise unknown_name("setting that may differ", key, (*keys, *RECORD_KEYS))
    notes = [
        note
        for key in keys
        for note in _difference(key, _by_column(evaluations, "settings", key), allow)
    ]
    # The prompts of different settings differ anyhow.
    allowed = {*allow, PROMPT_HASH} if notes else allow
    return notes + [
        note
        for key in RECORD_KEYS
        for note in _difference(key, _by_column(evaluations, "", key), allowed)
    ]


def _by_column(
    evaluations: Iterable[tuple[str, Evaluation]], part: str, key: str
) -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """Return the value of *key*, in *part* of a record or directly, by column and split."""
    values: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for name, evaluation in evaluations:
        record = evaluation.record[part] if part else evaluation.record
        for column in evaluation.columns:
            place = column.name, evaluation.record["settings"]["split"]
            values.setdefault(place, []).append((name, record.get(key)))
    return values


def _difference(
    key: str,
    by_column: Mapping[tuple[str, str], Sequence[tuple[str, Any]]],
    allow: Collection[str],
) -> list[str]:
    """Return a sentence if the value of *key* differs in a column and may, else nothing.

    Raises:
        DataError: if it differs and is not in *allow*.
    """
    differing = [
        values
        for values in map(_values_by_model, by_column.values())
        if len(set(values.values())) > 1
    ]
    if not differing:
        return []
    values = differing[0]
    difference = ", ".join(f"{name} {value}" for name, value in values.items())
    if key not in allow:
        raise DataError(
            f"The models were not played alike: `{key}` is {difference}; evaluate them again with "
            f"one value, or allow the difference with --allow {key}"
        )
    return [f"`{key}` differs, which was allowed: {difference}."]


def _other_versions(evaluations: Sequence[tuple[str, Evaluation]]) -> list[str]:
    """Return which versions of other packages differ: they change no text."""
    versions = [
        (name, part.get("versions") or {})
        for name, evaluation in evaluations
        for part in evaluation.record.get("made_with", ())
    ]
    notes = []
    for package in sorted({package for _, values in versions for package in values}):
        values = _values_by_model((name, record.get(package)) for name, record in versions)
        if package != OWN_PACKAGE and len(set(values.values())) > 1:
            difference = ", ".join(f"{name} {value}" for name, value in values.items())
            notes.append(f"The version of {package} differs: {difference}.")
    return notes


def _values_by_model(values: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return the value of each model as text; several where its evaluations differ."""
    texts: dict[str, list[str]] = {}
    for name, value in values:
        text = json.dumps(value, sort_keys=True)
        if text not in texts.setdefault(name, []):
            texts[name].append(text)
    return {name: " and ".join(several) for name, several in texts.items()}


def _check_openings(
    names: Sequence[str], all_rows: Sequence[Sequence[Row]], allow: Collection[str]
) -> list[str]:
    """Return in words how many tasks did not open alike for all models; none if all did.

    Raises:
        DataError: if there is one, and no other version is allowed: the files that it is read from
            were others.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    others: set[tuple[str, str]] = set()
    for name, rows in zip(names, all_rows, strict=True):
        for row in rows:
            place, opening = (row["column"], row["task_id"]), row.get(OPENING_HASH)
            other, value = first.setdefault(place, (name, opening)) if opening else (name, opening)
            if value != opening:
                others.add(place)
                if "version" not in allow:
                    raise DataError(
                        f"{row['task_id']} of {row['column']} was another task for {name} than for "
                        f"{other}: it opened otherwise; evaluate again with one version of the "
                        "files that its tasks are read from"
                    )
    return [f"{len(others)} tasks opened otherwise for the models."] if others else []


def _unfinished(evaluations: Iterable[tuple[str, Evaluation]]) -> list[str]:
    return [
        f"{name} is not finished: {len(evaluation.rows())} of {evaluation.number} episodes were "
        "played."
        for name, evaluation in evaluations
        if not evaluation.complete
    ]


def _share(
    names: Sequence[str], all_rows: Sequence[Sequence[Row]]
) -> tuple[list[list[Row]], list[str]]:
    """Return the rows of the episodes that all models played, and how many were left out.

    Raises:
        DataError: if there is no such episode.
    """
    keys = [{_key(row) for row in rows} for rows in all_rows]
    shared = set.intersection(*keys)
    if not shared:
        columns = [
            f"{name} {len(own)} episodes of {', '.join(sorted({key[0] for key in own})) or 'none'}"
            for name, own in zip(names, keys, strict=True)
        ]
        raise DataError(
            f"The models share no episode, so there is nothing to compare: {'; '.join(columns)}; "
            "evaluate them on the same environments, split and seed"
        )
    return _restricted(names, all_rows, shared, "episodes")


def _share_training(
    names: Sequence[str], all_rows: Sequence[Sequence[Row]]
) -> tuple[list[list[Row]], list[str]]:
    """Return the rows of training tasks that all models played that played any, as `_share`."""
    keys = [{_key(row) for row in rows} for rows in all_rows if rows]
    return _restricted(
        names, all_rows, set.intersection(*keys) if keys else set(), "episodes on training tasks"
    )


def _restricted(
    names: Sequence[str],
    all_rows: Sequence[Sequence[Row]],
    shared: Set[tuple[str, str, int]],
    what: str,
) -> tuple[list[list[Row]], list[str]]:
    """Return the rows whose keys are *shared*, and how many of each model were left out."""
    kept = [[row for row in rows if _key(row) in shared] for rows in all_rows]
    notes = [
        f"Left out: {len(rows) - len(own)} of {len(rows)} {what} of {name}, which not all models "
        "played."
        for name, rows, own in zip(names, all_rows, kept, strict=True)
        if len(own) < len(rows)
    ]
    return kept, notes


def _key(row: Row) -> tuple[str, str, int]:
    return row["column"], row["task_id"], row["sample"]


def _failed_episodes(models: Iterable[ComparedModel]) -> list[str]:
    """Return how many episodes of each model count as lost although the model did not lose them."""
    notes = []
    for model in models:
        rows = (*model.rows, *model.training_rows)
        number = sum(row["end_reason"] in ENDED_BY_FAILURE for row in rows)
        if number:
            notes.append(
                f"{number} episodes of {model.name} ended by an error of the environment or of "
                "the model's server, and count as lost."
            )
    return notes

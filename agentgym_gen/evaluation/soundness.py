"""Whether what is read of the files of an evaluation, which may be anybody's, has its type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError
from agentgym_gen.study.plan.plan import ROW_SCHEMA
from agentgym_gen.study.results.rows import Row

__all__ = ["check_row", "check_text", "has_sound_machines", "has_sound_settings"]

MAX_NUMBER = 1e9
"""No temperature is as large."""

_ROW_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("arm", "column", "env_id", "split", "task_id", "interface"), (str,)),
    **dict.fromkeys(("seed", "sample", "turns", "invalid_turns"), (int,)),
    **dict.fromkeys(("score", "reward"), (int, float)),
    "success": (bool,),
    "end_reason": (str,),
    "failures": (list,),
}
"""The keys that every row has, with their types."""

_TEXTS_OF_A_TURN = ("observation", "completion")

_MADE_WITH = {"python": str, "platform": str, "processor": str}
"""What a record says of the machines that have played, where it says something of them."""

_SETTING_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("split", "format", "reader"), (str,)),
    **dict.fromkeys(("shots", "max_tokens"), (int,)),
    **dict.fromkeys(("window", "max_turns"), (int, type(None))),
    "temperature": (int, float),
}
"""The settings that a score names, with their types."""


def has_sound_settings(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings that a score names have their types; a missing key raises."""
    has_types = all(isinstance(settings[key], types) for key, types in _SETTING_TYPES.items())
    return has_types and abs(settings["temperature"]) < MAX_NUMBER


def has_sound_machines(made_with: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether what a record says of the machines that have played has its types."""
    return all(
        isinstance(part.get("versions", {}), dict)
        and all(isinstance(part.get(key, ""), kind) for key, kind in _MADE_WITH.items())
        for part in made_with
    )


def check_row(row: Row, path: Path) -> Row:
    """Return *row* of the file *path* if its keys have their types.

    Raises:
        DataError: if one has not.
    """
    if row.get("schema") != ROW_SCHEMA:
        raise DataError(f"A row of {path} is not of schema {ROW_SCHEMA}: {row.get('schema')!r}")
    for key, types in _ROW_TYPES.items():
        if not isinstance(row.get(key), types):
            raise DataError(f"A row of {path} has no sound {key!r}: {row.get(key)!r}")
    if not all(isinstance(failure, str) for failure in row["failures"]):
        raise DataError(f"A row of {path} has no sound 'failures': {row['failures']!r}")
    return row


def check_text(row: Row, path: Path) -> Row:
    """Return *row*, a transcript of the file *path*, if its texts are there.

    Raises:
        DataError: if one is not.
    """
    turns = row.get("turns")
    sound = (
        isinstance(row.get("last_observation"), str)
        and isinstance(turns, list)
        and all(isinstance(turn, dict) and isinstance(turn.get("valid"), bool) for turn in turns)
        and all(isinstance(turn.get(key), str) for turn in turns for key in _TEXTS_OF_A_TURN)
    )
    if not sound:
        raise DataError(f"Cannot read the texts of {row['task_id']!r} in {path}: they are damaged")
    return row

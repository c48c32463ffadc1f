"""Panels: frozen lists of tasks, so that scores of different people are of the same episodes.

A panel is a file of this package, ``panels/<name>.json``: environments and interfaces, the task ids
of each, a hash of the tasks' content and one of the texts that open their episodes. A panel never
changes; what would change it needs a new version of its name. Before a model is asked, the hashes
are compared with what this installation plays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import DataError, InvalidValueError, MissingExtraError, unknown_name
from agentgym_gen.evaluation.results import Column
from agentgym_gen.system.untrusted_files import parse_json

__all__ = ["PANEL_SCHEMA", "Panel", "PanelColumn", "column_hashes", "load_panel", "panel_names"]

PANEL_SCHEMA = 1
"""The version of a panel's file."""

FOLDER = "panels"


@dataclass(frozen=True)
class PanelColumn:
    """An environment and an interface of a panel."""

    column: Column
    """Its tasks."""
    content_hash: str
    """The hash of the content of its tasks."""
    text_hash: str
    """The hash of the texts that open its episodes."""


@dataclass(frozen=True)
class Panel:
    """A frozen list of tasks."""

    name: str
    """Its name with its version: ``core-v1``."""
    about: str
    """What it is, in a sentence."""
    split: str
    """The split of its tasks."""
    columns: tuple[PanelColumn, ...]
    """What is played."""

    @property
    def hash(self) -> str:
        """A hash of all tasks and texts, which a score names."""
        parts = [(c.column.name, c.content_hash, c.text_hash) for c in self.columns]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def available(self) -> tuple[tuple[PanelColumn, ...], tuple[str, ...]]:
        """Return the columns that can be played here, and the environment ids that cannot.

        An environment is left out where its extra is not installed.
        """
        absent: dict[str, None] = {}
        for env_id in dict.fromkeys(column.column.env_id for column in self.columns):
            try:
                make_text_env(env_id, self.split).close()
            except MissingExtraError:
                absent[env_id] = None
        kept = tuple(column for column in self.columns if column.column.env_id not in absent)
        return kept, tuple(absent)

    def check(self, names: Collection[str], log: Callable[[str], None]) -> None:
        """Raise unless the tasks and texts that are played here are those of the panel.

        Args:
            names: The columns that are checked.
            log: Called with a line before the check, which takes seconds.

        Raises:
            DataError: if they differ: the score would be of another panel.
        """
        log(f"Comparing the tasks and texts with those of panel/{self.name}")
        for frozen in self.columns:
            if frozen.column.name not in names:
                continue
            content, text = column_hashes(frozen.column, self.split)
            if (content, text) == (frozen.content_hash, frozen.text_hash):
                continue
            part = "text" if content == frozen.content_hash else "content"
            raise DataError(
                f"The {part} of the tasks of {frozen.column.name!r} is not that of "
                f"panel/{self.name}, so a score would not be comparable; install the versions that "
                "docs/panel.md names, or play the environment without the panel"
            )


def panel_names() -> list[str]:
    """Return the names of the panels of this version."""
    folder = resources.files("agentgym_gen.evaluation") / FOLDER
    return sorted(path.name.removesuffix(".json") for path in folder.iterdir())


def load_panel(name: str) -> Panel:
    """Return the panel called *name*, such as ``core-v1`` or ``panel/core-v1``.

    Raises:
        InvalidValueError: if it is of a version that this installation does not have.
        UnknownNameError: if there is no such panel.
    """
    short, names = name.removeprefix("panel/"), panel_names()
    if short not in names:
        stem, _, version = short.rpartition("-v")
        versions = [n for n in names if n.rpartition("-v")[0] == stem]
        if versions and re.fullmatch(r"\d+", version):
            raise InvalidValueError(
                f"There is no panel {short!r} in this version, which has {', '.join(versions)}; "
                "install a newer agentgym-gen: pip install -U agentgym-gen"
            )
        raise unknown_name("panel", short, names)
    path = resources.files("agentgym_gen.evaluation") / FOLDER / f"{short}.json"
    return _read(parse_json(path.read_text(encoding="utf-8"), str(path)), short)


def _read(record: Mapping[str, Any], name: str) -> Panel:
    if record["schema"] != PANEL_SCHEMA or record["name"] != name:
        raise DataError(f"The panel {name!r} is of another schema; install agentgym-gen again")
    columns = [
        PanelColumn(
            Column(
                value["env_id"],
                value["interface"],
                tuple(_task_ids(record["tasks"][value["tasks"]])),
            ),
            value["content"],
            value["text"],
        )
        for value in record["columns"]
    ]
    return Panel(name, record["about"], record["split"], tuple(columns))


def _task_ids(compact: Sequence[str]) -> list[str]:
    """Return the ids that *compact* spells: each a prefix and keys, ``sokoban/easy/test: 3 17``."""
    ids: list[str] = []
    for line in compact:
        prefix, _, keys = line.partition(": ")
        ids += [f"{prefix}/{key}" for key in keys.split(" ")]
    return ids


def column_hashes(column: Column, split: str) -> tuple[str, str]:
    """Return the hash of the content of the tasks of *column*, and that of their opening texts.

    The texts are the instruction, the first observation, the goal and the admissible actions.
    """
    env = make_text_env(column.name, split)
    content, text = hashlib.sha256(), hashlib.sha256()
    for task_id in column.task_ids:
        observation, info = env.reset(options={"task_id": task_id})
        content.update(f"{task_id}\n{env.task.fingerprint}\n".encode())
        parts = (task_id, env.instruction, observation, str(info["goal"]))
        text.update("\n".join((*parts, *info["admissible_actions"], "")).encode())
    env.close()
    return content.hexdigest()[:16], text.hexdigest()[:16]

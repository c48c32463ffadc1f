"""Models and data that are prepared once and kept in the cache: ``agentgym-gen data NAME``.

`PREPARATIONS` names the module whose function ``prepare`` does the work, so that nothing is
imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.system.imports import load_module

Log = Callable[[str], None]
"""Called with each line of progress."""


@dataclass(frozen=True)
class PrepareRequest:
    """Which part of an environment's data is prepared."""

    tasks_per_split: int | None = None
    """How many tasks of each tier and split; None prepares nothing and reports what is there."""
    tier: str | None = None
    """The tier, or None for all."""
    split: str | None = None
    """The split, or None for all."""
    workers: int | None = None
    """How many processes work in parallel; None starts one for each processor."""
    task_ids: tuple[str, ...] = ()
    """The tasks that are prepared, in place of the first ones of each tier and split."""


DEFAULT_REQUEST = PrepareRequest()


@dataclass(frozen=True)
class Preparation:
    """A model or data set that is prepared once."""

    module: str
    """The module whose function ``prepare(log)`` does the work and returns the folder."""
    summary: str
    """What it is, in a line."""
    by_task: bool = False
    """Whether it is made task by task: the function is ``prepare(log, request)``."""


PREPARATIONS = {
    "smollm2": Preparation(
        "agentgym_gen.trainers.models.smollm2", "SmolLM2-135M-Instruct, a pretrained model (93 MB)"
    ),
    "textworld": Preparation(
        "agentgym_gen.envs.textworld.prepare", "games of TextWorld (0.5 MB each)", by_task=True
    ),
}
"""What can be prepared, by name."""


def prepare(name: str, log: Log, request: PrepareRequest = DEFAULT_REQUEST) -> Path:
    """Prepare *name*, unless that has been done, and return its folder.

    Args:
        name: One of `PREPARATIONS`.
        log: Called with each line of progress.
        request: Which part of it, where it is made task by task.

    Raises:
        UnknownNameError: if nothing has that name.
        InvalidValueError: if a part is requested of what is prepared as a whole.
    """
    if name not in PREPARATIONS:
        raise unknown_name("data", name, PREPARATIONS)
    preparation = PREPARATIONS[name]
    if not preparation.by_task and request != DEFAULT_REQUEST:
        raise InvalidValueError(f"{name!r} is prepared as a whole; leave the options out")
    module = load_module(preparation.module, name)
    if preparation.by_task:
        by_task = cast("Callable[[Log, PrepareRequest], Path]", module.prepare)
        return by_task(log, request)
    as_a_whole = cast("Callable[[Log], Path]", module.prepare)
    return as_a_whole(log)

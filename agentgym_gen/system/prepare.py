"""What the command line can prepare once and keep: models and data that are no part of the package.

Each kind is a function elsewhere, named by its module, so that nothing is imported before it is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agentgym_gen.errors import InvalidValueError, unknown_name
from agentgym_gen.system.imports import load_module

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """How much of an environment's data is prepared."""

    number: int | None = None
    """How many tasks of each tier and split; None only tells what is there."""
    tier: str | None = None
    """The tier, or None for all."""
    split: str | None = None
    """The split, or None for all."""
    workers: int | None = None
    """How many processes work side by side; None takes one a processor."""


EVERYTHING = Order()


@dataclass(frozen=True)
class Preparation:
    """Something that is prepared once."""

    source: str
    """Its module, whose function ``prepare(say)`` does it and returns the folder."""
    summary: str
    """What it is, in a line."""
    by_task: bool = False
    """Whether it is made task by task: the function is ``prepare(say, order)``."""


PREPARATIONS = {
    "smollm2": Preparation(
        "agentgym_gen.trainers.models.smollm2", "SmolLM2-135M-Instruct, a pretrained model (93 MB)"
    ),
    "textworld": Preparation(
        "agentgym_gen.envs.textworld.prepare", "games of TextWorld (0.5 MB each)", by_task=True
    ),
}
"""What can be prepared, by name."""


def prepare(name: str, say: Say, order: Order = EVERYTHING) -> Path:
    """Prepare *name*, unless it is there, and return its folder.

    Args:
        name: One of `PREPARATIONS`.
        say: Called with each line of progress.
        order: How much of it, where it is made task by task.

    Raises:
        UnknownNameError: if nothing has that name.
        InvalidValueError: if only a part is ordered of what is prepared as a whole.
    """
    if name not in PREPARATIONS:
        raise unknown_name("data", name, PREPARATIONS, "all")
    found = PREPARATIONS[name]
    if not found.by_task and order != EVERYTHING:
        raise InvalidValueError(f"{name!r} is prepared as a whole; leave the options out")
    module = load_module(found.source, name)
    if found.by_task:
        by_task = cast("Callable[[Say, Order], Path]", module.prepare)
        return by_task(say, order)
    work = cast("Callable[[Say], Path]", module.prepare)
    return work(say)

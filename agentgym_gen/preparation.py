"""What the command line can prepare once and keep: models and data that are no part of the package.

Each kind is a function elsewhere, named by its module, so that nothing is imported before it is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agentgym_gen.errors import unknown_name
from agentgym_gen.loading import load_module

Say = Callable[[str], None]


@dataclass(frozen=True)
class Preparation:
    """Something that is prepared once."""

    source: str
    """Its module, whose function ``prepare(say)`` does it and returns the folder."""
    summary: str
    """What it is, in a line."""


PREPARATIONS = {
    "smollm2": Preparation(
        "agentgym_gen.trainers.smollm2", "SmolLM2-135M-Instruct, a pretrained model (93 MB)"
    ),
}
"""What can be prepared, by name."""


def prepare(name: str, say: Say) -> Path:
    """Prepare *name*, unless it is there, and return its folder.

    Args:
        name: One of `PREPARATIONS`.
        say: Called with each line of progress.

    Raises:
        UnknownNameError: if nothing has that name.
    """
    if name not in PREPARATIONS:
        raise unknown_name("data", name, PREPARATIONS, "all")
    module = load_module(PREPARATIONS[name].source, name)
    work = cast("Callable[[Say], Path]", module.prepare)
    return work(say)

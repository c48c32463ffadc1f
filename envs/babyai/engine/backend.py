"""The way to minigrid, which is loaded when a world is made.

`engine` and `bot` are the only modules that import minigrid; they are loaded here only. minigrid
imports pygame, which opens no display until somebody draws, and whose greeting gymnasium has
forbidden already.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from agentgym_gen.errors import missing_extra

BEHIND = ("minigrid", "pygame")
"""What the extra ``babyai`` installs."""


@functools.cache
def load(name: str) -> ModuleType:
    """Return the module *name* of this package, ``game`` or ``bot``, with minigrid behind it.

    Raises:
        MissingExtraError: if minigrid is not installed.
    """
    try:
        return importlib.import_module(f"agentgym_gen.envs.babyai.engine.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in BEHIND:
            raise missing_extra("minigrid", "babyai", "BabyAI") from error
        raise

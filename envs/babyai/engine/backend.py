"""Loads the modules that need minigrid, when a world is made.

`game` and `bot` are the only modules that import minigrid, and they are loaded here only. minigrid
imports pygame, which opens no display until somebody draws; gymnasium has switched off its greeting
already.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from agentgym_gen.errors import missing_extra


@functools.cache
def load(name: str) -> ModuleType:
    """Return the module *name* of this package, ``game`` or ``bot``, which imports minigrid.

    Raises:
        MissingExtraError: if minigrid is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(f"agentgym_gen.envs.babyai.engine.{name}")
    except ImportError as error:
        if (error.name or "").startswith("agentgym_gen"):
            raise
        raise missing_extra("minigrid", "babyai", "BabyAI", error) from error

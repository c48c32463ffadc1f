"""The way to minigrid, which is loaded when a world is made, in silence.

`engine` and `bot` are the only modules that import minigrid; they are loaded here only.
"""

from __future__ import annotations

import importlib
import os
import threading
from types import ModuleType

from agentgym_gen.errors import missing_extra

_PROMPT = "PYGAME_HIDE_SUPPORT_PROMPT"
_LOADING = threading.Lock()


def load(name: str) -> ModuleType:
    """Return the module *name* of this package, ``engine`` or ``bot``, with minigrid behind it.

    minigrid imports pygame, which greets on the standard output unless an environment variable
    forbids it; the variable is set while minigrid is imported and no longer. No display is opened.

    Raises:
        MissingExtraError: if minigrid is not installed.
    """
    with _LOADING:
        before = os.environ.get(_PROMPT)
        os.environ[_PROMPT] = "hide"
        try:
            return importlib.import_module(f"agentgym_gen.envs.babyai.{name}")
        except ModuleNotFoundError as error:
            if error.name and error.name.split(".")[0] in ("minigrid", "pygame"):
                raise missing_extra("minigrid", "babyai", "BabyAI") from error
            raise
        finally:
            if before is None:
                del os.environ[_PROMPT]
            else:
                os.environ[_PROMPT] = before

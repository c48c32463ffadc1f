"""Modules by name, as ids and options name them."""

from __future__ import annotations

import importlib
from types import ModuleType

from agentgym_gen.errors import InvalidValueError, MissingExtraError


def load_module(name: str, source: str) -> ModuleType:
    """Return the module *name*, imported.

    Args:
        name: The module's dotted name.
        source: The text that names it, for the message.

    Raises:
        InvalidValueError: if it cannot be imported.
        MissingExtraError: if it says itself which extra it needs.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        raise InvalidValueError(f"{name!r} in {source!r} is not the name of a module")
    try:
        return importlib.import_module(name)
    except MissingExtraError:
        raise
    except ImportError as error:
        raise InvalidValueError(
            f"Module {name!r} in {source!r} cannot be imported: {error}; "
            "correct the name or install its package"
        ) from error

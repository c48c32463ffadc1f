"""Modules that ids and options name, imported when they are needed."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from types import ModuleType

from agentgym_gen.errors import InvalidValueError, MissingExtraError


def load_module(name: str, source: str) -> ModuleType:
    """Import the module *name* and return it.

    Args:
        name: The module's dotted name.
        source: The text that contains the name, for the message.

    Raises:
        InvalidValueError: if it cannot be imported.
        MissingExtraError: if the module raises it, naming the extra that it needs.
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
    except Exception as error:
        raise InvalidValueError(
            f"Module {name!r} in {source!r} fails when it is imported: "
            f"{type(error).__name__}: {error}"
        ) from error


def modules_that_need(package: str) -> Iterator[str]:
    """Yield the module of each installed package that requires *package*, by name.

    Nothing is imported. What is needed for an extra only does not count.
    """
    name = "[-_.]".join(map(re.escape, package.split("-")))
    needs = re.compile(rf"{name}(?![\w.-])(?!.*;.*extra)", re.IGNORECASE)
    modules: set[str] = set()
    for distribution in distributions():
        if any(needs.match(requirement) for requirement in distribution.requires or ()):
            text = distribution.read_text("top_level.txt") or distribution.name.replace("-", "_")
            modules.update(name for name in text.split() if name.isidentifier())
    yield from sorted(modules)

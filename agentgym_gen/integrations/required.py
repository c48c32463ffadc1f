"""One sentence for a package that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentgym_gen.errors import MissingExtraError

__all__ = ["required"]


@contextmanager
def required(package: str, install: str) -> Iterator[None]:
    """Turn the failed import of *package* into a `MissingExtraError` that says how to install it.

    Args:
        package: The name that is imported.
        install: What pip is told to install.

    Raises:
        MissingExtraError: if the package is not installed. A package that *package* itself lacks
            is reported as Python does.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingExtraError(
            f"This adapter needs {package!r}, which is not installed; run: pip install {install}"
        ) from error

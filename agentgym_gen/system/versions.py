"""The versions of the packages that decide what a run computes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("agentgym-gen", "gymnasium", "numpy", "torch", "transformers", "peft", "tokenizers")


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str | None]:
    """Return the version of each of *packages*; None if it is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

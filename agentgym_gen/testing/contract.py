"""What all checks share: the error of a broken promise, and the function that raises it."""

from __future__ import annotations


class ContractError(AssertionError):
    """A world, an interface or an environment that breaks its contract."""


def require(holds: bool, sentence: str, where: object) -> None:
    """Raise a `ContractError` that says *sentence* and *where*, unless it *holds*."""
    if not holds:
        raise ContractError(f"{sentence} ({where})")

"""Names that a folder can have on every system: a study's results are moved between them."""

from __future__ import annotations

from collections.abc import Iterable

from agentgym_gen.errors import InvalidValueError
from agentgym_gen.study.plan.validation import short_repr

__all__ = ["DEVICES", "MAX_NAME_BYTES", "check_folder_name", "check_names"]

MAX_NAME_BYTES = 200
"""The longest name of an arm or a column; file systems have 255, and a seed is added."""

DEVICES = {
    *("CON", "PRN", "AUX", "NUL"),
    *(f"{device}{number}" for device in ("COM", "LPT") for number in range(10)),
}
"""The names that no file on Windows can have, whatever follows a dot."""


def check_folder_name(name: str, start: str = "") -> None:
    """Raise unless a folder can be called *name* on every system.

    Args:
        name: The name.
        start: How the sentence begins.

    Raises:
        InvalidValueError: if it is a name of a device of Windows, ends with a dot or a space, or is
            too long.
    """
    if name.partition(".")[0].strip().upper() in DEVICES:
        raise InvalidValueError(
            f"{start}No folder can be called {name!r}: it is a device on Windows"
        )
    if name[-1:] in (".", " "):
        raise InvalidValueError(
            f"{start}No folder can be called {name!r}: Windows drops the {name[-1]!r} at its end"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidValueError(
            f"{start}No folder can be called {short_repr(name)}: it has {len(name.encode())} "
            f"bytes, and {MAX_NAME_BYTES} are the most; use fewer stages or shorter names"
        )


def check_names(owners: Iterable[tuple[str, object]]) -> None:
    """Check the names of folders that lie in one folder, each with what it is the name of.

    On some disks `Foo` and `foo` are one folder.

    Raises:
        InvalidValueError: if two things share a name, or no folder can be called by it.
    """
    first: dict[str, tuple[str, object]] = {}
    for name, owner in owners:
        check_folder_name(name)
        other_name, other = first.setdefault(name.casefold(), (name, owner))
        if other != owner:
            also = "" if other_name == name else f" and {other_name!r}, one folder on some disks"
            raise InvalidValueError(f"Two different things would be called {name!r}{also}")

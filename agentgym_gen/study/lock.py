"""One run at a time in a results folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentgym_gen.errors import DataError, ResultExistsError

LOCK = ".lock"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of the results folder *out*.

    The system lets it go when the process ends, however it ends.

    Raises:
        ResultExistsError: if another run holds it.
        DataError: if the folder cannot be written.
    """
    import fcntl

    path = out / LOCK
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(f"Cannot write {path}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise ResultExistsError(
                f"Another run writes to {out} (process {holder}); wait for it, end it, or choose "
                "another folder with --out"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_locked(out: Path) -> bool:
    """Return whether a run holds the lock of *out*."""
    if not (out / LOCK).exists():
        return False
    try:
        with locked(out):
            return False
    except ResultExistsError:
        return True

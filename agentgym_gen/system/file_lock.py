"""Locks between processes that the system lets go when their holder ends, however it ends.

    with one_writer(Path("runs/mine"), "another folder with --out"):
        ...                              # a second run is refused, and says who holds the folder

A lock is a small file that names its holder, and is removed when it is let go. POSIX locks it by
``flock`` and Windows by ``msvcrt.locking``, so that the core needs no package for it. Neither
looks at a clock: a lock is never taken for stale.
"""

from __future__ import annotations

import errno
import importlib
import os
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.system.files import cannot_write

LOCK = ".lock"
"""The lock file of a folder."""

LOOKS, PAUSE = 5, 0.05
"""How often a lock is tried before it counts as held, and the seconds between: `is_locked` and a
process that ends may hold it for an instant."""

BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK}
"""What the systems say of a lock that another process holds."""

FAR = 1 << 30
"""The byte that Windows locks: what is locked there cannot be read, and the holder's name can."""

_HELD: set[int] = set()
"""The open lock files of this process. A fork gets copies of them, which must not outlive us."""


@contextmanager
def one_writer(folder: Path, instead: str) -> Iterator[None]:
    """Hold the lock of *folder*, which is made if it is not there.

    Args:
        folder: Where one run at a time may write.
        instead: What another run may choose, such as ``another folder with --out``.

    Raises:
        ResultExistsError: if another run holds it, with the process that does.
        DataError: if the folder cannot be written, or its disk knows no locks.
    """
    with locked(folder / LOCK, f"Another run writes to {folder}", instead):
        yield


@contextmanager
def locked(path: Path, refusal: str = "", instead: str = "") -> Iterator[None]:
    """Hold the lock file *path*, waiting for it unless there is a *refusal*.

    Args:
        path: The file, whose folder is made if it is not there.
        refusal: The beginning of the sentence that refuses to wait.
        instead: What may be chosen instead of waiting.

    Raises:
        ResultExistsError: if another process holds it and there is a refusal.
        DataError: if the file cannot be written, or its disk knows no locks.
    """
    try:
        handle = _taken(path, wait=not refusal)
    except _HeldError as held:
        raise ResultExistsError(
            f"{refusal} ({held}); wait for it, end it, or choose {instead}"
        ) from None
    _HELD.add(handle)
    try:
        yield
    finally:
        if handle in _HELD:  # not in a fork, which has no lock to let go
            _HELD.discard(handle)
            _let_go(handle, path)


def is_locked(folder: Path) -> bool:
    """Return whether a run holds the lock of *folder*; a folder that cannot be written will do."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    except OSError:
        return False
    try:
        _lock(handle, shared=True)
    except OSError as error:
        return error.errno in BUSY
    finally:
        os.close(handle)
    return False


class _HeldError(Exception):
    """Who holds a lock."""


def _taken(path: Path, *, wait: bool) -> int:
    """Return the open and locked file *path*.

    Raises:
        _HeldError: if it is held and not to be waited for.
        DataError: if it cannot be written or locked.
    """
    looks = 0
    while (handle := _tried(path)) is None:
        looks += 1
        if looks >= LOOKS and not wait:
            raise _HeldError(_holder(path))
        time.sleep(PAUSE)
    return handle


def _tried(path: Path) -> int | None:
    """Return the open, locked and signed file *path*, or None if it is held."""
    with ExitStack() as unless_taken:
        handle = _opened(path)
        unless_taken.callback(os.close, handle)
        if not _is_free(handle, path) or not _is_at(handle, path):
            return None
        _sign(handle, path)
        unless_taken.pop_all()
        return handle


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error


def _is_free(handle: int, path: Path) -> bool:
    """Lock the open file *path* and return whether that was possible."""
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in BUSY:
            return False
        raise DataError(
            f"Cannot lock {path}: {error.strerror}; choose a folder on a disk that has locks"
        ) from error
    return True


def _is_at(handle: int, path: Path) -> bool:
    """Return whether *path* still names the open file: its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sign(handle: int, path: Path) -> None:
    """Write into the lock file who holds it."""
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {platform.node()}\n".encode())
    except OSError as error:
        raise cannot_write(path, error) from error


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or "an unknown process"
    except OSError:
        return "an unknown process"


def _let_go(handle: int, path: Path) -> None:
    """Remove the lock file and unlock it, in this order: who waits for it notices."""
    with suppress(OSError):  # Windows removes no open file, and another may have it open
        path.unlink()
    os.close(handle)


def _lock(handle: int, *, shared: bool = False) -> None:
    """Lock the open file *handle*, or raise the `OSError` of a lock that is held."""
    if os.name == "nt":
        _lock_by(importlib.import_module("msvcrt"), handle)
        return
    import fcntl

    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock_by(msvcrt: Any, handle: int) -> None:  # noqa: ANN401  (a module of Windows)
    os.lseek(handle, FAR, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    finally:
        os.lseek(handle, 0, os.SEEK_SET)


def _forget() -> None:
    """Close a fork's copies of lock files; that lets nothing go, but for the fork."""
    for handle in _HELD:
        os.close(handle)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

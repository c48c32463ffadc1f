"""Locks between processes, which the system releases when their holder ends for any reason.

    with lock_folder(Path("runs/mine"), "another folder with --out"):
        ...                              # a second run fails and names the process that holds it

A lock is a small file that names its holder and is removed on release. What is no lock stays as it
is: a link is not followed, and the file of another program is not written over. A lock is locked by
``flock`` on POSIX and by ``msvcrt.locking`` on Windows, so that the core needs no package for it.
Neither depends on a clock: a lock is never taken for stale.
"""

from __future__ import annotations

import errno
import importlib
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.system.files import open_regular, write_error

LOCK_NAME = ".lock"
"""The lock file of a folder."""

ATTEMPTS, PAUSE_SECONDS = 5, 0.05
"""How often a lock is tried before it counts as held, and the seconds between.

One attempt is not enough: `is_locked`, or a process that ends, may hold a lock for an instant."""

HELD_ERRNOS = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK}
"""The error numbers by which systems report a lock that another process holds."""

WINDOWS_LOCK_BYTE = 1 << 30
"""The byte that is locked on Windows, far behind the text of the file.

A locked byte cannot be read by others there, and the name of the holder has to be."""

HOLDER = "process "
"""How the text of a lock begins."""

MAX_HOLDER_BYTES = 400
"""How much of the text of a lock is read."""

_OPEN_LOCKS: set[int] = set()
"""The descriptors of the locks that this process holds.

A fork inherits copies, which would keep the locks held after this process has ended."""


class HeldLock:
    """A lock that this process holds.

    Args:
        handle: The descriptor of its file.
        path: The file.
    """

    def __init__(self, handle: int, path: Path) -> None:
        self._handle, self._path = handle, path

    def check(self) -> None:
        """Raise unless the lock is where it was.

        Raises:
            DataError: if its folder was deleted or replaced: what is written there now would be a
                part, and another run may have the folder.
        """
        if not _is_named_by(self._handle, self._path):
            raise DataError(
                f"{self._path.parent} was deleted or replaced while this run wrote to it; "
                "nothing more is written, start the run again"
            )


@contextmanager
def lock_folder(folder: Path, alternative: str) -> Iterator[HeldLock]:
    """Hold the lock of *folder*, which is created if it does not exist.

    Args:
        folder: Where one run at a time may write.
        alternative: What a refused run may choose, such as ``another folder with --out``.

    Raises:
        ResultExistsError: if another run holds it, naming that process.
        DataError: if the folder cannot be written, or its disk has no locks.
    """
    with lock_file(folder / LOCK_NAME, f"Another run writes to {folder}", alternative) as lock:
        yield lock


@contextmanager
def lock_file(path: Path, refusal: str = "", alternative: str = "") -> Iterator[HeldLock]:
    """Hold the lock file *path*, waiting for it unless there is a *refusal*.

    Args:
        path: The file, whose folder is created if it does not exist.
        refusal: The beginning of the sentence that refuses to wait.
        alternative: What may be chosen instead of waiting.

    Raises:
        ResultExistsError: if another process holds it and there is a refusal.
        DataError: if the file cannot be written or is no lock, or its disk has no locks.
    """
    try:
        handle = _acquire(path, wait=not refusal)
    except _LockHeldError as held:
        raise ResultExistsError(
            f"{refusal} ({held}); wait for it, end it, or choose {alternative}"
        ) from None
    _OPEN_LOCKS.add(handle)
    try:
        yield HeldLock(handle, path)
    finally:
        if handle in _OPEN_LOCKS:  # not in a fork, which holds no lock
            _OPEN_LOCKS.discard(handle)
            _release(handle, path)


def is_locked(folder: Path) -> bool:
    """Return whether a run holds the lock of *folder*, which need not be writable."""
    try:
        mode = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
        handle = open_regular(folder / LOCK_NAME, mode)
    except OSError:
        return False
    try:
        _lock(handle, shared=True)
    except OSError as error:
        return error.errno in HELD_ERRNOS
    finally:
        os.close(handle)
    return False


class _LockHeldError(Exception):
    """A lock is held by another process, which the message names."""


def _acquire(path: Path, *, wait: bool) -> int:
    """Return the descriptor of the file *path*, open and locked.

    Raises:
        _LockHeldError: if it is held and *wait* is False.
        DataError: if it cannot be written or locked.
    """
    attempts = 0
    while (handle := _try_to_acquire(path)) is None:
        attempts += 1
        if attempts >= ATTEMPTS and not wait:
            raise _LockHeldError(_read_holder(path))
        time.sleep(PAUSE_SECONDS)
    return handle


def _try_to_acquire(path: Path) -> int | None:
    """Return the descriptor of the file *path*, locked and with our name, or None if it is held."""
    with ExitStack() as on_failure:
        handle = _open(path)
        on_failure.callback(os.close, handle)
        if not _try_to_lock(handle, path) or not _is_named_by(handle, path):
            return None
        _check_lock(handle, path)
        _write_holder(handle, path)
        on_failure.pop_all()
        return handle


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise write_error(path, error) from error


def _try_to_lock(handle: int, path: Path) -> bool:
    """Lock the open file *path* and return whether that was possible."""
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in HELD_ERRNOS:
            return False
        raise DataError(
            f"Cannot lock {path}: {error.strerror}; choose a folder on a disk that has locks"
        ) from error
    return True


def _is_named_by(handle: int, path: Path) -> bool:
    """Return whether *path* still names the open file *handle*.

    Its last holder may have removed it between our opening and our locking; a lock on a file
    without a name would exclude nobody.
    """
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


def _check_lock(handle: int, path: Path) -> None:
    """Raise unless the open file *path* is empty or a lock, and has no other name.

    Raises:
        DataError: if it is the file of another program, which writing would destroy.
    """
    text = os.read(handle, MAX_HOLDER_BYTES)
    if (text and not text.startswith(HOLDER.encode())) or os.fstat(handle).st_nlink > 1:
        raise DataError(
            f"Cannot lock {path}: it is a file of another program; move it away, or choose "
            "another folder"
        )
    os.lseek(handle, 0, os.SEEK_SET)


def _write_holder(handle: int, path: Path) -> None:
    """Write the name of this process into the lock file."""
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{HOLDER}{os.getpid()} on {platform.node()}\n".encode())
    except OSError as error:
        raise write_error(path, error) from error


def _read_holder(path: Path) -> str:
    try:
        with os.fdopen(open_regular(path, os.O_RDONLY), "rb") as file:
            text = file.read(MAX_HOLDER_BYTES).decode(errors="replace").strip()
    except OSError:
        text = ""
    return text or "an unknown process"


def _release(handle: int, path: Path) -> None:
    """Remove the lock file and unlock it.

    In this order a waiting process, which then locks the removed file, notices by `_is_named_by`.
    Windows removes no file that is open, so it is closed first there; if another process has opened
    it in between, it stays.
    """
    if sys.platform == "win32":
        _unlock_on_windows(importlib.import_module("msvcrt"), handle)
        os.close(handle)
    with suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(handle)


def _lock(handle: int, *, shared: bool = False) -> None:
    """Lock the open file *handle*, or raise an `OSError` if it is held."""
    if sys.platform == "win32":
        _lock_on_windows(importlib.import_module("msvcrt"), handle)
        return
    import fcntl

    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock_on_windows(msvcrt: Any, handle: int) -> None:  # noqa: ANN401  (a module of Windows)
    os.lseek(handle, WINDOWS_LOCK_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    finally:
        os.lseek(handle, 0, os.SEEK_SET)


def _unlock_on_windows(msvcrt: Any, handle: int) -> None:  # noqa: ANN401  (a module of Windows)
    """Unlock at once: Windows unlocks a file that is closed, but says not when."""
    os.lseek(handle, WINDOWS_LOCK_BYTE, os.SEEK_SET)
    with suppress(OSError):
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)


def _close_copies() -> None:
    """Close a fork's copies of the descriptors; the parent's locks stay held."""
    for handle in _OPEN_LOCKS:
        os.close(handle)
    _OPEN_LOCKS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_copies)

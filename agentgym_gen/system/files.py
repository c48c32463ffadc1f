"""Atomic writes, errors of writing, and the cache folder.

A file is written next to its place and renamed, so that a reader sees the old file or the new one
and never a part.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from agentgym_gen.errors import DataError, DiskFullError

CACHE_VARIABLE = "AGENTGYM_GEN_CACHE"
"""The environment variable that names the cache folder."""

TEMPORARY_ENDING = ".agentgym_gen.part"
"""The ending of a file that is being written; whoever holds the folder may remove leftovers.

Other programs call such files ``.part`` too, so it has the name of the library in it."""

_TEMPORARY_NAME = re.compile(rf"\.(?P<name>.+)\.[0-9a-f]{{12}}{re.escape(TEMPORARY_ENDING)}")

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""The flags with which a file is opened that others may have put there: links are not followed, and
a pipe does not wait for its other end. Windows has neither."""

DISK_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The error numbers for no room left: on the disk, in a quota, or by a limit of the process."""

NOT_WRITABLE_ERRNOS = {errno.EROFS, errno.EACCES, errno.EPERM}
"""The error numbers for a place where this user may not write."""


def cache_folder() -> Path:
    """Return the folder for files that can be computed again; it may not exist yet.

    It is the value of `AGENTGYM_GEN_CACHE`, or else ``agentgym_gen`` in the user's cache folder
    (``XDG_CACHE_HOME``, or else ``~/.cache``).
    """
    configured = os.environ.get(CACHE_VARIABLE)
    if configured:
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "agentgym_gen"


def write_text(path: Path, text: str) -> None:
    """Write *text* to *path* in one step; a reader sees the old file or the new one.

    Raises:
        DataError: if the folder cannot be written, with the reason.
    """
    with atomic_write(path) as file:
        file.write(text.encode())


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file that becomes *path* in one step when the block ends without an error.

    Raises:
        DataError: if the folder cannot be written, with the reason.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A mode of 0o666 less the umask, as of any file that the user makes; `tempfile` has 0o600.
        temporary = draft = _draft_of(path)
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
    except DataError:  # of the block, with its own sentence
        raise
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield the name of a file that becomes *path* in one step when the block ends.

    It is for programs that open the file themselves; `atomic_write` is for all others. After an
    error in the block, *path* is as it was.

    Raises:
        DataError: if the folder cannot be written, or no file is there at the end.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = draft = _draft_of(path)
        yield draft
        with draft.open("r+b") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        temporary = None
    except DataError:
        raise
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY_ENDING}")


def write_error(path: Path, error: BaseException, content: str = "") -> DataError:
    """Return the error for *path*, which cannot be written; it says what to do about it.

    Args:
        path: The file or folder.
        error: The error of the system or of a library.
        content: What *path* is, such as ``the checkpoint``.
    """
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = "a part of it is a file, and should be a folder"
    failure = f"Cannot write {content} {path}" if content else f"Cannot write {path}"
    number = getattr(error, "errno", None)
    if number in DISK_FULL_ERRNOS or isinstance(error, DiskFullError):
        return DiskFullError(f"{failure}: {reason}; make room there, then run it again")
    if number in NOT_WRITABLE_ERRNOS:
        return DataError(f"{failure}: {reason}; choose a folder that you may write to")
    return DataError(f"{failure}: {reason}")


def is_temporary(path: Path, name: str = "") -> bool:
    """Return whether *path* is a half-written file of this library.

    Args:
        path: A file.
        name: The name of the file that it was to become; empty for any.
    """
    match = _TEMPORARY_NAME.fullmatch(path.name)
    if match is None or name not in ("", match["name"]):
        return False
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def remove_temporary_files(paths: Iterable[Path], name: str = "") -> None:
    """Remove those of *paths* that killed processes left half-written; other files stay.

    Args:
        paths: Files; nobody else may write them now.
        name: The name of the file that they were to become; empty for any.
    """
    for path in paths:
        if is_temporary(path, name):
            path.unlink(missing_ok=True)


def open_regular(path: Path, flags: int) -> int:
    """Return a descriptor of *path*, made if *flags* have `os.O_CREAT`; it is no link and no pipe.

    Raises:
        OSError: if it cannot be opened, is a link, or is no ordinary file.
    """
    if path.is_symlink():  # Windows has no flag for it; elsewhere the reason is clearer
        raise OSError(errno.ELOOP, "it is a link, which is not followed")
    # O_BINARY is Windows': without it, the ends of lines would change
    more_flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags | NO_FOLLOW | more_flags, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no ordinary file")
    return handle


def append_text(path: Path, text: str) -> None:
    """Add *text* at the end of the file *path*, whose folder has to be there.

    Raises:
        OSError: if it cannot be written, is a link, or is no ordinary file.
    """
    with os.fdopen(open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
        file.write(text.encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write *value* to *path* as indented JSON, in one step."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write *rows* to *path*, one JSON object a line, in one step."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

"""Atomic writes, errors of writing, and the cache folder.

A file is written next to its place and renamed, so that a reader sees the old file or the new one
and never a part.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from agentgym_gen.errors import DataError, DiskFullError

CACHE_VARIABLE = "AGENTGYM_GEN_CACHE"
"""The environment variable that names the cache folder."""

TEMPORARY_ENDING = ".part"
"""The ending of a file that is being written; whoever holds the folder may remove leftovers."""

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
        handle, name = tempfile.mkstemp(TEMPORARY_ENDING, f".{path.name}.", path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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


def remove_temporary_files(folder: Path, prefix: str = "") -> None:
    """Remove the half-written files of killed processes; nobody else may write to *folder* now.

    Args:
        folder: The folder, with its subfolders.
        prefix: How the names of the files begin.
    """
    for temporary in folder.rglob(f".{prefix}*{TEMPORARY_ENDING}"):
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write *value* to *path* as indented JSON, in one step."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write *rows* to *path*, one JSON object a line, in one step."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

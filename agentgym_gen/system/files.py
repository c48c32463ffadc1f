"""Files that are either whole or not there."""

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
"""The environment variable that names the folder of what can be made again."""


SCRATCH = ".part"
"""The ending of a file that is being written; whoever holds the folder may remove what is left."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says when there is no room: on the disk, in a quota, in a limit of a process."""

FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
"""What the system says of a place where this user may not write."""


def cache_folder() -> Path:
    """Return the folder of what can be made again, which may not exist yet.

    That is `AGENTGYM_GEN_CACHE`, or ``agentgym_gen`` in the user's cache folder.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "agentgym_gen"


def write_text(path: Path, text: str) -> None:
    """Write *text* to *path* in one step; a reader sees the old file or the new one.

    Raises:
        DataError: if the folder cannot be written, naming it and why.
    """
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that becomes *path* in one step when the block ends without an error.

    Raises:
        DataError: if the folder cannot be written, naming it and why.
    """
    scratch: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(SCRATCH, f".{path.name}.", path.parent)
        scratch = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(0o644)
        scratch.replace(path)
        scratch = None
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def cannot_write(path: Path, error: BaseException, what: str = "") -> DataError:
    """Return the error for *path*, which cannot be written, with what to do about it.

    Args:
        path: The file or folder.
        error: What the system or a library said.
        what: What *path* is, such as ``the checkpoint``.
    """
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = "a part of it is a file, and should be a folder"
    said = f"Cannot write {what} {path}" if what else f"Cannot write {path}"
    number = getattr(error, "errno", None)
    if number in FULL or isinstance(error, DiskFullError):
        return DiskFullError(f"{said}: {reason}; make room there, then run it again")
    if number in FORBIDDEN:
        return DataError(f"{said}: {reason}; choose a folder that you may write to")
    return DataError(f"{said}: {reason}")


def sweep(folder: Path, beginning: str = "") -> None:
    """Remove what killed processes left half-written in *folder*; nobody else may write there.

    Args:
        folder: The folder, with those in it.
        beginning: How the names of the files begin.
    """
    for scratch in folder.rglob(f".{beginning}*{SCRATCH}"):
        scratch.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write *value* to *path* as indented JSON, in one step."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write *rows* to *path*, one JSON object a line, in one step."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

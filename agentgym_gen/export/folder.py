"""A folder of demonstrations: one file a split, and a manifest with their hashes.

The folder appears in one step, with all of its files. One that is there is never overwritten
unasked, and one that is no export of ours never.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError, ResultExistsError, unknown_name
from agentgym_gen.export.demos import DemoPlan, demo_rows
from agentgym_gen.export.formats import FORMATS, HashingFile
from agentgym_gen.system.files import TEMPORARY_ENDING, atomic_write, write_error, write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text

__all__ = ["FORMATS", "MANIFEST", "ExportSummary", "export_demos"]

MANIFEST = "manifest.json"
"""The file that says what the others are."""

KIND = "agentgym_gen demonstrations"
"""What the manifest calls itself, so that no other folder is taken for an export."""


@dataclass(frozen=True)
class ExportSummary:
    """What was written for one split."""

    path: Path
    """The file."""
    rows: int
    """How many episodes it has."""
    skipped: int
    """How many tasks were left out, because the expert did not reach the goal."""


def export_demos(
    plan: DemoPlan,
    folder: Path,
    *,
    format: str = "messages",
    replace: bool = False,
    played: Callable[[], object] = int,
) -> list[ExportSummary]:
    """Play the experts of *plan* and write their episodes into *folder*.

    The files have no time and no name of a machine: the same plan and version give the same bytes.

    Args:
        plan: Which episodes.
        folder: Where the files go; it should not be there yet.
        format: ``messages`` or ``sharegpt`` (JSON lines), or ``parquet`` (the rows of messages).
        replace: Whether an earlier export in *folder* is replaced.
        played: Called as each episode has ended.

    Raises:
        UnknownNameError: if there is no such format.
        ResultExistsError: if *folder* is there, and is not to be overwritten or no export.
        MissingExtraError: if the format or an environment needs an extra that is not installed.
        DataError: if the folder cannot be written, or the expert reaches the goal in no task of a
            split.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    _check_free(folder, replace)
    temporary = _temporary_folder(folder)
    try:
        summaries = [_write_split(plan, split, temporary, format, played) for split in plan.splits]
        files = {summary.path.name: manifest for summary, manifest in summaries}
        write_json(temporary / MANIFEST, _manifest(plan, format, files))
        _replace(folder, temporary, replace)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [
        ExportSummary(folder / summary.path.name, summary.rows, summary.skipped)
        for summary, _ in summaries
    ]


def _write_split(
    plan: DemoPlan, split: str, folder: Path, format: str, played: Callable[[], object]
) -> tuple[ExportSummary, dict[str, Any]]:
    ending, make_writer = FORMATS[format]
    path = folder / f"{split}{ending}"
    rows = skipped = 0
    with atomic_write(path) as file:
        hashing = HashingFile(file)
        writer = make_writer(hashing)
        for row in demo_rows(plan, split):
            played()
            if row is None:
                skipped += 1
                continue
            writer.write(row)
            rows += 1
        writer.close()
    if not rows:
        raise DataError(
            f"The expert reaches the goal in none of {skipped} tasks of the split {split!r}, so "
            "there is nothing to export; choose another environment or more tasks"
        )
    size = {"sha256": hashing.sha256, "bytes": hashing.size, "rows": rows, "skipped": skipped}
    return ExportSummary(path, rows, skipped), size


def _manifest(plan: DemoPlan, format: str, files: dict[str, Any]) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "kind": KIND,
        "agentgym_gen": version("agentgym-gen"),
        "format": format,
        "plan": plan.as_json(),
        "files": files,
    }


def _check_free(folder: Path, replace: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ResultExistsError(f"{folder} is a file, and should be a new folder")
    if not replace:
        raise ResultExistsError(
            f"{folder} is there already, and would be overwritten; choose another folder, or say "
            "so with --replace"
        )
    strangers = {path.name for path in folder.iterdir()} - _files_of(folder)
    if strangers:
        raise ResultExistsError(
            f"{folder} has {min(strangers)!r}, which is no part of an export, and is never "
            "overwritten; choose another folder"
        )


def _files_of(folder: Path) -> set[str]:
    """Return the names of the files that an export has written into *folder*, or none."""
    try:
        manifest = parse_json(read_text(folder / MANIFEST), str(folder / MANIFEST))
    except DataError:
        return set()
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        return set()
    files = manifest.get("files")
    return {MANIFEST, *files} if isinstance(files, dict) else set()


def _temporary_folder(folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(TEMPORARY_ENDING, f".{folder.name}.", folder.parent))
    except OSError as error:
        raise write_error(folder, error) from error


def _replace(folder: Path, temporary: Path, replace: bool) -> None:
    """Let *temporary* become *folder*; what was there goes once the new one is complete."""
    _check_free(folder, replace)  # another process may have been faster
    try:
        temporary.chmod(0o755)
        if folder.exists():
            old = _temporary_folder(folder)
            folder.rename(old / "old")
            try:
                temporary.rename(folder)
            except OSError:
                (old / "old").rename(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error

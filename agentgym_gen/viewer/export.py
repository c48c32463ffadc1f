"""A view as a static folder: for any web server, or opened as it lies, without one.

The folder appears in one step, with all of its files. One that is there is never overwritten
unasked, and one that is no export of ours never.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from agentgym_gen.errors import DataError, ResultExistsError
from agentgym_gen.system.files import TEMPORARY_ENDING, write_error, write_json
from agentgym_gen.system.untrusted_files import parse_json, read_text
from agentgym_gen.viewer.page import FILES, PAGE, page_files
from agentgym_gen.viewer.view import (
    COLUMNS,
    FORMAT,
    PIECE,
    View,
    actions_script,
    conversations_script,
)

__all__ = ["DATA", "MARKER", "export_view", "script_path"]

MARKER = "agentgym-gen-view.json"
"""The file that says that a folder is an export."""

KIND = "agentgym_gen view"
"""What it calls the folder."""

DATA = "data"
"""The folder of the scripts with the data."""

SCRIPT = re.compile(r"\w+-\d+\.js")
"""The name of such a script."""


def script_path(kind: str, number: int) -> str:
    """Return where the script *number* of *kind* lies.

    >>> script_path("episodes", 3)
    'data/episodes-3.js'
    """
    return f"{DATA}/{kind}-{number}.js"


def export_view(
    view: View, folder: str | Path, *, title: str, admissible: bool = False, replace: bool = False
) -> Path:
    """Write the page and all episodes of *view* into *folder* and return the path of the page.

    The same episodes give the same bytes.

    Args:
        view: The episodes, which are read now.
        folder: Where the files go; it should be new or empty.
        title: The title of the page.
        admissible: Whether every episode is played again for its admissible actions, which makes a
            file of each.
        replace: Whether an earlier export in *folder* is replaced.

    Raises:
        ResultExistsError: if *folder* holds an export, and *replace* is false, or anything else.
        DataError: if a file cannot be read, there is no episode, or the folder cannot be written.
        MissingExtraError: if jinja2 is not installed.
    """
    target = Path(folder)
    files = page_files(title)
    _check_free(target, replace)
    draft = _draft_of(target)
    try:
        _write(view, draft, files, admissible)
        _put(draft, target, replace)
    except OSError as error:
        raise error if isinstance(error, DataError) else write_error(target, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target / PAGE


def _write(view: View, draft: Path, files: dict[str, str], admissible: bool) -> None:
    (draft / DATA).mkdir()
    for name, text in files.items():
        (draft / name).write_text(text, encoding="utf-8")
    pieces = 0
    for chunk, episodes in view.read():
        _write_script(draft, "episodes", chunk.number, conversations_script(chunk.number, episodes))
        for number, episode in enumerate(episodes if admissible else (), chunk.first):
            _write_script(draft, "actions", number, actions_script(number, episode))
        while pieces < view.number // PIECE:
            pieces = _write_piece(view, draft, pieces)
    while pieces < view.pieces:
        pieces = _write_piece(view, draft, pieces)
    _write_script(draft, "index", 0, view.index())
    write_json(draft / MARKER, {"kind": KIND, "format": FORMAT, "episodes": view.number})


def _write_piece(view: View, draft: Path, piece: int) -> int:
    for name in COLUMNS:
        _write_script(draft, name, piece, view.column(name, piece))
    return piece + 1


def _write_script(draft: Path, kind: str, number: int, text: str) -> None:
    (draft / script_path(kind, number)).write_text(text, encoding="ascii")


def _check_free(folder: Path, replace: bool) -> None:
    """Raise unless *folder* may be written.

    Raises:
        ResultExistsError: if something is there that is not to be replaced.
        DataError: if it cannot be looked into.
    """
    try:
        names = _names_in(folder)
        scripts = _names_in(folder / DATA) if (folder / DATA).is_dir() else set()
    except NotADirectoryError:
        raise ResultExistsError(f"{folder} is a file, and should be a new folder") from None
    except OSError as error:
        raise write_error(folder, error) from error
    if not names:
        return
    if not _is_export(folder):
        raise ResultExistsError(
            f"{folder} has {min(names)!r}, which is no part of a view, and is never overwritten; "
            "choose another folder"
        )
    if not replace:
        raise ResultExistsError(
            f"{folder} holds a view; choose another folder, or replace it with --replace"
        )
    strangers = names - {MARKER, DATA, PAGE, *FILES}
    strangers |= {f"{DATA}/{name}" for name in scripts if not SCRIPT.fullmatch(name)}
    if strangers:
        raise ResultExistsError(
            f"{folder} holds a view, and {min(strangers)!r}, which is no part of it and would be "
            "lost; move it away, or choose another folder"
        )


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def _is_export(folder: Path) -> bool:
    try:
        marker = parse_json(read_text(folder / MARKER), str(folder / MARKER))
    except DataError:
        return False
    return isinstance(marker, dict) and marker.get("kind") == KIND


def _draft_of(folder: Path) -> Path:
    """Return a new folder beside *folder*, which is to become it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = tempfile.mkdtemp(TEMPORARY_ENDING, f".{folder.name}.", folder.resolve().parent)
    except OSError as error:
        raise write_error(folder, error) from error
    return Path(draft)


def _put(draft: Path, folder: Path, replace: bool) -> None:
    """Let *draft* become *folder*; what was there goes once the new one is in its place."""
    _check_free(folder, replace)  # another process may have been faster
    draft.chmod(0o755)
    place = folder.resolve()
    if not place.exists():
        draft.rename(place)
        return
    old = _draft_of(place)
    try:
        place.rename(old / "old")
        try:
            draft.rename(place)
        except OSError:
            (old / "old").rename(place)
            raise
    finally:
        if place.exists():  # the old one goes only if there is one in its place
            shutil.rmtree(old, ignore_errors=True)

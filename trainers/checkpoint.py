"""Checkpoints: folders that are there whole or not at all.

``step_000120/`` holds the weights (an adapter in the layout of PEFT, or the whole model), the
tokenizer, ``optimizer.pt``, ``state.json`` (step, settings, log so far, versions) and a model card.
Random states, the scheduler and the place in the data are not needed: each is a function of seed
and step.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentgym_gen.errors import DataError
from agentgym_gen.system.files import write_error
from agentgym_gen.system.untrusted_files import read_text

NAME = re.compile(r"step_(\d{6,})")
STATE = "state.json"
PACKAGES = ("agentgym-gen", "torch", "transformers", "peft", "gymnasium", "numpy")


def write(
    root: Path, step: int, state: dict[str, Any], fill: Callable[[Path], None], *, keep: int = 0
) -> Path:
    """Write the checkpoint of *step* under *root* and return its folder.

    It is written beside its place and then renamed, so that a process that is killed leaves the
    older checkpoints as they are.

    Args:
        root: The output folder.
        step: The number of updates made.
        state: What goes into ``state.json``, plain data.
        fill: Writes all other files into a folder.
        keep: How many checkpoints stay, the newest ones; 0 keeps all.

    Raises:
        DataError: if it cannot be written; the older ones are as they were.
        DiskFullError: if that is because there is no room.
    """
    target = root / f"step_{step:06d}"
    draft = root / f".{target.name}.draft"
    try:
        with writing(target, "the checkpoint"):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            fill(draft)
            whole = {"step": step, **state, "versions": versions()}
            (draft / STATE).write_text(json.dumps(whole, indent=1), encoding="utf-8")
            sync(draft)
            _remove(target)
            draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _thin_out(root, keep)
    return target


@contextmanager
def writing(path: Path, what: str) -> Iterator[None]:
    """Let a block write *path*; what libraries raise when they cannot becomes one sentence.

    Args:
        path: The file or folder.
        what: What it is, such as ``the checkpoint``.

    Raises:
        DataError: if it cannot be written.
        DiskFullError: if that is because there is no room.
    """
    try:
        yield
    except Exception as error:
        cause = _system_error(error)
        if cause is None:
            raise
        raise write_error(path, cause, what) from error


def _system_error(error: Exception) -> OSError | None:
    """Return what the system said, which libraries in C++ and Rust tell in ways of their own."""
    if isinstance(error, OSError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
        return error.__context__  # torch.save, into an open file
    told = re.search(r"\(os error (\d+)\)", str(error))  # safetensors and tokenizers
    return OSError(int(told[1]), os.strerror(int(told[1]))) if told else None


def set_aside(root: Path, chosen: Path) -> None:
    """Rename the checkpoints under *root* that are newer than *chosen*, from which a run goes on.

    They are of another course of the training: neither may a later run go on from them, nor may
    the new ones be removed in their favour.
    """
    whole = _whole(root)
    if chosen.resolve() in [path.resolve() for path in whole]:
        for newer in whole[[path.name for path in whole].index(chosen.name) + 1 :]:
            aside = newer.with_name(f"{newer.name}.aside")
            shutil.rmtree(aside, ignore_errors=True)
            newer.rename(aside)


def _thin_out(root: Path, keep: int) -> None:
    """Remove all but the newest *keep* checkpoints, and what killed processes left half written."""
    for draft in root.glob(".step_*.draft"):
        shutil.rmtree(draft, ignore_errors=True)
    for old in _whole(root)[:-keep] if keep else []:
        _remove(old)


def _remove(path: Path) -> None:
    """Remove the folder *path*, or the link to one: what a link leads to is somebody else's."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def latest(root: Path) -> Path | None:
    """Return the newest whole checkpoint under *root*, if there is one."""
    whole = _whole(root)
    return whole[-1] if whole else None


def _whole(root: Path) -> list[Path]:
    """Return the whole checkpoints under *root*, from the oldest."""
    found = [path for path in root.glob("step_*") if NAME.fullmatch(path.name)]
    whole = [path for path in found if (path / STATE).is_file()]
    return sorted(whole, key=lambda path: int(path.name.split("_")[1]))


def find(root: Path, wanted: bool | str | Path) -> Path | None:
    """Return the checkpoint to go on from: the latest for True, the given one, or None for False.

    True is also right for a run that has written none yet.

    Raises:
        DataError: if the given folder is no checkpoint.
    """
    if isinstance(wanted, bool):
        return latest(root) if wanted else None
    path = Path(wanted)
    if not (path / STATE).is_file():
        raise DataError(f"{str(path)!r} is not a checkpoint: it has no {STATE!r}")
    return path


def read_state(path: Path) -> dict[str, Any]:
    """Return ``state.json`` of the checkpoint *path*.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        state: dict[str, Any] = json.loads(read_text(path / STATE))
        step, history = state["step"], state["history"]
        sound = isinstance(history, list) and all(isinstance(row, dict) for row in history)
    except (DataError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise DataError(f"Cannot read {path / STATE} of the checkpoint: {error!r}") from error
    if not sound or type(step) is not int or step < 0:
        raise DataError(
            f"Cannot read {path / STATE} of the checkpoint: `step` is a whole number from 0, and "
            "`history` a list of objects"
        )
    return state


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide what a run computes."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def sync(folder: Path) -> None:
    """Make sure that the files are on the disk before anything says so."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:  # Windows syncs no file that is only read
                os.fsync(file.fileno())

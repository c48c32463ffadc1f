"""Checkpoints: folders that are written completely or not at all.

``step_000120/`` holds the weights (an adapter in the layout of PEFT, or the whole model), the
tokenizer, ``optimizer.pt``, ``state.json`` (step, settings, log so far, versions) and a model card.
Random states, the scheduler and the position in the data are not saved: each is a function of seed
and step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgym_gen.errors import DataError, InvalidValueError, ResultExistsError
from agentgym_gen.system.files import write_error
from agentgym_gen.system.untrusted_files import read_text
from agentgym_gen.system.versions import versions

if TYPE_CHECKING:
    from agentgym_gen.trainers.config import TrainConfig

NAME = re.compile(r"step_(\d{6,})")
DRAFT = re.compile(rf"\.{NAME.pattern}\.draft")
STATE = "state.json"
BEST = "best"
"""The folder of the best weights so far."""

CARD_FILES = (STATE, "README.md", "curve.svg")
"""The files of a checkpoint that grow with the log; all others change by an update only."""

PACKAGES = ("agentgym-gen", "torch", "transformers", "peft", "gymnasium", "numpy")


def write(
    root: Path,
    step: int,
    state: dict[str, Any],
    write_files: Callable[[Path], None],
    *,
    keep: int = 0,
) -> Path:
    """Write the checkpoint of *step* under *root* and return its folder.

    It is written under another name and then renamed, so that a process that is killed leaves the
    older checkpoints as they are.

    Args:
        root: The output folder.
        step: The number of updates made.
        state: The content of ``state.json``, plain data.
        write_files: Writes all other files into a folder.
        keep: How many checkpoints stay, the newest ones; 0 keeps all.

    Raises:
        DataError: if it cannot be written; the older ones are as they were.
        ResultExistsError: if a folder with its name is there that is no checkpoint.
        DiskFullError: if that is because there is no room.
    """
    target = folder_of(root, step)
    _write(target, {"step": step, **state}, write_files)
    _remove_old(root, keep)
    return target


def write_best(
    root: Path, step: int, state: dict[str, Any], write_files: Callable[[Path], None]
) -> Path:
    """Write the folder ``best`` under *root*, in the place of an older one, and return it.

    The arguments are those of `write`, as are the errors.
    """
    _write(root / BEST, {"step": step, **state}, write_files)
    return root / BEST


def set_other_best_aside(root: Path, step: int | None) -> Path | None:
    """Rename the folder ``best`` under *root* unless it is of *step*; return its new name, if so.

    It belongs to another course of the training than the log.
    """
    best, aside = root / BEST, root / f"{BEST}.aside"
    if not (best / STATE).is_file() or read_state(best)["step"] == step:
        return None
    shutil.rmtree(aside, ignore_errors=True)
    return best.rename(aside)


def _write(target: Path, content: dict[str, Any], write_files: Callable[[Path], None]) -> None:
    draft = target.with_name(f".{target.name}.draft")
    _check_replaceable(target)
    try:
        with writing(target, "the checkpoint"):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            write_files(draft)
            content = {**content, "versions": recorded_versions()}
            (draft / STATE).write_text(json.dumps(content, indent=1), encoding="utf-8")
            sync(draft)
            _remove(target)
            draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def folder_of(root: Path, step: int) -> Path:
    """Return the folder of the checkpoint of *step* under *root*."""
    return root / f"step_{step:06d}"


def link_files(source: Path, folder: Path) -> None:
    """Put the files of the checkpoint *source* into *folder*, without their bytes where possible.

    Where the disk has no links, they are copied. ``state.json`` and the card are left out.
    """
    for path in source.iterdir():
        if path.name in CARD_FILES or not path.is_file():
            continue
        try:
            os.link(path, folder / path.name)
        except OSError:
            shutil.copy2(path, folder / path.name)


@contextmanager
def writing(path: Path, what: str) -> Iterator[None]:
    """Turn the errors of libraries that write *path* inside into one clear error.

    Args:
        path: The file or folder.
        what: The name of it in the error, such as ``the checkpoint``.

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
    """Return the error of the system behind *error*, which each library reports in its own way."""
    if isinstance(error, OSError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
        return error.__context__  # torch.save, into an open file
    # safetensors and tokenizers are in Rust, whose errors are written in two ways
    match = re.search(r"\(os error (\d+)\)|Os \{ code: (\d+)", str(error))
    if match is None:
        return None
    number = int(match[1] or match[2])
    return OSError(number, os.strerror(number))


def enter(root: Path, chosen: Path) -> None:
    """Prepare *root* for a run that resumes from *chosen*.

    The checkpoints there that are newer are renamed. They belong to another course of the training:
    no later run may resume from them, and they may not count among the newest that are kept. Where
    *chosen* is in another folder, the best weights beside it are copied: the log goes on with them.

    Raises:
        DataError: if a folder cannot be written.
    """
    best = chosen.parent / BEST
    if root.resolve() != chosen.parent.resolve() and (best / STATE).is_file():
        _copy(best, root / BEST)
    checkpoints = _complete(root)
    if chosen.resolve() in [path.resolve() for path in checkpoints]:
        for newer in checkpoints[[path.name for path in checkpoints].index(chosen.name) + 1 :]:
            aside = newer.with_name(f"{newer.name}.aside")
            shutil.rmtree(aside, ignore_errors=True)
            newer.rename(aside)


def _copy(source: Path, target: Path) -> None:
    """Copy a complete checkpoint, unless there is one."""
    if (target / STATE).is_file():
        return
    draft = target.with_name(f".{target.name}.draft")
    with writing(target, "the best weights"):
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(source, draft)
        sync(draft)
        draft.rename(target)


def check_course(root: Path, chosen: Path) -> None:
    """Raise if a run that resumes from *chosen* would go on among checkpoints of another course.

    Raises:
        ResultExistsError: if *root* has checkpoints, and *chosen* is none of them.
    """
    checkpoints = [path.resolve() for path in _complete(root)]
    if checkpoints and chosen.resolve() not in checkpoints:
        raise ResultExistsError(
            f"{str(root)!r} holds checkpoints of a training, and {str(chosen)!r} is none of them: "
            "what it goes on to would be mixed with them; choose another `output_dir`, or move them"
        )


def _remove_old(root: Path, keep: int) -> None:
    """Remove all but the newest *keep* checkpoints, and the drafts of killed processes."""
    for draft in root.glob(".step_*.draft"):
        if DRAFT.fullmatch(draft.name):
            shutil.rmtree(draft, ignore_errors=True)
    for old in _complete(root)[:-keep] if keep else []:
        _remove(old)


def remove_all(root: Path) -> None:
    """Remove the checkpoints under *root*, and nothing else that is called like one."""
    for path in _complete(root):
        _remove(path)


def _check_replaceable(target: Path) -> None:
    """Raise if *target* is there and no checkpoint: it is not ours to remove.

    Raises:
        ResultExistsError: if that is so.
    """
    if target.exists() and not (target / STATE).is_file():
        raise ResultExistsError(
            f"{target} is there and is no checkpoint: it has no {STATE!r}; move it away, or choose "
            "another `output_dir`"
        )


def _remove(path: Path) -> None:
    """Remove the folder *path*, or a link to a folder, but never the folder behind a link."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def latest(root: Path) -> Path | None:
    """Return the newest complete checkpoint under *root*, if there is one."""
    checkpoints = _complete(root)
    return checkpoints[-1] if checkpoints else None


def _complete(root: Path) -> list[Path]:
    """Return the complete checkpoints under *root*, from the oldest."""
    folders = [path for path in root.glob("step_*") if NAME.fullmatch(path.name)]
    complete = [path for path in folders if (path / STATE).is_file()]
    return sorted(complete, key=lambda path: int(path.name.split("_")[1]))


def find(root: Path, resume_from: bool | str | Path) -> Path | None:
    """Return the checkpoint to resume from: the latest for True, a path itself, None for False.

    For True it is None too while there is no checkpoint yet.

    Raises:
        DataError: if the path is no checkpoint.
    """
    if isinstance(resume_from, bool):
        return latest(root) if resume_from else None
    path = Path(resume_from)
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
        step, logs = state["step"], [state["history"], state.get("rows", state["history"])]
        are_logs = all(isinstance(log, list) for log in logs)
        are_logs = are_logs and all(isinstance(row, dict) for log in logs for row in log)
        state["rows"] = list(logs[1])
    except (DataError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise DataError(f"Cannot read {path / STATE} of the checkpoint: {error!r}") from error
    if not are_logs or type(step) is not int or step < 0:
        raise DataError(
            f"Cannot read {path / STATE} of the checkpoint: `step` is a whole number from 0, and "
            "`history` a list of objects"
        )
    return state


def check_kind(path: Path, state: Mapping[str, Any], config: TrainConfig) -> None:
    """Raise if the checkpoint *path* is of a warm start and *config* is not, or the reverse.

    Its steps would count as steps of the other training.

    Args:
        path: The checkpoint.
        state: Its ``state.json``.
        config: The settings of the training that goes on from it.

    Raises:
        InvalidValueError: if that is so.
    """
    saved = state.get("config")
    if isinstance(saved, dict) and ("num_generations" in saved) != hasattr(
        config, "num_generations"
    ):
        raise InvalidValueError(
            f"The checkpoint {str(path)!r} is not of a training with {type(config).__name__}, and "
            "only its weights could be taken over: load it as a model"
        )


def check_scale(path: Path, state: Mapping[str, Any], config: TrainConfig) -> None:
    """Raise if the adapter in the checkpoint *path* has another scale, which no weight shows.

    Args:
        path: The checkpoint.
        state: Its ``state.json``.
        config: The settings of the training that goes on from it.

    Raises:
        InvalidValueError: if its `lora_alpha` is another one.
    """
    saved = state.get("config")
    alpha = saved.get("lora_alpha") if isinstance(saved, dict) else None
    if config.lora_rank and alpha not in (None, config.lora_alpha):
        raise InvalidValueError(
            f"The checkpoint {str(path)!r} was trained with `lora_alpha` {alpha!r}, not "
            f"{config.lora_alpha!r}: a training goes on with the adapter that it began with"
        )


def recorded_versions() -> dict[str, str]:
    """Return the versions of the packages that decide what a run computes."""
    return {name: version or "not installed" for name, version in versions(PACKAGES).items()}


def sync(folder: Path) -> None:
    """Write the files in *folder* through to the disk, before anything relies on them."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open(
                "r+b"
            ) as file:  # Windows does not sync a file that is opened for reading only
                os.fsync(file.fileno())

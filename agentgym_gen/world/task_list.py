"""Lists of tasks in text files, so that a study can divide an environment in its own way.

A file has one task id per line, and comments after ``#``. It may have tasks of several splits; an
environment plays those of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.system.files import write_text
from agentgym_gen.system.untrusted_files import MEGABYTE, numbered_lines, read_text
from agentgym_gen.world.task import TaskId

__all__ = ["MAX_BYTES", "list_tasks", "read_task_list", "write_task_list"]

MAX_BYTES = 64 * MEGABYTE
"""The size above which a file is no list of tasks."""


def read_task_list(path: str | Path) -> tuple[str, ...]:
    """Return the task ids in the file *path*, in its order.

    Raises:
        DataError: if it cannot be read, or holds no task.
        InvalidValueError: if a line is no task id, or one is listed twice; the line is named.
    """
    task_ids: dict[str, None] = {}
    for number, line in numbered_lines(read_text(Path(path), "The list of tasks", MAX_BYTES)):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            task_id = str(TaskId.parse(text))
        except InvalidValueError as error:
            raise InvalidValueError(f"Line {number} of {path}: {error}") from error
        if task_id in task_ids:
            raise InvalidValueError(f"Line {number} of {path}: {task_id!r} stands there twice")
        task_ids[task_id] = None
    if not task_ids:
        raise DataError(f"The list {str(path)!r} holds no task; it is one task id a line")
    return tuple(task_ids)


def list_tasks(tasks: str | Path | Iterable[str]) -> tuple[TaskId, ...]:
    """Return the ids that *tasks* lists: the file of a list, or the ids themselves.

    Raises:
        DataError: if the file cannot be read, or holds no task.
        InvalidValueError: if a text is no task id, or one is listed twice.
    """
    texts = read_task_list(tasks) if isinstance(tasks, str | Path) else tasks
    task_ids: dict[TaskId, None] = {}
    for task_id in map(TaskId.parse, texts):
        if task_id in task_ids:
            raise InvalidValueError(f"Task {str(task_id)!r} stands twice in `tasks`; name it once")
        task_ids[task_id] = None
    return tuple(task_ids)


def write_task_list(path: Path, task_ids: Iterable[str], about: Iterable[str] = ()) -> None:
    """Write *task_ids* into the file *path*, below the comment lines *about*."""
    lines = [*(f"# {line}" for line in about), *task_ids]
    write_text(path, "".join(f"{line}\n" for line in lines))

"""Rows of tasks as a Parquet file, which verl and SkyRL read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentgym_gen.env.making import task_rows
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.required import required
from agentgym_gen.interface import Interface, Randomized
from agentgym_gen.system.files import atomic_write

__all__ = ["export_parquet"]


def export_parquet(
    env_ids: Sequence[str],
    number: int,
    path: str | Path,
    *,
    split: str = "train",
    seed: int = 0,
    interface: Interface | Randomized | str | None = None,
) -> Path:
    """Write *number* tasks of *env_ids* as the data set of a trainer, and return its path.

    The episode fills in the prompt, and each of a group of copies plays the same row: its task and
    its interface.

    Args:
        env_ids: Registered ids, each once.
        number: How many rows.
        path: The file, which is replaced.
        split: The split of the tasks.
        seed: The root of the choice of tasks.
        interface: The interface of all rows; None takes that of each id.

    Raises:
        MissingExtraError: if pyarrow is not installed.
        UnknownNameError: if an id, the split or the interface is unknown.
        InvalidValueError: if there is no id, one is named twice, or *number* is below 1.
        DataError: if the file cannot be written.
    """
    with required("pyarrow", "pyarrow"):
        import pyarrow
        import pyarrow.parquet
    if number < 1:
        raise InvalidValueError(f"`number` of rows is 1 or more, not {number!r}")
    tasks = task_rows(env_ids, number, split, seed, interface)
    rows: list[dict[str, Any]] = [
        {
            "data_source": row["env_id"],
            "prompt": [{"role": "user", "content": row["task_id"]}],
            "ability": "agent",
            "agent_name": "agentgym_gen",
            "env_class": "agentgym_gen",
            "reward_model": {"style": "rule", "ground_truth": ""},
            "extra_info": {**row, "index": index},
        }
        for index, row in enumerate(tasks)
    ]
    path = Path(path)
    with atomic_write(path) as file:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return path

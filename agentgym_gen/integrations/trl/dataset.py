"""The data set of both kinds of agents: a row is a task and the interface of its episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentgym_gen.env.making import task_rows
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.required import required
from agentgym_gen.interface import Interface, Randomized

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["dataset"]


def dataset(
    env_ids: Sequence[str],
    number: int,
    *,
    split: str = "train",
    seed: int = 0,
    interface: Interface | Randomized | str | None = None,
) -> Dataset:
    """Return a data set of *number* tasks of *env_ids*, each with the interface of its episodes.

    The trainer repeats a row for each episode of its group, which so shares task and interface. The
    rows are those of `task_rows`, in the columns ``env_id``, ``task_id``, ``split``, ``interface``
    and ``interface_index``; ``prompt`` is a message without text, which the episode fills in.

    Args:
        env_ids: Registered ids, each once.
        number: How many rows.
        split: The split that the tasks are from.
        seed: The root of the choice of tasks.
        interface: The interface of all rows; None takes that of each id.

    Raises:
        MissingExtraError: if `datasets` is not installed.
        UnknownNameError: if an id, the split or the interface is unknown.
        InvalidValueError: if there is no id, one is named twice, or *number* is below 1.
    """
    with required("datasets", "'agentgym-gen[trl]'"):
        from datasets import Dataset
    if number < 1:
        raise InvalidValueError(f"`number` of rows is 1 or more, not {number!r}")
    rows = task_rows(env_ids, number, split, seed, interface)
    return Dataset.from_list(
        [
            {**row, "prompt": [{"role": "user", "content": "", "task": json.dumps(row)}]}
            for row in rows
        ]
    )

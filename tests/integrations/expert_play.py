"""The expert's episode of one task, which an adapter has to play again."""

from __future__ import annotations

from typing import Any

from agentgym_gen import Episode, ExpertPolicy, Trajectory, run, task_rows


def expert_play(
    env_id: str = "rftgen/TextCraft-easy-v0", **settings: Any
) -> tuple[dict[str, Any], Trajectory]:
    """Return a row of `task_rows` and what the expert does in its episode."""
    row = task_rows([env_id], 1, **settings)[0]
    options = {"interface": row["interface"]}
    episode = Episode(
        row["env_id"], row["task_id"], options=options, interface_index=row["interface_index"]
    )
    return dict(row), run([episode], ExpertPolicy())[0]

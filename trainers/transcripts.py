"""Episodes as text, for people who want to read what a model does."""

from __future__ import annotations

from agentgym_gen.agents.trajectory import Trajectory


def transcript(trajectory: Trajectory) -> str:
    """Return the observations and completions of an episode, turn by turn."""
    lines = [f"=== {trajectory.env_id} {trajectory.task_id} ({trajectory.interface} interface)"]
    for turn in trajectory.turns:
        lines += [
            turn.observation,
            f"> {turn.completion.text}{'' if turn.valid else '  [invalid]'}",
        ]
    lines += [
        trajectory.last_observation,
        f"=== {trajectory.end_reason}, score {trajectory.score:.2f}",
    ]
    return "\n".join(lines)

"""Episodes as text, for people who want to see what a model says."""

from __future__ import annotations

from agentgym_gen.agents.trajectory import Trajectory


def transcript(played: Trajectory) -> str:
    """Return what was seen and said in an episode, turn by turn."""
    lines = [f"=== {played.env_id} {played.task_id} ({played.interface} interface)"]
    for turn in played.turns:
        lines += [
            turn.observation,
            f"> {turn.completion.text}{'' if turn.valid else '  [invalid]'}",
        ]
    lines += [played.last_observation, f"=== {played.end_reason}, score {played.score:.2f}"]
    return "\n".join(lines)

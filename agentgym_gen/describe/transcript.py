"""Episodes as text: the one form in which the library prints what was read and written.

    You see a locked door.
    > open door
    The door is open.

`format_episode` is used by ``agentgym-gen demo``, `episode_lines` and `action_line` by whoever
needs other headings.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgym_gen.agents.trajectory import Trajectory, Turn

__all__ = ["action_line", "episode_lines", "format_episode"]


def action_line(action: str) -> str:
    """Return the line of a transcript that shows *action*."""
    return f"> {action}"


def episode_lines(turns: Iterable[tuple[str, str]], last_observation: str) -> list[str]:
    """Return the texts of an episode in the order in which they came up.

    Args:
        turns: Observation and action of each turn.
        last_observation: The observation after the last action.
    """
    lines = [text for observation, action in turns for text in (observation, action_line(action))]
    return [*lines, last_observation]


def format_episode(trajectory: Trajectory, *, completions: bool = False) -> str:
    """Return *trajectory* as text: a heading, the turns, and how it ended.

    Args:
        trajectory: The episode.
        completions: Whether the whole completion of a turn stands before its action, where it says
            more than the action.
    """
    turns = [(_observation(turn, completions), turn.action) for turn in trajectory.turns]
    heading = f"=== {trajectory.task_id} ({trajectory.interface} interface)"
    ending = (
        f"=== {trajectory.end_reason}: {len(turns)} turns, "
        f"reward {trajectory.total_reward:g}, score {trajectory.score:.2f}"
    )
    return "\n".join([heading, *episode_lines(turns, trajectory.last_observation), ending])


def _observation(turn: Turn, completions: bool) -> str:
    """Return the observation of *turn*, and under it what was answered, if *completions*."""
    text = turn.completion.text.strip()
    if not completions or text == turn.action:
        return turn.observation
    return "\n".join([turn.observation, *(f"| {line}" for line in text.splitlines())])

"""Episodes as text."""

from agentgym_gen.agents.policy import ExpertPolicy
from agentgym_gen.agents.prompt import PromptStyle
from agentgym_gen.agents.rollout import Episode, run
from agentgym_gen.describe.transcript import episode_lines, format_episode


def test_observations_and_actions_alternate() -> None:
    """An action has its own mark, and the last observation comes last."""
    lines = episode_lines([("a door", "open"), ("a room", "go in")], "a chair")

    assert lines == ["a door", "> open", "a room", "> go in", "a chair"]


def test_an_episode_has_a_heading_and_an_ending() -> None:
    """The heading names task and interface, the ending says how it ended."""
    episodes = [Episode("rftgen/Sokoban-easy-v0", "sokoban/easy/test/7")]
    style = PromptStyle("action", instruction=False)
    (trajectory,) = run(episodes, ExpertPolicy(), style=style)
    lines = format_episode(trajectory).split("\n")

    assert lines[0] == "=== sokoban/easy/test/7 (native interface)"
    assert lines.count(f"> {trajectory.turns[0].action}") >= 1
    assert lines[-1].startswith(f"=== success: {len(trajectory.turns)} turns, reward ")

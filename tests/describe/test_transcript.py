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


def test_a_completion_stands_above_the_action_that_was_taken_out_of_it() -> None:
    """It is marked line by line; one that is the action alone is not printed twice."""
    episode = Episode("rftgen/Sokoban-easy-v0", "sokoban/easy/train/79777")
    for format, marked in (("react", True), ("action", False)):
        (trajectory,) = run([episode], ExpertPolicy(), style=PromptStyle(format=format))
        text = format_episode(trajectory, completions=True)
        action = trajectory.turns[0].action

        assert (f"\n| Action:\n| {action}\n> {action}\n" in text) == marked
        assert ("\n| " in text) == marked
        assert "\n| " not in format_episode(trajectory)

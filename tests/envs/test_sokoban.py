"""Sokoban: rules, wording, expert and robustness."""

import pytest

from agentgym_gen.env import TextEnv
from agentgym_gen.envs.sokoban import Sokoban


def play_expert(tier: str, split: str, index: int) -> TextEnv:
    """Return an environment after the expert played a task to its end."""
    env = TextEnv(Sokoban(), tier=tier, split=split)
    env.reset(options={"task_id": f"sokoban/{tier}/{split}/{index}"})
    over = False
    while not over:
        action = env.expert_action()
        assert action is not None
        *_, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    assert info["success"]
    return env


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize("tier", ["easy", "medium", "hard"])
def test_expert_wins(tier: str, split: str) -> None:
    """The expert wins within the turn limit."""
    for index in range(5):
        play_expert(tier, split, index)

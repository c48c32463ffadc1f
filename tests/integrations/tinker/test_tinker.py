"""tinker-cookbook's environment of messages plays the expert's episode, as `run` does."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path

from expert_play import expert_play

from agentgym_gen.integrations.tinker import SessionMessageEnv, make_group


def test_a_group_plays_the_same_episode() -> None:
    """Each member has the observations, the rewards and the end of the library's own rollout."""
    row, trajectory = expert_play(interface="random")

    async def play(env: SessionMessageEnv) -> list[str]:
        messages = await env.initial_observation()
        rewards = []
        for turn in trajectory.turns:
            result = await env.step({"role": "assistant", "content": turn.completion.text})
            rewards.append(result.reward)
        assert result.episode_done
        assert sum(rewards) == result.metrics["success"] == 1
        return [message["content"] for message in [*messages, *result.next_messages[1:]]]

    async def main() -> list[list[str]]:
        return await asyncio.gather(*map(play, make_group(row, 2)))

    one, other = asyncio.run(main())
    assert one == other
    assert one[2:-1:2] == [turn.observation for turn in trajectory.turns[1:]]


def test_the_script_of_the_docs_runs() -> None:
    """As a program of its own would."""
    runpy.run_path(str(Path(__file__).with_name("tinker_group.py")))

"""A resources server of NeMo Gym plays episodes side by side, as `run` does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from expert_play import expert_play

from agentgym_gen.integrations.nemo_gym import SessionServer


def test_two_sessions_play_side_by_side() -> None:
    """Each has the observations, the reward and the end of the library's own rollout."""
    row, trajectory = expert_play(interface="random")
    server = SessionServer.model_construct(session_state={})

    async def play(session: str) -> tuple[list[str | None], float, Any]:
        first, _ = await server.reset(row, session)
        observations, total, step = [first], 0.0, None
        for turn in trajectory.turns:
            text = SimpleNamespace(type="output_text", text=turn.completion.text)
            message = SimpleNamespace(type="message", content=[text])
            step = await server.step(SimpleNamespace(output=[message]), row, session)
            observations.append(step[0])
            total += step[1]
        return observations, total, step

    async def main() -> Any:
        return await asyncio.gather(play("a"), play("b"))

    one, other = asyncio.run(main())
    assert one == other
    observations, total, last = one
    assert observations[1:-1] == [turn.observation for turn in trajectory.turns[1:]]
    assert total == 1
    assert (last[2], last[3]) == (True, False)

"""A taskset and an environment of verifiers 0.4, for ``vf-eval`` and prime-rl.

verifiers looks for modules at the top level only, so a user's file imports them there; the page
docs/trainers/verifiers.md has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from agentgym_gen.agents import PromptStyle
from agentgym_gen.env.making import task_rows
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import start_session

with required("verifiers", "'agentgym-gen[verifiers]'"):
    import verifiers.v1 as vf
    from pydantic import Field

__all__ = ["SessionEnv", "SessionTaskset"]


class SessionConfig(vf.TasksetConfig):
    """What ``--env.taskset.*`` sets."""

    env_ids: list[str] = Field(default=["rftgen/TextCraft-easy-v0"])
    number: int = 50
    split: str = "test"
    seed: int = 0
    interface: str | None = None
    format: str = "react"
    reward: str = "success"


class SessionData(vf.TaskData):
    """A task as it is written into the trace."""

    info: dict[str, Any]


class SessionTask(vf.Task[SessionData, vf.State, vf.TaskConfig]):
    """A task that `SessionEnv` plays."""


class SessionTaskset(vf.Taskset[SessionTask, SessionConfig]):
    """The tasks of `task_rows`."""

    def load(self) -> Iterator[SessionTask]:
        """Yield the tasks, each with the message that opens its episode."""
        config = self.config
        settings = {"format": config.format, "reward": config.reward}
        rows = task_rows(config.env_ids, config.number, config.split, config.seed, config.interface)
        for row in rows:
            info = {**row, **settings}
            session = start_session(row, style=PromptStyle(config.format))
            prompt = session.messages[0]["content"]
            yield SessionTask(
                SessionData(name=row["task_id"], prompt=prompt, info=info), config.task
            )


class SessionEnvConfig(vf.EnvConfig):
    """The one agent is a bare model: it has no tools and no files."""

    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})


class SessionEnv(vf.Env[SessionEnvConfig]):
    """An episode, in which the environment speaks as the user."""

    async def run(self, task: SessionTask, agents: Any) -> None:
        """Play the episode of *task*, and record its reward and how it went."""
        info = task.data.info
        style = PromptStyle(info["format"])
        session = await asyncio.to_thread(start_session, info, style=style, reward=info["reward"])
        async with agents.player.interaction(task) as interaction:
            segment = await interaction.turn()
            while not segment.terminated:
                reply = session.reply(segment.last_reply)
                if reply.done:
                    break
                segment = await interaction.turn(reply.message["content"])
        result = session.result()
        interaction.trace.record_reward(info["reward"], result.reward, 1.0)
        for name in ("success", "score", "turns", "invalid_turns"):
            interaction.trace.record_metric(f"episode_{name}", float(getattr(result, name)))

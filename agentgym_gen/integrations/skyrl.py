"""An environment of skyrl-gym, for SkyRL's trainer.

Register it under a name of your choice, and give each row of the data set the fields of
`task_rows`, either as they are or in ``extra_info``:

    skyrl_gym.register("agentgym_gen", "agentgym_gen.integrations.skyrl:SessionEnv")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgym_gen.agents import PromptStyle
from agentgym_gen.integrations.required import required
from agentgym_gen.integrations.rows import open_session, result_metrics

with required("skyrl_gym", "'agentgym-gen[skyrl]'"):
    from skyrl_gym.envs.base_text_env import (
        BaseTextEnv,
        BaseTextEnvStepOutput,
        ConversationType,
    )

__all__ = ["SessionEnv"]


class SessionEnv(BaseTextEnv):
    """One episode.

    Args:
        env_config: ``format`` and ``reward``, where they are not ``react`` and ``success``.
        extras: The row.

    Raises:
        InvalidValueError: if the row names no episode.
    """

    def __init__(
        self,
        env_config: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        config, row = env_config or {}, extras or {}
        style = PromptStyle(config.get("format", "react"))
        reward = config.get("reward", "success")
        self.session = open_session(row.get("extra_info") or row, style=style, reward=reward)
        """The episode."""

    def init(self, prompt: ConversationType) -> tuple[ConversationType, dict[str, Any]]:
        """Start the episode; its first message takes the place of *prompt*."""
        messages = self.session.start()
        self.max_turns = self.session.env.turn_limit
        return list(messages), {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Take the turn that a completion means."""
        reply = self.session.reply(action)
        self.turns += 1
        return BaseTextEnvStepOutput(
            observations=[] if reply.done else [reply.message],
            reward=reply.reward,
            done=reply.done,
            metadata=reply.info,
        )

    def get_metrics(self) -> dict[str, float]:
        """Return how the episode went."""
        return result_metrics(self.session.result())

    def close(self) -> None:
        """Release what the environment holds."""
        self.session.close()

"""An environment whose one tool acts, for ``environment_factory`` of TRL's trainers."""

from __future__ import annotations

from functools import partial
from typing import Any

from agentgym_gen.agents import PromptStyle, Session, SessionResult
from agentgym_gen.errors import EpisodeOverError
from agentgym_gen.integrations.rows import EnvCache, check_reward, open_session

__all__ = ["ToolEnvironment", "environment_factory"]


class ToolEnvironment:
    """One episode after another; every public method but two is a tool for TRL, and so `act` is.

    Args:
        reward: What an episode is rewarded by, as in `Session`.
    """

    def __init__(self, reward: str = "success") -> None:
        self._reward = reward
        self._envs: EnvCache = {}
        self._session: Session | None = None

    def reset(self, **row: Any) -> str:
        """Start the episode that *row* names, and return its rules and first observation.

        Raises:
            InvalidValueError: if the row names no episode.
        """
        self._session = None
        style = PromptStyle("action", instruction=False)
        session = open_session(row, style=style, reward=self._reward, envs=self._envs)
        observation = session.start()[0]["content"]
        self._session = session
        return f"{session.env.instruction}\n\n{observation}"

    def act(self, action: str) -> str:
        """Take one action in the environment.

        Args:
            action: The action, written as the rules say.

        Returns:
            What happens.
        """
        if self._session is None or self._session.done:
            raise EpisodeOverError("The episode is over; call no more tools")
        # a tool is called with what the model wrote, which is not always a text
        return self._session.reply(str(action)).message["content"]

    def get_reward(self) -> float:
        """Return the reward of the episode so far."""
        return self.result.reward

    @property
    def result(self) -> SessionResult:
        """How the episode went, or has gone so far, for a reward function of your own."""
        if self._session is None:
            raise EpisodeOverError("No episode has begun; call `reset` first")
        return self._session.result()


def environment_factory(*, reward: str = "success") -> partial[ToolEnvironment]:
    """Return the ``environment_factory`` of a trainer; it can be pickled.

    Args:
        reward: ``success``, ``score`` or ``return``, as in `Session`.

    Raises:
        UnknownNameError: if there is no such kind of reward.
    """
    check_reward(reward)
    return partial(ToolEnvironment, reward)

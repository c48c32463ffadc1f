"""Environments of GEM: ``gem.make`` and ``gem.make_vec`` on every id that is registered with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentgym_gen.agents import PromptStyle
from agentgym_gen.agents.completions.reader import read_completion
from agentgym_gen.agents.prompt import build
from agentgym_gen.env.making import make_text_env
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.integrations.required import required

with required("gem", "'agentgym-gen[gem]'"):
    import gem

__all__ = ["TextGame", "register"]


class TextGame(gem.Env):
    """An environment whose actions are completions and whose task is chosen by the seed.

    Args:
        text_env_id: A registered id of this library; ``env_id`` is GEM's own argument.
        split: The split that tasks are from.
        interface: The interface; None takes that of the id.
        format: How a completion writes its action, as in `PromptStyle`.
        seed: The seed of the first episode, where `reset` is given none.
    """

    def __init__(
        self,
        text_env_id: str,
        split: str = "train",
        interface: str | None = None,
        format: str = "react",
        seed: int | None = None,
    ) -> None:
        self._made: dict[str, Any] = {"split": split, "interface": interface, "format": format}
        self._text_env_id = text_env_id
        self._style, self._seed = PromptStyle(format), seed
        options = {} if interface is None else {"interface": interface}
        self.env = make_text_env(text_env_id, split, options)

    def reset(self, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        """Start the episode that *seed* chooses; GEM's own global seeding is not touched."""
        seed, self._seed = self._seed if seed is None else seed, None
        observation, info = self.env.reset(seed=seed)
        messages = build(self._style, self.env.instruction, [], observation)
        return messages[0]["content"], info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take the turn that a completion means."""
        return self.env.step(read_completion(self._style, action, self.env).action)

    def spawn(self, same_state: bool = False, **kwargs: Any) -> TextGame:
        """Return another environment, in the middle of the same episode if *same_state*.

        Raises:
            InvalidValueError: if the same episode is wanted, but with another split or interface.
        """
        if same_state and kwargs.keys() - {"format", "seed"}:
            raise InvalidValueError(
                f"The same episode has the same split and interface; {kwargs} goes with "
                "`same_state=False` only"
            )
        other = TextGame(self._text_env_id, **{**self._made, **kwargs})
        if same_state:
            other.env = self.env.clone()
        return other


def register(env_ids: Iterable[str]) -> None:
    """Register ids of this library with GEM, under the same names."""
    for env_id in env_ids:
        gem.register(env_id, f"{__name__}:TextGame", text_env_id=env_id)

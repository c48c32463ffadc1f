"""The interpreter: one game in frotz, as textworld talks to it. For the engine's process only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple


class Told(NamedTuple):
    """What the game has answered."""

    text: str
    """The feedback as textworld gives it: with prompt and status line, without its own marks."""
    events: tuple[str, ...]
    """The actions of the game that succeeded: ``taking the old key``."""
    points: int
    """The score."""
    won: bool
    """Whether the game is won."""
    lost: bool
    """Whether the game is lost."""


class Story:
    """A game file in play. Loading another one reuses the interpreter: each weighs 2 MB."""

    def __init__(self) -> None:
        from textworld.core import EnvInfos
        from textworld.envs.wrappers.tw_inform7 import Inform7Data
        from textworld.envs.zmachine.jericho import JerichoEnv

        self._env: Any = Inform7Data(JerichoEnv(EnvInfos()))
        self.game = ("", "")
        """Which game is loaded: its file, and a mark that changes when the file does."""

    def start(self, path: Path, mark: str) -> Told:
        """Start the game file *path*, which is read only if it is not loaded already."""
        if self.game != (str(path), mark):
            self._forget()
            self._env.load(str(path))
            self.game = (str(path), mark)
        state = self._env.reset()
        # As textworld's own tracking does: the game then names the actions that succeed.
        self._env._send("tw-trace-actions")
        return self._told(state)

    def _forget(self) -> None:
        """Free the game that is loaded: loading another one over it leaks half a megabyte."""
        frotz = self._env.unwrapped._jericho
        if frotz is not None:
            frotz.close()
            frotz._cache.clear()

    def say(self, command: str) -> Told:
        """Give *command* to the game."""
        state, _, _ = self._env.step(command)
        return self._told(state)

    @staticmethod
    def _told(state: Any) -> Told:  # noqa: ANN401  (textworld has no types)
        from textworld.envs.wrappers.tw_inform7 import _detect_i7_events_debug_tags

        events, text = _detect_i7_events_debug_tags(state["feedback"])
        won, lost = bool(state["won"]), bool(state["lost"])
        return Told(text, tuple(events), int(state["score"] or 0), won, lost)

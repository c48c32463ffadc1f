"""The interpreter: one game in frotz, as textworld talks to it. For the engine's process only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

_COUNTS = re.compile(r"<score>\n(-?\d+)\n</score>(?:<moves>\n-?\d+\n</moves>)?")
"""What the game tells at every turn; who asks for the score is told the turns, too."""

_EVENT = re.compile(r"\[([^]]+)\]\n?")
_DONE = " - succeeded"
"""How the game marks its actions: ``[taking the old key - succeeded]``, once they are done."""

LONGEST = 198
"""How many bytes of a command the interpreter has room for."""


class Told(NamedTuple):
    """What the game has answered."""

    text: str
    """The feedback as textworld gives it: with prompt and status line, without its own marks."""
    events: list[str]
    """The actions of the game that succeeded: ``taking the old key``."""
    points: int
    """The score."""
    end: str
    """``won`` or ``lost``, or nothing while the game goes on."""


class Story:
    """A game file in play. Loading another one reuses the interpreter: each weighs 2 MB.

    textworld's layers above the interpreter put together at every step what no step changes, and
    jericho asks the game for what only the games that it knows can tell; here the interpreter is
    asked for nothing but the text.
    """

    def __init__(self) -> None:
        from textworld.core import EnvInfos
        from textworld.envs.zmachine.jericho import JerichoEnv

        self._env: Any = JerichoEnv(EnvInfos())
        self.game = ("", "")
        """Which game is loaded: its file, and a mark that changes when the file does."""

    def start(self, path: Path, mark: str) -> Told:
        """Start the game file *path*, which is read only if it is not loaded already."""
        if self.game != (str(path), mark):
            self._forget()
            self._env.load(str(path))
            self.game = (str(path), mark)
            self._step = self._env._jericho.frotz_lib.step
        self._points = 0
        opening = self._told(self._env.reset()["raw"])
        # As textworld does: the game then tells the score at every turn, and names its actions.
        self._env._send("tw-extra-infos score")
        self._env._send("tw-trace-actions")
        return opening

    def _forget(self) -> None:
        """Free the game that is loaded: loading another one over it leaks half a megabyte."""
        frotz = self._env._jericho
        if frotz is not None:
            frotz.close()
            frotz._cache.clear()

    def say(self, command: str) -> Told:
        """Give *command* to the game."""
        raw: bytes = self._step(command.strip().encode()[:LONGEST] + b"\n")
        return self._told(raw.decode("cp1252"))

    def _told(self, raw: str) -> Told:
        counted = _COUNTS.search(raw)
        if counted is not None:
            self._points = int(counted[1])
            raw = raw[: counted.start()] + raw[counted.end() :]
        parts = _EVENT.split(raw)
        text = "".join(parts[::2])
        done = [mark.partition(_DONE)[0] for mark in parts[1::2] if _DONE in mark]
        # What has a parenthesis is a part of another action.
        events = [event for event in done if "(" not in event and ")" not in event]
        return Told(text, events, self._points, _end(text))


def _end(text: str) -> str:
    """Return how the game has ended by its own words in *text*, or nothing."""
    if "*** " not in text:
        return ""
    return "won" if "*** The End ***" in text else "lost" if "*** You lost! ***" in text else ""

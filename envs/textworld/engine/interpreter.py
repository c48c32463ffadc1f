"""The interpreter: one game in frotz, as textworld talks to it. For the child processes only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

_SCORE = re.compile(r"<score>\n(-?\d+)\n</score>(?:<moves>\n-?\d+\n</moves>)?")
"""The score, which the game prints at every turn, and the number of turns, which may follow it."""

_EVENT = re.compile(r"\[([^]]+)\]\n?")
_SUCCEEDED = " - succeeded"
"""How the game marks its actions: ``[taking the old key - succeeded]``, once they are done."""

MAX_COMMAND_BYTES = 198
"""How many bytes of a command the interpreter has room for."""


class Feedback(NamedTuple):
    """The game's answer to one command."""

    text: str
    """The feedback as textworld gives it: with prompt and status line, without its own marks."""
    events: list[str]
    """The actions of the game that succeeded: ``taking the old key``."""
    points: int
    """The score."""
    end: str
    """``won`` or ``lost``, or nothing while the game goes on."""


class Interpreter:
    """A game file in play. Loading another one reuses the interpreter: each takes 2 MB.

    textworld's layers above the interpreter rebuild at every step what no step changes, and
    jericho asks for values that only the games known to it have. This class asks the interpreter
    for nothing but the text.
    """

    def __init__(self) -> None:
        from textworld.core import EnvInfos
        from textworld.envs.zmachine.jericho import JerichoEnv

        self._env: Any = JerichoEnv(EnvInfos())
        self.loaded = ("", "")
        """Which game is loaded: its file, and the SHA-256 of the file."""

    def start(self, path: Path, sha256: str) -> Feedback:
        """Start the game file *path*, which is read only if it is not loaded already."""
        if self.loaded != (str(path), sha256):
            self._unload()
            self._env.load(str(path))
            self.loaded = (str(path), sha256)
            self._step = self._env._jericho.frotz_lib.step
        self._points = 0
        opening = self._parse(self._env.reset()["raw"])
        # textworld does the same: from now on the game prints its score and names its actions.
        self._env._send("tw-extra-infos score")
        self._env._send("tw-trace-actions")
        return opening

    def _unload(self) -> None:
        """Free the game that is loaded: loading another one over it leaks half a megabyte."""
        frotz = self._env._jericho
        if frotz is not None:
            frotz.close()
            frotz._cache.clear()

    def step(self, command: str) -> Feedback:
        """Give *command* to the game and return its answer."""
        raw: bytes = self._step(command.strip().encode()[:MAX_COMMAND_BYTES] + b"\n")
        return self._parse(raw.decode("cp1252"))

    def _parse(self, raw: str) -> Feedback:
        score = _SCORE.search(raw)
        if score is not None:
            self._points = int(score[1])
            raw = raw[: score.start()] + raw[score.end() :]
        # A pattern with one group splits into text, event, text, event, ..., text.
        parts = _EVENT.split(raw)
        text = "".join(parts[::2])
        succeeded = [mark.partition(_SUCCEEDED)[0] for mark in parts[1::2] if _SUCCEEDED in mark]
        # An event with a parenthesis is a part of another action.
        events = [event for event in succeeded if "(" not in event and ")" not in event]
        return Feedback(text, events, self._points, _end(text))


def _end(text: str) -> str:
    """Return how the game has ended by its own words in *text*, or nothing."""
    if "*** " not in text:
        return ""
    return "won" if "*** The End ***" in text else "lost" if "*** You lost! ***" in text else ""

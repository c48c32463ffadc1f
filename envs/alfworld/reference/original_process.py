"""The original engine in a child process: textworld's `PddlEnv` with ALFWorld's demangler.

The original's parser, translator and planner are global to a process: two threads that play in one
process get each other's sentences. So each world has a child. Only the child imports textworld.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from agentgym_gen.errors import InvalidValueError, missing_extra
from agentgym_gen.system.child_process import ChildProcess, serve

FIRST_UNSUPPORTED_PYTHON = (3, 13)
"""The Python whose `locals()` (PEP 667) breaks the original's evaluator of sentences."""


class OriginalState(NamedTuple):
    """What the original shows after a reset or a step."""

    text: str
    """Its observation."""
    commands: list[str]
    """Its admissible commands, sorted."""
    won: bool
    """Whether the goal is reached."""


class OriginalProcess:
    """The original, playing one game at a time in a child process.

    Raises:
        InvalidValueError: if this Python is too new for it.
        MissingExtraError: if it is not installed.
    """

    def __init__(self) -> None:
        if sys.version_info >= FIRST_UNSUPPORTED_PYTHON:
            raise InvalidValueError(
                "backend='textworld' needs Python 3.11 or 3.12, not "
                f"{sys.version_info[0]}.{sys.version_info[1]}: the original's sentences fail "
                "there (PEP 667); play the same games with the default backend"
            )
        for package in ("textworld", "alfworld"):
            if importlib.util.find_spec(package) is None:
                raise missing_extra(package, "alfworld", "backend='textworld'")
        self._process = ChildProcess(__name__)
        self._game = ""
        self._sent_commands: list[str] = []
        self._is_copy = False

    def start(self, game: str) -> OriginalState:
        """Start the game with the text of a ``game.tw-pddl``; this takes a second or more.

        Raises:
            BackendError: if the original fails.
        """
        self._game, self._sent_commands, self._is_copy = game, [], False
        return OriginalState(*self._process.ask({"game": game}))

    def step(self, command_text: str) -> OriginalState:
        """Return what the original shows after *command_text*; about a tenth of a second.

        Raises:
            BackendError: if the original fails.
        """
        if self._is_copy:
            self._catch_up()
        state = OriginalState(*self._process.ask({"command": command_text}))
        self._sent_commands.append(command_text)
        return state

    def close(self) -> None:
        """End the original's process."""
        self._process.close()

    def _catch_up(self) -> None:
        """Play the commands of the copied episode again, in this copy's own process."""
        self._is_copy = False
        self._process.ask({"game": self._game})
        for command_text in self._sent_commands:
            self._process.ask({"command": command_text})

    def __getstate__(self) -> dict[str, Any]:
        """Return the game and its commands: a copy plays them in a process of its own."""
        return {"_game": self._game, "_sent_commands": list(self._sent_commands)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a process of its own, which the next step starts."""
        self.__dict__.update(state, _is_copy=bool(state["_game"]))
        self._process = ChildProcess(__name__)


class _OriginalServer:
    """The side of the child: it answers the requests of `OriginalProcess`."""

    def __init__(self) -> None:
        self._env: Any = None

    def answer(self, request: dict[str, Any]) -> tuple[str, list[str], bool]:
        """Start a game or carry out a command, and return the fields of `OriginalState`."""
        if "game" in request:
            state, won = self._start(request["game"]), False
        else:
            state, _, won = self._env.step(request["command"])
        return state["feedback"], sorted(state["admissible_commands"]), bool(won)

    def _start(self, game: str) -> Any:  # noqa: ANN401  (textworld has no types)
        import textworld
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
        from textworld.envs import PddlEnv

        requested_infos = textworld.EnvInfos(won=True, admissible_commands=True)
        self._env = AlfredDemangler(PddlEnv(requested_infos), shuffle=False)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "game.tw-pddl"
            path.write_text(game, encoding="utf-8")
            self._env.load(str(path))
            return self._env.reset()


if __name__ == "__main__":
    serve(_OriginalServer().answer)

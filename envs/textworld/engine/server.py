"""The process that plays: ``python -m agentgym_gen.envs.textworld.engine.server``.

It holds the games of many worlds, each in an interpreter of its own, and answers one request after
the other. The rules of a game are read once for all who play it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.engine.interpreter import Feedback, Interpreter
from agentgym_gen.envs.textworld.engine.patches import apply_patches
from agentgym_gen.envs.textworld.engine.tracking import Rules, StateTracker
from agentgym_gen.envs.textworld.expert import Expert
from agentgym_gen.system.child_process import serve

MAX_RULES = 64
"""How many games' rules are kept."""


class GameSession:
    """One player in one game.

    Args:
        interpreter: The interpreter.
        path: The game, without the ending ``.z8`` and ``.json``.
        sha256: The SHA-256 of the ``.z8``: it changes when the files do.
    """

    def __init__(self, interpreter: Interpreter, path: Path, sha256: str) -> None:
        self.interpreter = interpreter
        self._rules = load_rules(path.with_suffix(".json"), sha256)
        self._tracker = StateTracker(self._rules)
        self._executed_commands: list[str] = []
        self._opening = interpreter.start(path.with_suffix(".z8"), sha256)

    def opening(self, listing: bool) -> dict[str, Any]:
        """Return the first observation, and what the game consists of."""
        rules = self._rules
        return {
            **self._view(self._opening, listing),
            "objective": rules.objective,
            "max_points": rules.max_points,
            "templates": rules.templates,
            "names": rules.names,
            "walkthrough_length": len(rules.walkthrough),
        }

    def step(self, command: str, listing: bool) -> dict[str, Any]:
        """Give *command* to the game and return its answer."""
        feedback = self.interpreter.step(command)
        if feedback.events:
            self._executed_commands.append(command)
        self._tracker.add_events(feedback.events)
        return self._view(feedback, listing)

    def plan(self) -> list[str] | None:
        """Return commands that win, or None if none are found."""
        expert = load_expert(self._rules)
        _ = self._tracker.facts  # brings the tracker's path up to date
        return expert.plan(self._executed_commands, self._tracker.path)

    def _view(self, feedback: Feedback, listing: bool) -> dict[str, Any]:
        view: dict[str, Any] = {
            "text": feedback.text,
            "executed": bool(feedback.events),
            "points": feedback.points,
            "end": feedback.end,
        }
        if listing:
            facts = self._tracker.facts
            commands = () if feedback.end else self._rules.transitions(facts).by_command
            view["commands"] = list(commands)
            view["room"], view["inventory"] = self._rules.room(facts), self._rules.inventory(facts)
        return view


@functools.lru_cache(maxsize=MAX_RULES)
def load_rules(path: Path, sha256: str) -> Rules:  # noqa: ARG001  (a part of the cache's key)
    """Return the rules of the game with the ``.json`` file *path*."""
    return Rules(path)


@functools.lru_cache(maxsize=MAX_RULES)
def load_expert(rules: Rules) -> Expert:
    """Return the expert of the game with *rules*."""
    return Expert(rules)


class EngineServer:
    """The games in play, by the numbers that the parent gives its worlds."""

    def __init__(self) -> None:
        self._sessions: dict[int, GameSession] = {}
        self._idle: list[Interpreter] = []

    def answer(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        """Return the answer to *request*, a step, a start or a plan."""
        for closed in request.get("closed", ()):
            self._end(closed)
        number, listing = request["world"], request.get("listing", False)
        if "step" in request:
            return self._sessions[number].step(request["step"], listing)
        if "start" in request:
            return self._start(number, Path(request["start"]), request["sha256"]).opening(listing)
        return self._sessions[number].plan()

    def _start(self, number: int, path: Path, sha256: str) -> GameSession:
        self._end(number)
        interpreter = self._take_interpreter(str(path.with_suffix(".z8")), sha256)
        self._sessions[number] = session = GameSession(interpreter, path, sha256)
        return session

    def _take_interpreter(self, *game: str) -> Interpreter:
        """Return an interpreter that nobody uses, preferably one that has *game* loaded."""
        for place, interpreter in enumerate(self._idle):
            if interpreter.loaded == game:
                return self._idle.pop(place)
        return self._idle.pop(0) if self._idle else Interpreter()

    def _end(self, number: int) -> None:
        if number in self._sessions:
            self._idle.append(self._sessions.pop(number).interpreter)


def main() -> None:
    """Serve until the parent leaves."""
    apply_patches()
    serve(EngineServer().answer)


if __name__ == "__main__":
    main()

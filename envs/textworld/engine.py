"""The process that plays: ``python -m agentgym_gen.envs.textworld.engine``.

It holds the games of many worlds, each in an interpreter of its own, and answers one request after
the other. Rules of a game are read once for all who play it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.expert import Expert
from agentgym_gen.envs.textworld.quick import quicken
from agentgym_gen.envs.textworld.story import Story, Told
from agentgym_gen.envs.textworld.tracking import Progress, Rules
from agentgym_gen.system.child_process import serve

GAMES = 64
"""How many games' rules are kept."""


class Session:
    """One player in one game.

    Args:
        story: The interpreter.
        path: The game, without the ending ``.z8`` and ``.json``.
        mark: Changes when the files do.
    """

    def __init__(self, story: Story, path: Path, mark: str) -> None:
        self.story = story
        self._rules = rules_of(path.with_suffix(".json"), mark)
        self._progress = Progress(self._rules)
        self._said: list[str] = []  # what the game has done, not what it refused
        self._opening = story.start(path.with_suffix(".z8"), mark)

    def opening(self, listing: bool) -> dict[str, Any]:
        """Return what is seen first, and what the game consists of."""
        rules = self._rules
        return {
            **self._view(self._opening, listing),
            "objective": rules.objective,
            "most": rules.most,
            "templates": rules.templates,
            "names": rules.names,
            "length": len(rules.walkthrough),
        }

    def say(self, command: str, listing: bool) -> dict[str, Any]:
        """Give *command* to the game and return what it says."""
        told = self.story.say(command)
        if told.events:
            self._said.append(command)
        self._progress.notice(told.events)
        return self._view(told, listing)

    def plan(self) -> list[str] | None:
        """Return commands that win, or None."""
        expert = expert_of(self._rules)
        _ = self._progress.facts
        return expert.plan(self._said, self._progress.path)

    def _view(self, told: Told, listing: bool) -> dict[str, Any]:
        view: dict[str, Any] = {
            "text": told.text,
            "acted": bool(told.events),
            "points": told.points,
            "end": told.end,
        }
        if listing:
            facts = self._progress.facts
            view["commands"] = [] if told.end else list(self._rules.moves(facts).commands)
            view["place"], view["carried"] = self._rules.place(facts), self._rules.carried(facts)
        return view


@functools.lru_cache(maxsize=GAMES)
def rules_of(path: Path, mark: str) -> Rules:  # noqa: ARG001  (the mark is a part of the key)
    """Return the rules of the game with the ``.json`` file *path*."""
    return Rules(path)


@functools.lru_cache(maxsize=GAMES)
def expert_of(rules: Rules) -> Expert:
    """Return the expert of the game with *rules*."""
    return Expert(rules)


class Hall:
    """The games in play, by the numbers that the parent gives its worlds."""

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}
        self._idle: list[Story] = []

    def answer(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        """Return the answer to *request*."""
        for gone in request.get("left", ()):
            self._end(gone)
        number, listing = request["world"], request.get("listing", False)
        if "say" in request:
            return self._sessions[number].say(request["say"], listing)
        if "start" in request:
            return self._start(number, Path(request["start"]), request["mark"]).opening(listing)
        return self._sessions[number].plan()

    def _start(self, number: int, path: Path, mark: str) -> Session:
        self._end(number)
        story = self._free(str(path.with_suffix(".z8")), mark)
        self._sessions[number] = session = Session(story, path, mark)
        return session

    def _free(self, *game: str) -> Story:
        """Return an interpreter that nobody uses, best one that has *game* loaded."""
        loaded = [place for place, story in enumerate(self._idle) if story.game == game]
        if loaded:
            return self._idle.pop(loaded[0])
        return self._idle.pop(0) if self._idle else Story()

    def _end(self, number: int) -> None:
        if number in self._sessions:
            self._idle.append(self._sessions.pop(number).story)


def main() -> None:
    """Serve until the parent leaves."""
    quicken()
    serve(Hall().answer)


if __name__ == "__main__":
    main()

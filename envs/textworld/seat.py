"""A world's place in a process that plays: what is sent there, and what happens if it dies.

Starting a process costs a second and 70 MB, so worlds share them: one thread needs one, and threads
that play at once get one each, up to the number of processors. A process that dies takes every
game in it along. The world whose request met the death gets a `BackendError`; the others start
their games in another process and say again what they have said.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from typing import Any

from agentgym_gen.envs.textworld.store import Kept
from agentgym_gen.errors import BackendError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.processors import usable_processors

ENGINE = "agentgym_gen.envs.textworld.engine"

PATIENCE = 120.0
"""The seconds after which the interpreter counts as hung.

On a machine with ten times more to do than processors, half a minute passes before it has started.
"""

IDLE_SECONDS = 30.0
"""How long a process without a game is kept for the next one."""

IDLE_LOOKS = 10
"""How often it is looked whether there is a game meanwhile."""


class Engine:
    """A process that plays, for one request at a time."""

    def __init__(self) -> None:
        self._worker = ChildProcess(ENGINE, PATIENCE)
        self._lock = threading.Lock()
        self._left: list[int] = []
        self.worlds: set[int] = set()
        """The numbers of the worlds that play here."""

    @property
    def pid(self) -> int | None:
        """The number of the process, or None while there is none."""
        return self._worker.pid

    @property
    def is_busy(self) -> bool:
        """Whether it is answering somebody."""
        return self._lock.locked()

    def ask(self, request: dict[str, Any]) -> tuple[Any, int | None]:
        """Return the answer to *request* and the process that gave it.

        Raises:
            BackendError: if the process fails to answer; it is gone then.
        """
        with self._lock:
            if self._left:
                left, self._left = self._left, []
                request = {**request, "left": left}
            return self._worker.ask(request), self._worker.pid

    def leave(self, world: int) -> None:
        """Note that *world* is gone: the process hears it with the next request.

        A forgotten world says this in the middle of anything, so nothing may be waited for.
        """
        self.worlds.discard(world)
        self._left.append(world)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._worker.close()


class Pool:
    """The processes that play for one Python process."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self._watch: threading.Thread | None = None

    def take(self, world: int) -> Engine:
        """Return an engine for *world*: a free one, or another one while there may be more."""
        with self._lock:
            free = [engine for engine in self._engines if not engine.is_busy]
            if not free and len(self._engines) < usable_processors():
                self._engines.append(Engine())
                free = self._engines[-1:]
            engine = min(free or self._engines, key=lambda engine: len(engine.worlds))
            engine.worlds.add(world)
            if self._watch is None:
                self._watch = threading.Thread(target=self._retire, daemon=True)
                self._watch.start()
            return engine

    def close(self) -> None:
        """End the processes; worlds that play go on in new ones."""
        with self._lock:
            for engine in self._engines:
                engine.close()

    def _retire(self) -> None:
        """End the processes as soon as nobody has played for a while."""
        idle = 0
        while idle < IDLE_LOOKS:
            time.sleep(IDLE_SECONDS / IDLE_LOOKS)
            idle = 0 if any(engine.worlds for engine in self._engines) else idle + 1
        with self._lock:
            self._watch = None
            if not any(engine.worlds for engine in self._engines):
                for engine in self._engines:
                    engine.close()


_POOLS: dict[int, Pool] = {}
"""The pool by the process that uses it: a forked child must not talk to its parent's engines."""

_NUMBERS = itertools.count()


def pool() -> Pool:
    """Return the pool of this process."""
    return _POOLS.setdefault(os.getpid(), Pool())


class Seat:
    """One world's game in an engine.

    Args:
        listing: Whether each answer says what can be done, where the player is and what is carried.
    """

    def __init__(self, listing: bool) -> None:
        self._listing = listing
        self._world = next(_NUMBERS)
        self._engine: Engine | None = None

    def start(self, game: Kept) -> dict[str, Any]:
        """Start *game* and return what is seen first.

        Raises:
            BackendError: if the engine fails twice.
        """
        self._leave()
        self._game = game
        self._said: list[str] = []
        try:
            return self._seated()
        except BackendError:
            # It may have died long ago, with nobody asking.
            return self._seated()

    def say(self, command: str) -> dict[str, Any]:
        """Give *command* to the game and return what it tells.

        Raises:
            BackendError: if the engine fails.
        """
        told: dict[str, Any] = self._ask({"say": command, "listing": self._listing})
        self._said.append(command)
        return told

    def plan(self) -> list[str] | None:
        """Return commands that win from here, or None if none are found.

        Raises:
            BackendError: if the engine fails twice.
        """
        plan: list[str] | None
        try:
            plan = self._ask({"plan": True})
        except BackendError:
            plan = self._ask({"plan": True})
        return plan

    def close(self) -> None:
        """Leave the engine; `start` takes a place again."""
        self._leave()

    def _ask(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        if self._is_lost():
            self._seated()
            for command in self._said:
                self._send({"say": command})
        return self._send(request)

    def _send(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        engine = self._engine or self._take()
        answer, self._process = engine.ask({"world": self._world, **request})
        return answer

    def _is_lost(self) -> bool:
        """Say whether the game is gone, with the process that played it or by pickling."""
        engine = self._engine
        return engine is None or engine.pid != self._process or os.getpid() != self._owner

    def _seated(self) -> dict[str, Any]:
        """Start the game in an engine and return its opening."""
        self._leave()
        game = {"start": str(self._game.path), "mark": self._game.mark}
        opening: dict[str, Any] = self._send({**game, "listing": self._listing})
        return opening

    def _take(self) -> Engine:
        self._owner = os.getpid()
        self._engine = pool().take(self._world)
        self._finalizer = weakref.finalize(self, _leave, self._world, self._engine, self._owner)
        return self._engine

    def _leave(self) -> None:
        if self._engine is not None:
            self._finalizer()
            self._engine = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the seat without its engine: a copy says again what was said."""
        state = self.__dict__.copy()
        state.pop("_finalizer", None)
        return {**state, "_engine": None, "_world": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a number of its own."""
        self.__dict__.update(state)
        self._world = next(_NUMBERS)


def _leave(world: int, engine: Engine, owner: int) -> None:
    if os.getpid() == owner:
        engine.leave(world)

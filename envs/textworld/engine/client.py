"""A world's side of the process that plays: what is sent there, and what happens if it dies.

Starting a process costs a second and 70 MB, so worlds share them: the worlds of one thread share
one process, and threads that play at once get one each, up to the number of processors. A process
that dies ends the games of all its worlds. The world whose request finds the process dead gets a
`BackendError`; the others start their games in another process and repeat their commands there.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from typing import Any

from agentgym_gen.envs.textworld.games.cache import CachedGame
from agentgym_gen.errors import BackendError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.processors import usable_processors

SERVER_MODULE = "agentgym_gen.envs.textworld.engine.server"

TIMEOUT_SECONDS = 120.0
"""The seconds after which the interpreter counts as hung.

On a machine with ten times more to do than processors, half a minute passes before it has started.
"""

IDLE_SECONDS = 30.0
"""How long a process without a game is kept for the next one."""

IDLE_CHECKS = 10
"""How often within that time it is checked whether there is a game again."""


class Engine:
    """A process that plays, for one request at a time."""

    def __init__(self) -> None:
        self._process = ChildProcess(SERVER_MODULE, TIMEOUT_SECONDS)
        self._lock = threading.Lock()
        self._closed: list[int] = []
        self.worlds: set[int] = set()
        """The numbers of the worlds that play here."""

    @property
    def pid(self) -> int | None:
        """The number of the process, or None while there is none."""
        return self._process.pid

    @property
    def is_busy(self) -> bool:
        """Whether it is answering a request."""
        return self._lock.locked()

    def ask(self, request: dict[str, Any]) -> tuple[Any, int | None]:
        """Return the answer to *request* and the process that gave it.

        Raises:
            BackendError: if the process fails to answer; it is gone then.
        """
        with self._lock:
            if self._closed:
                closed, self._closed = self._closed, []
                request = {**request, "closed": closed}
            return self._process.ask(request), self._process.pid

    def leave(self, world: int) -> None:
        """Record that *world* is gone; the process is told with the next request.

        The garbage collector may call this at any moment, so it must not wait for the lock.
        """
        self.worlds.discard(world)
        self._closed.append(world)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._process.close()


class EnginePool:
    """The processes that play for one Python process."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self._watch: threading.Thread | None = None

    def take(self, world: int) -> Engine:
        """Return an engine for *world*: a free one, a new one while there may be more, or any."""
        with self._lock:
            free = [engine for engine in self._engines if not engine.is_busy]
            if not free and len(self._engines) < usable_processors():
                self._engines.append(Engine())
                free = self._engines[-1:]
            engine = min(free or self._engines, key=lambda engine: len(engine.worlds))
            engine.worlds.add(world)
            if self._watch is None:
                self._watch = threading.Thread(target=self._close_when_idle, daemon=True)
                self._watch.start()
            return engine

    def close(self) -> None:
        """End the processes; worlds that play continue in new ones."""
        with self._lock:
            for engine in self._engines:
                engine.close()

    def _close_when_idle(self) -> None:
        """End the processes as soon as no world has played for a while."""
        idle_checks = 0
        while idle_checks < IDLE_CHECKS:
            time.sleep(IDLE_SECONDS / IDLE_CHECKS)
            idle_checks = 0 if any(engine.worlds for engine in self._engines) else idle_checks + 1
        with self._lock:
            self._watch = None
            # A world may have come between the last check and the lock.
            if not any(engine.worlds for engine in self._engines):
                for engine in self._engines:
                    engine.close()


_POOLS: dict[int, EnginePool] = {}
"""The pool by the process that uses it: a forked child must not talk to its parent's engines."""

_NUMBERS = itertools.count()


def engine_pool() -> EnginePool:
    """Return the pool of this process."""
    return _POOLS.setdefault(os.getpid(), EnginePool())


class EngineClient:
    """One world's game in an engine.

    Args:
        listing: Whether each answer lists what can be done, the player's room and the inventory.
    """

    def __init__(self, listing: bool) -> None:
        self._listing = listing
        self._world = next(_NUMBERS)
        self._engine: Engine | None = None

    def start(self, game: CachedGame) -> dict[str, Any]:
        """Start *game* and return the first observation.

        Raises:
            BackendError: if the engine fails twice.
        """
        self._leave()
        self._game = game
        self._sent_commands: list[str] = []
        try:
            return self._start_game()
        except BackendError:
            # It may have died long ago, without a request that noticed.
            return self._start_game()

    def step(self, command: str) -> dict[str, Any]:
        """Give *command* to the game and return its answer.

        Raises:
            BackendError: if the engine fails.
        """
        answer: dict[str, Any] = self._ask({"step": command, "listing": self._listing})
        self._sent_commands.append(command)
        return answer

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
        """Leave the engine; `start` joins one again."""
        self._leave()

    def _ask(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        if self._is_lost():
            self._start_game()
            for command in self._sent_commands:
                self._send({"step": command})
        return self._send(request)

    def _send(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (a JSON value)
        engine = self._engine or self._join()
        answer, self._pid = engine.ask({"world": self._world, **request})
        return answer

    def _is_lost(self) -> bool:
        """Return whether the game is gone: its process has died, or this is a copy or a fork."""
        engine = self._engine
        return engine is None or engine.pid != self._pid or os.getpid() != self._owner

    def _start_game(self) -> dict[str, Any]:
        """Start the game in an engine and return its opening."""
        self._leave()
        game = {"start": str(self._game.path), "sha256": self._game.sha256}
        opening: dict[str, Any] = self._send({**game, "listing": self._listing})
        return opening

    def _join(self) -> Engine:
        self._owner = os.getpid()
        self._engine = engine_pool().take(self._world)
        self._finalizer = weakref.finalize(self, _leave, self._world, self._engine, self._owner)
        return self._engine

    def _leave(self) -> None:
        if self._engine is not None:
            self._finalizer()
            self._engine = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the client without its engine: a copy repeats the commands in one of its own."""
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

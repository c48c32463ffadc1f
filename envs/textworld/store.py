"""The cache of games: a folder for each, made once, whole or not there.

    <cache folder>/textworld/<challenge>-<hash>/game.z8 game.json card.json

Any number of processes may share it. A game whose files are not those of its card is made again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.tasks import Brief
from agentgym_gen.errors import BackendError, DataError, DiskFullError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.file_lock import lock_file
from agentgym_gen.system.files import CACHE_VARIABLE, cache_folder, write_json
from agentgym_gen.system.fork_safe_lock import ForkSafeLock

FORMAT = 1
"""Rises when games are made or kept in another way."""

PATIENCE = 300.0
"""The seconds after which the making of a game counts as hung."""

ROOM = 16 * 10**6
"""The bytes that the making of a game needs for a while, the compilers' files included."""

HELD, SCRATCH = ".lock-", ".making-"
"""How the names of locks and of half-made games begin."""

FILES = ("game.z8", "game.json")
WORKSHOP = "agentgym_gen.envs.textworld.workshop"


@functools.cache
def _textworld_version() -> str:
    return version("textworld")


@dataclass(frozen=True)
class Kept:
    """A game in the cache."""

    path: Path
    """Its files without their endings."""
    mark: str
    """Changes when a file does."""


class Store:
    """The games of one cache folder.

    Args:
        folder: Where games are kept; None takes ``textworld`` in the library's cache folder.
        megabytes: How much is kept; the games that were played longest ago go first.
    """

    def __init__(self, folder: Path | None = None, megabytes: int = 2000) -> None:
        self.folder = folder or cache_folder() / "textworld"
        self._limit = megabytes * 10**6

    def game(self, brief: Brief) -> Kept:
        """Return the game of *brief*, made now if it is not kept; that takes a few seconds.

        Raises:
            DataError: if the folder cannot be written.
            BackendError: if the original makes no game of it.
        """
        place = self.place(brief)
        kept = self._kept(place, brief)
        if kept is None:
            with _MAKING:
                kept = self._made(place, brief, _workshop(os.getpid()))
        with contextlib.suppress(OSError):
            os.utime(place)
        return kept

    def make(self, brief: Brief, workshop: ChildProcess) -> bool:
        """Let *workshop* make the game of *brief* unless it is kept; return whether it did.

        Raises:
            DataError: if the folder cannot be written.
            BackendError: if the original makes no game of it.
        """
        place = self.place(brief)
        if self._kept(place, brief) is not None:
            return False
        self._made(place, brief, workshop)
        return True

    def has(self, brief: Brief) -> bool:
        """Say whether the game of *brief* is kept."""
        return self._kept(self.place(brief), brief) is not None

    def place(self, brief: Brief) -> Path:
        """Return the folder of the game of *brief*."""
        told = repr((FORMAT, _textworld_version(), brief))
        digest = hashlib.sha256(told.encode()).hexdigest()[:24]
        return self.folder / f"{brief.level.challenge}-{digest}"

    def usage(self) -> tuple[int, int]:
        """Return how many games are kept, and how many bytes they have."""
        sizes = [size for _, size, _ in self._entries()]
        return len(sizes), sum(sizes)

    def _kept(self, place: Path, brief: Brief) -> Kept | None:
        """Return the game in *place* if its files are those of its card."""
        try:
            card = json.loads((place / "card.json").read_text(encoding="utf-8"))
            if card["brief"] != repr(brief) or card["files"] != _hashes(place):
                return None
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return Kept(place / "game", card["files"]["game.z8"])

    def sweep(self) -> None:
        """Remove what killed processes left half-made; what is being made stays."""
        left = [*self.folder.glob(f"{HELD}*"), *self.folder.glob(f"{SCRATCH}*")]
        for name in sorted({path.name.split("-", 1)[1] for path in left}):
            with (
                contextlib.suppress(DataError),
                lock_file(self.folder / f"{HELD}{name}", "It is being made", "another one"),
            ):
                shutil.rmtree(self.folder / f"{SCRATCH}{name}", ignore_errors=True)

    def _made(self, place: Path, brief: Brief, workshop: ChildProcess) -> Kept:
        """Return the game in *place*, made now unless another process has just made it."""
        with self._scratch(place) as scratch:
            kept = self._kept(place, brief)
            if kept is not None:
                return kept
            candidate = self._asked(workshop, _order(brief, scratch))
            card = {"brief": repr(brief), "candidate": candidate, "files": _hashes(scratch)}
            write_json(scratch / "card.json", card)
            self._move(scratch, place, brief)
        self._trim(place)
        kept = self._kept(place, brief)
        if kept is None:
            raise DataError(
                f"The game in {place} vanished as soon as it was made; is the disk full?"
            )
        return kept

    @contextlib.contextmanager
    def _scratch(self, place: Path) -> Iterator[Path]:
        """Yield a new folder for what becomes *place*; nobody else makes the same meanwhile.

        Raises:
            DataError: if there can be none.
        """
        scratch = self.folder / f"{SCRATCH}{place.name}"
        with contextlib.ExitStack() as held:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(lock_file(self.folder / f"{HELD}{place.name}"))
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir()
            except OSError as error:
                raise DataError(
                    f"Cannot keep games in {self.folder}: {error.strerror or error}; name a "
                    f"folder that can be written in the environment variable {CACHE_VARIABLE}"
                ) from error
            try:
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _asked(self, workshop: ChildProcess, order: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        """Return what *workshop* answers to *order*.

        Raises:
            DiskFullError: if it fails where there is no room for a game.
            BackendError: if it fails otherwise.
        """
        try:
            return workshop.ask(order)
        except BackendError as error:
            free = shutil.disk_usage(self.folder).free
            if free >= ROOM:
                raise
            raise DiskFullError(
                f"Cannot keep games in {self.folder}: {free / 10**6:.1f} MB are free, and a game "
                f"needs {ROOM // 10**6} MB while it is made; make room there, or name another "
                f"folder in the environment variable {CACHE_VARIABLE}, and run it again"
            ) from error

    def _move(self, scratch: Path, place: Path, brief: Brief) -> None:
        """Move the game to its place, unless another process has put it there meanwhile."""
        inner = scratch / "whole"
        inner.mkdir(mode=0o755)
        for name in (*FILES, "card.json"):
            (scratch / name).rename(inner / name)
        if place.exists() and self._kept(place, brief) is None:
            with contextlib.suppress(OSError):
                place.rename(scratch / "broken")
        with contextlib.suppress(OSError):
            inner.rename(place)

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Return time of use, bytes and folder of every game, the oldest first."""
        entries = []
        with contextlib.suppress(OSError):
            for place in self.folder.iterdir():
                if not place.name.startswith("."):
                    with contextlib.suppress(OSError):
                        size = sum(file.stat().st_size for file in place.iterdir())
                        entries.append((place.stat().st_mtime, size, place))
        return sorted(entries)

    def _trim(self, newest: Path) -> None:
        """Drop the games that were played longest ago until the rest is small enough."""
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        for _, size, place in entries:
            if total <= self._limit or place == newest:
                return
            shutil.rmtree(place, ignore_errors=True)
            total -= size


def _hashes(place: Path) -> dict[str, str]:
    return {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in FILES}


def _order(brief: Brief, folder: Path) -> dict[str, Any]:
    """Return what the workshop is asked for."""
    return {
        "challenge": brief.level.challenge,
        "settings": dict(brief.level.settings),
        "candidates": [seeds._asdict() for seeds in brief.candidates],
        "folder": str(folder),
    }


_MAKING = ForkSafeLock()
"""Held while a game is made: textworld's makers fill a core."""

_WORKSHOPS: dict[int, ChildProcess] = {}
"""The workshop by the process that uses it: a forked child must not talk to its parent's."""


def _workshop(process: int) -> ChildProcess:
    return _WORKSHOPS.setdefault(process, new_workshop())


def new_workshop() -> ChildProcess:
    """Return a process that makes games, started by the first order."""
    return ChildProcess(WORKSHOP, PATIENCE)

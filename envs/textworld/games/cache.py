"""The cache of games: one folder for each, built once, complete or absent.

    <cache folder>/textworld/<challenge>-<hash>/game.z8 game.json card.json

Any number of processes may share it. A game whose files do not match its card is built again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.tasks import GameSpec
from agentgym_gen.errors import BackendError, DataError, DiskFullError
from agentgym_gen.system.child_process import ChildProcess
from agentgym_gen.system.file_lock import lock_file
from agentgym_gen.system.files import CACHE_VARIABLE, cache_folder, write_json
from agentgym_gen.system.fork_safe_lock import ForkSafeLock
from agentgym_gen.system.untrusted_files import MEGABYTE, read_bytes, read_text

FORMAT = 1
"""Rises when games are built or kept in another way."""

TIMEOUT_SECONDS = 300.0
"""The seconds after which the building of a game counts as hung."""

BUILD_BYTES = 16 * 10**6
"""The bytes that building a game needs for a while, the compilers' files included."""

LOCK_PREFIX, SCRATCH_PREFIX = ".lock-", ".making-"
"""How the names of locks and of half-built games begin."""

FILES = ("game.z8", "game.json")
_GAME_NAME = re.compile(r"[a-z_]+-[0-9a-f]{24}")
"""The names of the folders of games."""

BUILDER_MODULE = "agentgym_gen.envs.textworld.engine.builder"


@functools.cache
def _textworld_version() -> str:
    return version("textworld")


@dataclass(frozen=True)
class CachedGame:
    """The files of a game."""

    path: Path
    """The files without their endings."""
    sha256: str
    """The SHA-256 of the ``.z8``: another value means another game."""


class GameCache:
    """The games of one cache folder.

    Args:
        folder: Where games are kept; None takes ``textworld`` in the library's cache folder.
        megabytes: How much is kept; the games that were played longest ago go first.
    """

    def __init__(self, folder: Path | None = None, megabytes: int = 2000) -> None:
        self.folder = folder or cache_folder() / "textworld"
        self._limit = megabytes * 10**6

    def game(self, spec: GameSpec) -> CachedGame:
        """Return the game of *spec*, built now if it is not kept; that takes a few seconds.

        Raises:
            DataError: if the folder cannot be written.
            BackendError: if the original makes no game of it.
        """
        folder = self.folder_of(spec)
        game = self._load(folder, spec)
        if game is None:
            with _BUILD_LOCK:
                game = self._build(folder, spec, _shared_builder(os.getpid()))
        # The time of last use, by which games are removed: reading does not set it.
        with contextlib.suppress(OSError):
            os.utime(folder)
        return game

    def build(self, spec: GameSpec, builder: ChildProcess) -> bool:
        """Let *builder* build the game of *spec* unless it is kept; return whether it did.

        Raises:
            DataError: if the folder cannot be written.
            BackendError: if the original makes no game of it.
        """
        folder = self.folder_of(spec)
        if self._load(folder, spec) is not None:
            return False
        self._build(folder, spec, builder)
        return True

    def has(self, spec: GameSpec) -> bool:
        """Return whether the game of *spec* is kept."""
        return self._load(self.folder_of(spec), spec) is not None

    def folder_of(self, spec: GameSpec) -> Path:
        """Return the folder of the game of *spec*."""
        text = repr((FORMAT, _textworld_version(), spec))
        digest = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self.folder / f"{spec.level.challenge}-{digest}"

    def usage(self) -> tuple[int, int]:
        """Return how many games are kept, and how many bytes they have."""
        sizes = [size for _, size, _ in self._entries()]
        return len(sizes), sum(sizes)

    def _load(self, folder: Path, spec: GameSpec) -> CachedGame | None:
        """Return the game in *folder* if its files match its card."""
        try:
            card = json.loads(read_text(folder / "card.json", max_bytes=MEGABYTE))
            if card["brief"] != repr(spec) or card["files"] != _hashes(folder):
                return None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return CachedGame(folder / "game", card["files"]["game.z8"])

    def remove_leftovers(self) -> None:
        """Remove the half-built games of killed processes; what is being built stays."""
        leftovers = [
            path.name.removeprefix(prefix)
            for prefix in (LOCK_PREFIX, SCRATCH_PREFIX)
            for path in self.folder.glob(f"{prefix}*")
        ]
        for name in sorted(set(filter(_GAME_NAME.fullmatch, leftovers))):
            with (
                contextlib.suppress(DataError),
                lock_file(self.folder / f"{LOCK_PREFIX}{name}", "It is being made", "another one"),
            ):
                shutil.rmtree(self.folder / f"{SCRATCH_PREFIX}{name}", ignore_errors=True)

    def _build(self, folder: Path, spec: GameSpec, builder: ChildProcess) -> CachedGame:
        """Return the game in *folder*, built now unless another process has just built it."""
        with self._scratch_folder(folder) as scratch:
            game = self._load(folder, spec)
            if game is not None:
                return game
            candidate = self._run_builder(builder, _build_request(spec, scratch))
            # The key "brief" is of an earlier version: a new one would have every game built again.
            card = {"brief": repr(spec), "candidate": candidate, "files": _hashes(scratch)}
            write_json(scratch / "card.json", card)
            self._publish(scratch, folder, spec)
        self._remove_oldest(folder)
        game = self._load(folder, spec)
        if game is None:
            raise DataError(
                f"The game in {folder} vanished as soon as it was made; is the disk full?"
            )
        return game

    @contextlib.contextmanager
    def _scratch_folder(self, folder: Path) -> Iterator[Path]:
        """Yield a new folder for what becomes *folder*, lock_file against other builders of it.

        Raises:
            DataError: if it cannot be made.
        """
        scratch = self.folder / f"{SCRATCH_PREFIX}{folder.name}"
        with contextlib.ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock_file(self.folder / f"{LOCK_PREFIX}{folder.name}"))
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

    def _run_builder(self, builder: ChildProcess, request: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        """Return what *builder* answers to *request*.

        Raises:
            DiskFullError: if it fails where there is no room for a game.
            BackendError: if it fails otherwise.
        """
        try:
            return builder.ask(request)
        except BackendError as error:
            free = shutil.disk_usage(self.folder).free
            if free >= BUILD_BYTES:
                raise
            raise DiskFullError(
                f"Cannot keep games in {self.folder}: {free / 10**6:.1f} MB are free, and a game "
                f"needs {BUILD_BYTES // 10**6} MB while it is made; make room there, or name "
                f"another folder in the environment variable {CACHE_VARIABLE}, and run it again"
            ) from error

    def _publish(self, scratch: Path, folder: Path, spec: GameSpec) -> None:
        """Move the game into *folder*, unless another process has put it there meanwhile.

        A rename of a folder happens at once: no reader ever sees a half of the game.
        """
        complete = scratch / "whole"
        complete.mkdir()
        for name in (*FILES, "card.json"):
            (scratch / name).rename(complete / name)
        if folder.exists() and self._load(folder, spec) is None:
            with contextlib.suppress(OSError):
                folder.rename(scratch / "broken")
        with contextlib.suppress(OSError):
            complete.rename(folder)

    def _entries(self) -> list[tuple[float, int, Path]]:
        """Return time of use, bytes and folder of every game, the oldest first."""
        entries = []
        with contextlib.suppress(OSError):
            for folder in self.folder.iterdir():
                # A game, and not what somebody else keeps where `AGENTGYM_GEN_CACHE` leads.
                if _GAME_NAME.fullmatch(folder.name) and not folder.is_symlink():
                    with contextlib.suppress(OSError):
                        size = sum(file.stat().st_size for file in folder.iterdir())
                        entries.append((folder.stat().st_mtime, size, folder))
        return sorted(entries)

    def _remove_oldest(self, newest: Path) -> None:
        """Remove the games that were played longest ago until the rest is small enough."""
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        for _, size, folder in entries:
            if total <= self._limit or folder == newest:
                return
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256(read_bytes(folder / name)).hexdigest() for name in FILES}


def _build_request(spec: GameSpec, folder: Path) -> dict[str, Any]:
    """Return the request for a builder."""
    return {
        "challenge": spec.level.challenge,
        "settings": dict(spec.level.settings),
        "candidates": [seeds._asdict() for seeds in spec.seeds()],
        "folder": str(folder),
    }


_BUILD_LOCK = ForkSafeLock()
"""Held while a game is built: a builder keeps one processor busy."""

_BUILDERS: dict[int, ChildProcess] = {}
"""The builder by the process that uses it: a forked child must not talk to its parent's."""


def _shared_builder(process: int) -> ChildProcess:
    return _BUILDERS.setdefault(process, new_builder())


def new_builder() -> ChildProcess:
    """Return a process that builds games, started by the first request."""
    return ChildProcess(BUILDER_MODULE, TIMEOUT_SECONDS)

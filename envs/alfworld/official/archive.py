"""The official games in a folder or a zip archive, in the original's layout."""

from __future__ import annotations

import functools
import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import check_file, read_text

SPLIT_FOLDERS = {
    "train": "train",
    "valid": "valid_seen",
    "test": "valid_unseen",
    "valid_train": "valid_train",
}
"""The original's folder of every split; the last split is only there if the folder is."""

MAX_ARCHIVE_BYTES = 64 * 2**30
"""The size above which an archive is not opened."""

OFFICIAL_LAYOUT = (
    "json_2.1.1/{train,valid_seen,valid_unseen,valid_train}/<task>/<trial>/game.tw-pddl"
)
GAME_FILE = "game.tw-pddl"
MAX_GAME_BYTES = 5_000_000
"""The size above which a file is no game; official ones have about 0.13 million."""

READ_ERRORS = (
    *(OSError, ValueError, EOFError, RuntimeError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What reading a damaged archive raises; RuntimeError stands for an encrypted one."""


@dataclass(frozen=True)
class Archive:
    """The game files of one folder, those in zip archives included.

    The key of a game is its last folders: ``valid_seen/pick_...-Desk-308/trial_T2019...``.
    """

    folder: Path
    """The folder that the user names, or a zip archive."""

    def games(self, split: str) -> dict[str, str]:
        """Return the keys of the games of *split*, sorted, with a stamp that changes with the file.

        Raises:
            DataError: if there is none.
        """
        folder = SPLIT_FOLDERS[split]
        games = self._games_in(folder)
        if not games:
            raise DataError(
                f"No games of {folder!r} in {str(self.folder)!r}; the official layout is "
                f"{OFFICIAL_LAYOUT}, as `alfworld-download` makes it, zipped or not"
            )
        return dict(sorted(games.items()))

    def has(self, split: str) -> bool:
        """Say whether there are games of *split*.

        Raises:
            DataError: if an archive cannot be read.
        """
        return bool(self._games_in(SPLIT_FOLDERS[split]))

    def read(self, key: str) -> str:
        """Return the text of the game *key*.

        Raises:
            DataError: if there is no such game or it cannot be read.
        """
        split = next(
            (s for s, folder in SPLIT_FOLDERS.items() if key.startswith(f"{folder}/")), None
        )
        if split is None or key not in cached_games(self, split):
            raise DataError(
                f"No game {key!r} in {str(self.folder)!r}; the layout is {OFFICIAL_LAYOUT}"
            )
        try:
            path = self._root / key / GAME_FILE
            if path.is_file():
                return read_text(path, "Game", MAX_GAME_BYTES)
            return self._read_zipped(key)
        except READ_ERRORS as error:
            raise DataError(
                f"Game {key!r} of {str(self.folder)!r} is unreadable: {error}"
            ) from error

    def _games_in(self, folder: str) -> dict[str, str]:
        return {**self._zipped_games(folder), **self._unzipped_games(folder)}

    @property
    def _root(self) -> Path:
        inner = self.folder / "json_2.1.1"
        return inner if inner.is_dir() else self.folder

    def _unzipped_games(self, folder: str) -> dict[str, str]:
        games = {}
        for path in (self._root / folder).glob(f"*/*/{GAME_FILE}"):
            stat = path.stat()
            games[_game_key(path.as_posix())] = f"{stat.st_size} {stat.st_mtime_ns}"
        return games

    def _zips(self) -> Iterable[Path]:
        return [self.folder] if self.folder.is_file() else sorted(self.folder.glob("*.zip"))

    def _zipped_games(self, folder: str) -> dict[str, str]:
        games = {}
        for path in self._zips():
            for key, entry in _open_zip(path, os.getpid()).games.items():
                if key.startswith(f"{folder}/"):
                    games[key] = f"{entry.file_size} {entry.CRC}"
        return games

    def _read_zipped(self, key: str) -> str:
        for path in self._zips():
            archive = _open_zip(path, os.getpid())
            if key in archive.games:
                return _read_entry(archive.file, archive.games[key]).decode("utf-8")
        raise DataError(f"Game {key!r} is gone from {str(self.folder)!r}")


def _read_entry(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of *entry*, unpacking no more than a game may have.

    Raises:
        DataError: if it is too large for a game, or compressed by an unusual method.
    """
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{entry.filename!r} is packed by another method than deflate")
    with file.open(entry) as stream:
        # A size limits what is unpacked, even if the entry holds more than it states.
        raw = stream.read(MAX_GAME_BYTES + 1)
    if max(len(raw), entry.file_size) > MAX_GAME_BYTES:
        size = max(len(raw), entry.file_size)
        raise DataError(f"{entry.filename!r} is too large to be a game: {size:,} bytes")
    return raw


def _game_key(path: str) -> str:
    """Return the key of the game at *path*: its last three folders."""
    return "/".join(path.split("/")[-4:-1])


class OpenZip(NamedTuple):
    """A zip archive that is open."""

    file: zipfile.ZipFile
    """The archive."""
    games: dict[str, zipfile.ZipInfo]
    """Its entries that are games, by the game's key."""


@functools.lru_cache(maxsize=8)
def _open_zip(path: Path, _process: int) -> OpenZip:
    """Return the archive at *path*, opened once per process.

    The process is part of the cache's key: after a fork, parent and child would share one file
    position and read each other's bytes.

    Raises:
        DataError: if it is no zip archive.
    """
    try:
        check_file(path, "Archive", MAX_ARCHIVE_BYTES)
        file = zipfile.ZipFile(path)
        entries = [entry for entry in file.infolist() if entry.filename.endswith(f"/{GAME_FILE}")]
        return OpenZip(file, {_game_key(entry.filename): entry for entry in entries})
    except READ_ERRORS as error:
        raise DataError(f"Archive {str(path)!r} cannot be read: {error}") from error


@functools.lru_cache(maxsize=32)
def cached_games(archive: Archive, split: str) -> dict[str, str]:
    """Return ``archive.games(split)``, read once per process."""
    return archive.games(split)


def fingerprint(archive: Archive, split: str) -> str:
    """Return a hash that changes when any game of *split* does."""
    listing = "\n".join(f"{key} {stamp}" for key, stamp in cached_games(archive, split).items())
    return hashlib.sha256(f"{archive.folder}\n{listing}".encode()).hexdigest()

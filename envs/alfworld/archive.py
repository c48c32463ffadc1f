"""The official games where they lie: in a folder or in a zip archive, in the original's layout."""

from __future__ import annotations

import functools
import hashlib
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agentgym_gen.errors import DataError

FOLDERS = {"train": "train", "valid": "valid_seen", "test": "valid_unseen"}
"""The original's folder of every split."""

LAYOUT = "json_2.1.1/{train,valid_seen,valid_unseen}/<task>/<trial>/game.tw-pddl"
GAME = "game.tw-pddl"
MAX_BYTES = 5_000_000
"""The size above which a file is no game; official ones have about 0.13 million."""


@dataclass(frozen=True)
class Archive:
    """The game files of one folder, those in zip archives included.

    A game is called by its last folders, as in ``valid_seen/pick_...-Desk-308/trial_T2019...``.
    """

    folder: Path
    """The folder that the user names, or a zip archive."""

    def games(self, split: str) -> dict[str, str]:
        """Return the games of *split*, sorted, with a mark that changes when the file does.

        Raises:
            DataError: if there is none.
        """
        folder = FOLDERS[split]
        found = {**self._zipped(folder), **self._plain(folder)}
        if not found:
            raise DataError(
                f"No games of {folder!r} in {str(self.folder)!r}; the official layout is {LAYOUT}, "
                "as `alfworld-download` makes it, zipped or not"
            )
        return dict(sorted(found.items()))

    def read(self, key: str) -> str:
        """Return the text of the game *key*.

        Raises:
            DataError: if there is no such game or it cannot be read.
        """
        split = next((s for s, folder in FOLDERS.items() if key.startswith(f"{folder}/")), None)
        if split is None or key not in listed(self, split):
            raise DataError(f"No game {key!r} in {str(self.folder)!r}; the layout is {LAYOUT}")
        try:
            plain = self._root / key / GAME
            if plain.is_file():
                _check_size(plain.stat().st_size, key)
                return plain.read_text(encoding="utf-8")
            return self._unzipped(key)
        except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
            raise DataError(
                f"Game {key!r} of {str(self.folder)!r} is unreadable: {error}"
            ) from error

    @property
    def _root(self) -> Path:
        inner = self.folder / "json_2.1.1"
        return inner if inner.is_dir() else self.folder

    def _plain(self, folder: str) -> dict[str, str]:
        found = {}
        for path in (self._root / folder).glob(f"*/*/{GAME}"):
            stat = path.stat()
            found[_key(path.as_posix())] = f"{stat.st_size} {stat.st_mtime_ns}"
        return found

    def _zips(self) -> Iterable[Path]:
        return [self.folder] if self.folder.is_file() else sorted(self.folder.glob("*.zip"))

    def _zipped(self, folder: str) -> dict[str, str]:
        found = {}
        for path in self._zips():
            for key, entry in _opened(path, os.getpid()).games.items():
                if key.startswith(f"{folder}/"):
                    found[key] = f"{entry.file_size} {entry.CRC}"
        return found

    def _unzipped(self, key: str) -> str:
        for path in self._zips():
            zipped = _opened(path, os.getpid())
            if key in zipped.games:
                entry = zipped.games[key]
                _check_size(entry.file_size, key)
                return zipped.file.read(entry).decode("utf-8")
        raise DataError(f"Game {key!r} is gone from {str(self.folder)!r}")


def _check_size(size: int, key: str) -> None:
    if size > MAX_BYTES:
        raise DataError(f"Game {key!r} is too large to be one: {size:,} bytes")


def _key(path: str) -> str:
    return "/".join(path.split("/")[-4:-1])


class Zipped(NamedTuple):
    """A zip archive that is open."""

    file: zipfile.ZipFile
    """The archive."""
    games: dict[str, zipfile.ZipInfo]
    """The entries of the games in it."""


@functools.lru_cache(maxsize=8)
def _opened(path: Path, _process: int) -> Zipped:
    """Return the archive at *path*, opened once per process: a fork shares the file's position.

    Raises:
        DataError: if it is no zip archive.
    """
    try:
        file = zipfile.ZipFile(path)
        entries = [one for one in file.infolist() if one.filename.endswith(f"/{GAME}")]
        return Zipped(file, {_key(one.filename): one for one in entries})
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"Archive {str(path)!r} cannot be read: {error}") from error


@functools.lru_cache(maxsize=32)
def listed(archive: Archive, split: str) -> dict[str, str]:
    """Return ``archive.games(split)``, looked up once per process."""
    return archive.games(split)


def fingerprint(archive: Archive, split: str) -> str:
    """Return a hash that changes when any game of *split* does."""
    listing = "\n".join(f"{key} {mark}" for key, mark in listed(archive, split).items())
    return hashlib.sha256(f"{archive.folder}\n{listing}".encode()).hexdigest()

"""Custom games: a folder of ``.z8`` files, each with the ``.json`` that textworld writes.

    <folder>/train/a.z8 a.json ...     the folders of the splits; games that lie in none of them
    <folder>/valid/...                 are for training
    <folder>/test/...

A game is easy if its walkthrough has up to 8 commands, medium up to 16, else hard.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentgym_gen.envs.textworld.games.cache import CachedGame
from agentgym_gen.envs.textworld.wording import verbs_of
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.system.untrusted_files import MEGABYTE, parse_json, read_bytes, read_text
from agentgym_gen.world import SPLITS, TIERS, Task, TaskId, Tasks

MAX_WALKTHROUGH = {"easy": 8, "medium": 16}
"""How many commands a walkthrough of each tier has at most."""

MAX_JSON_BYTES = 64 * MEGABYTE
"""A larger ``.json`` is of no game; textworld's largest have two megabytes."""

MAX_STORY_BYTES = MEGABYTE
"""A larger ``.z8`` is of no game; the format ends at half of it."""

_COMMAND = re.compile(r'::\s*"([^"]*)"\s*::\s*"')
"""A command in the text of rules: ``open/c :: "open {c}" :: "opening the {c}"``."""


@dataclass(frozen=True)
class CustomGame:
    """A game of a folder: the content of a task."""

    key: str
    """Its path in the folder without the ending: ``test/a``."""
    sha256: str
    """The SHA-256 of its ``.z8``."""
    tier: str
    """Its tier, by the length of its walkthrough."""

    def __repr__(self) -> str:
        """Return the text that fingerprints hash, with the class's name of an earlier version."""
        return f"OwnGame(key={self.key!r}, sha256={self.sha256!r}, tier={self.tier!r})"

    @property
    def split(self) -> str:
        """Its split."""
        first = self.key.split("/")[0]
        return first if first in SPLITS else "train"


class CustomGames:
    """The games of a folder.

    Args:
        folder: The folder.

    Raises:
        DataError: if it holds no games, or one that cannot be played.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.all = _read_folder(self._folder)

    def game(self, content: CustomGame) -> CachedGame:
        """Return the files of the game.

        Raises:
            DataError: if it has changed since the folder was read.
        """
        path = self._folder / content.key
        if _sha256(path.with_name(f"{path.name}.z8")) != content.sha256:
            raise DataError(f"Game {content.key!r} of {self._folder} has changed; make a new world")
        return CachedGame(path, content.sha256)

    def challenge(self, content: CustomGame) -> str:
        """Return ``own``, which stands for the user's own games."""
        return "own"


class CustomGameTasks(Tasks[CustomGame]):
    """The games of a folder as tasks; the key of a task is the game's path."""

    env = "textworld"

    def __init__(self, games: CustomGames) -> None:
        self._games = games
        present = {game.tier for game in games.all}
        self.tiers = tuple(tier for tier in TIERS if tier in present)

    def size(self, tier: str, split: str) -> int:
        """Return how many games there are.

        Raises:
            InvalidValueError: if there is none.
        """
        number = len(self._select(tier, split))
        if not number:
            raise InvalidValueError(
                f"None of the games is {tier} and of the split {split!r}; games of a split lie in "
                "a folder of its name"
            )
        return number

    def find(self, task_id: str) -> Task[CustomGame]:
        """Return the game called *task_id*.

        Raises:
            InvalidValueError: if there is none.
        """
        parsed = TaskId.parse(task_id)
        for game in self._games.all:
            if TaskId(self.env, game.tier, game.split, game.key) == parsed:
                return Task(parsed, game)
        raise InvalidValueError(f"No game of the folder has the task id {task_id!r}")

    def generate(self, task_id: TaskId, index: int) -> CustomGame:
        """Return the game of *task_id*."""
        return self._select(task_id.tier, task_id.split)[index]

    def _key(self, tier: str, split: str, index: int) -> str:
        return self._select(tier, split)[index].key

    def _select(self, tier: str, split: str) -> list[CustomGame]:
        return [game for game in self._games.all if (game.tier, game.split) == (tier, split)]


def _read_folder(folder: Path) -> tuple[CustomGame, ...]:
    stories = sorted(folder.glob("**/*.z8")) if folder.is_dir() else []
    if not stories:
        raise DataError(f"No games in {folder}: a game is a file .z8 with a file .json beside it")
    return tuple(_read_game(path, folder) for path in stories)


def _read_game(path: Path, folder: Path) -> CustomGame:
    description = path.with_suffix(".json")
    try:
        game = parse_json(read_text(description, max_bytes=MAX_JSON_BYTES), repr(str(description)))
        tier = _tier(game)
        return CustomGame(path.relative_to(folder).with_suffix("").as_posix(), _sha256(path), tier)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"Game {path} cannot be played: {error}") from error


def _tier(game: Any) -> str:  # noqa: ANN401  (JSON, whose faults are caught above)
    """Return the tier of the game that textworld described as *game*.

    Raises:
        ValueError: if its rules have commands for which TextWorld has no verb.
    """
    _, unknown = verbs_of(_templates(game))
    if unknown:
        raise ValueError(f"its rules have the unknown commands {sorted(unknown)}")
    length = len(game.get("metadata", {}).get("walkthrough") or ())
    fitting = (tier for tier, most in MAX_WALKTHROUGH.items() if 0 < length <= most)
    return next(fitting, "hard")


def _templates(game: Mapping[str, Any]) -> list[str]:
    """Return the templates of the commands in the text of the game's rules."""
    return _COMMAND.findall(game["KB"]["logic"])


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, max_bytes=MAX_STORY_BYTES)).hexdigest()

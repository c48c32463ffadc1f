"""The two sources of games: built for a task and kept in the cache, or a folder of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.envs.textworld.games.cache import CachedGame, GameCache
from agentgym_gen.envs.textworld.games.custom import CustomGames, CustomGameTasks
from agentgym_gen.envs.textworld.tasks import GameSpec, GeneratedTasks
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import Tasks


class GameSource(Protocol):
    """The files of games."""

    def game(self, content: Any) -> CachedGame:  # noqa: ANN401  (each has contents of its own)
        """Return the files of the game of *content*."""

    def challenge(self, content: Any) -> str:  # noqa: ANN401
        """Return which kind of game *content* is."""


class GeneratedGames:
    """Games that are built for their tasks.

    Args:
        cache: The cache.
    """

    def __init__(self, cache: GameCache) -> None:
        self._cache = cache

    def game(self, content: GameSpec) -> CachedGame:
        """Return the game of *content*, built now if it is not in the cache.

        Raises:
            DataError: if the cache cannot be written.
            BackendError: if the original makes no game of it.
        """
        return self._cache.game(content)

    def challenge(self, content: GameSpec) -> str:
        """Return the name of the challenge."""
        return content.level.challenge


def open_games(
    challenge: str | None, first: int | None, games_dir: str | Path | None, cache_mb: int
) -> tuple[Tasks[Any], GameSource]:
    """Return the tasks that are played, and their games.

    Raises:
        InvalidValueError: if options do not go together.
        UnknownNameError: if there is no such challenge.
        DataError: if *games_dir* holds no games.
    """
    if isinstance(cache_mb, bool) or not isinstance(cache_mb, int) or cache_mb < 1:
        raise InvalidValueError(f"`cache_mb` is a positive number, not {cache_mb!r}")
    if games_dir is None:
        return GeneratedTasks(challenge, first), GeneratedGames(GameCache(megabytes=cache_mb))
    if challenge is not None or first is not None:
        raise InvalidValueError("`games_dir` plays every game of a folder; leave out the filters")
    games = CustomGames(Path(games_dir))
    return CustomGameTasks(games), games

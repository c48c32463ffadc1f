"""Where games come from: made for a task and kept in the cache, or a folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from agentgym_gen.envs.textworld.own import OwnGame, OwnGames, OwnTasks
from agentgym_gen.envs.textworld.store import Kept, Store
from agentgym_gen.envs.textworld.tasks import Brief, GeneratedTasks
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.world import Tasks


class Games(Protocol):
    """The files of games."""

    def game(self, content: Any) -> Kept:  # noqa: ANN401  (each source has contents of its own)
        """Return the files of the game that *content* means."""

    def challenge(self, content: Any) -> str:  # noqa: ANN401
        """Return which kind of game *content* means."""


class MadeGames:
    """Games that are made for their tasks.

    Args:
        store: The cache.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def game(self, content: Brief) -> Kept:
        """Return the game of *content*, made now if it is not kept.

        Raises:
            DataError: if the cache cannot be written.
            BackendError: if the original makes no game of it.
        """
        return self._store.game(content)

    def challenge(self, content: Brief) -> str:
        """Return the name of the challenge."""
        return content.level.challenge


def open_games(
    challenge: str | None, first: int | None, games_dir: str | Path | None, cache_mb: int
) -> tuple[Tasks[Any], Games]:
    """Return the tasks that are played, and their games.

    Raises:
        InvalidValueError: if options do not go together.
        UnknownNameError: if there is no such challenge.
        DataError: if *games_dir* holds no games.
    """
    if isinstance(cache_mb, bool) or not isinstance(cache_mb, int) or cache_mb < 1:
        raise InvalidValueError(f"`cache_mb` is a positive number, not {cache_mb!r}")
    if games_dir is None:
        return GeneratedTasks(challenge, first), MadeGames(Store(megabytes=cache_mb))
    if challenge is not None or first is not None:
        raise InvalidValueError("`games_dir` plays every game of a folder; leave out the filters")
    games = OwnGames(Path(games_dir))
    return OwnTasks(games), games


__all__ = ["Games", "MadeGames", "OwnGame", "open_games"]

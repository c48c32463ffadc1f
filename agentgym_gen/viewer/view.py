"""Episodes indexed piece by piece, and the scripts with which a page loads them.

A page from ``file://`` may not fetch, but it may load scripts. Each script is one call of
``viewerData(kind, number, value)`` with JSON:

    index      what there is: how many episodes, the values of filters, where chunks begin
    <column>   one column of the index, `PIECE` episodes a script
    episodes   the conversations of one chunk
    actions    the admissible actions of every turn of one episode

A page loads a column when a filter or a row of the list needs it, and a chunk when an episode is
opened or searched. JSON is JavaScript as it stands; texts are ASCII with escapes, so that they do
not depend on the encoding that a web server claims.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from agentgym_gen.errors import AgentGymGenError, DataError
from agentgym_gen.viewer.admissible import admissible_actions
from agentgym_gen.viewer.episodes import ViewedEpisode, ViewedTurn
from agentgym_gen.viewer.sources import Source

__all__ = ["CODED", "COLUMNS", "PIECE", "Chunk", "View"]

PIECE = 8192
"""How many episodes one script of a column has."""

CHUNK_EPISODES = 256
"""The most episodes of a chunk."""

CHUNK_CHARS = 500_000
"""How many characters a chunk has at least, unless it has `CHUNK_EPISODES`, or is the last."""

FORMAT = 1
"""The version of the scripts; the page refuses another."""

CODED: dict[str, Callable[[ViewedEpisode], str]] = {
    "run": lambda episode: episode.run,
    "arm": lambda episode: episode.arm,
    "seed": lambda episode: episode.seed,
    "step": lambda episode: episode.step,
    "environment": lambda episode: episode.environment,
    "tier": lambda episode: episode.tier,
    "split": lambda episode: episode.split,
    "interface": lambda episode: episode.interface,
    "end": lambda episode: episode.end_reason,
    "failures": lambda episode: " ".join(episode.failures),
}
"""The columns with few different values, which are numbers of values in the index."""

PLAIN: dict[str, Callable[[ViewedEpisode], object]] = {
    "task": lambda episode: episode.task_id,
    "sample": lambda episode: episode.sample,
    "success": lambda episode: int(episode.success),
    "score": lambda episode: round(episode.score, 4),
    "turns": lambda episode: episode.number,
    "invalid": lambda episode: episode.invalid,
}
"""The columns that are as they are."""

COLUMNS = (*CODED, *PLAIN)
"""Every column of the index."""


class Chunk(NamedTuple):
    """Episodes that one script holds."""

    number: int
    """The number of the chunk."""
    first: int
    """The number of its first episode."""
    source: Source
    """The source that it is from; one chunk has one source."""
    position: Any
    """Where the source reads it again."""
    length: int
    """How many episodes it has."""


class View:
    """The index of some sources, which grows while they are read.

    One thread reads and others may write scripts meanwhile.

    Args:
        sources: Where the episodes are.
        admissible: Whether pages may ask which actions were admissible.
    """

    def __init__(self, sources: Sequence[Source], *, admissible: bool = False) -> None:
        self._sources, self._admissible = list(sources), admissible
        self._lock, self._replaying = threading.Lock(), threading.Lock()
        self._codes: dict[str, dict[str, int]] = {name: {} for name in CODED}
        self._counts: dict[str, list[int]] = {name: [] for name in CODED}
        self._pieces: dict[str, list[str]] = {name: [] for name in COLUMNS}
        self._open: dict[str, list[object]] = {name: [] for name in COLUMNS}
        self._chunks: list[Chunk] = []
        self._firsts: list[int] = []
        self.number = 0
        """How many episodes were read."""
        self.complete = False
        """Whether all were read."""
        self.failure = ""
        """Why reading has ended before all were read."""

    def read(self) -> Iterator[tuple[Chunk, list[ViewedEpisode]]]:
        """Read and index all sources; yield each chunk with its episodes.

        Raises:
            DataError: if a file cannot be read, or there is no episode at all.
        """
        try:
            for source in self._sources:
                for position, episodes in _chunks(source):
                    yield self._add(source, position, episodes), episodes
            if not self.number:
                names = ", ".join(source.name for source in self._sources)
                raise DataError(f"There is no episode in {names} yet")
        except AgentGymGenError as error:
            self.failure = str(error)
            raise
        finally:
            with self._lock:
                self._close_piece()
                self.complete = True

    def index(self) -> str:
        """Return the script that says what there is."""
        with self._lock:
            value = {
                "format": FORMAT,
                "episodes": self.number,
                "complete": self.complete,
                "failure": self.failure,
                "notes": [note for source in self._sources for note in source.notes],
                "admissible": self._admissible,
                "piece": PIECE,
                "chunks": list(self._firsts),
                "columns": list(COLUMNS),
                # Lists, not objects: a value of a file is never a key of an object.
                "values": [[name, list(codes)] for name, codes in self._codes.items()],
                "counts": [[name, list(numbers)] for name, numbers in self._counts.items()],
            }
        return _script("index", 0, value)

    @property
    def pieces(self) -> int:
        """How many pieces each column has, the open one included."""
        return -(-self.number // PIECE)

    def column(self, name: str, piece: int) -> str:
        """Return the script of one piece of the column *name*; the last one may still grow.

        Raises:
            LookupError: if there is none.
        """
        with self._lock:
            pieces = self._pieces[name]
            if piece == len(pieces) and self._open[name]:
                return _script(name, piece, self._open[name])
            return pieces[piece]

    def conversations(self, number: int) -> str:
        """Return the script of chunk *number*, which is read from its source again.

        Raises:
            LookupError: if there is none.
            DataError: if it cannot be read.
        """
        return conversations_script(number, self._read_chunk(self._chunks[number]))

    def actions(self, number: int) -> str:
        """Return the script with the admissible actions of episode *number*.

        Raises:
            LookupError: if there is none.
            DataError: if it cannot be read.
        """
        if not 0 <= number < self.number:
            raise LookupError(number)
        chunk = self._chunks[bisect_right(self._firsts, number) - 1]
        episode = self._read_chunk(chunk)[number - chunk.first]
        with self._replaying:  # one engine or shop at a time
            return actions_script(number, episode)

    def _read_chunk(self, chunk: Chunk) -> list[ViewedEpisode]:
        read = islice(chunk.source.read(chunk.position), chunk.length)
        return [episode for _, episode in read]

    def _add(self, source: Source, position: object, episodes: Sequence[ViewedEpisode]) -> Chunk:
        with self._lock:
            chunk = Chunk(len(self._chunks), self.number, source, position, len(episodes))
            self._chunks.append(chunk)
            self._firsts.append(self.number)
            for episode in episodes:
                self._add_row(episode)
        return chunk

    def _add_row(self, episode: ViewedEpisode) -> None:
        for name, value_of in CODED.items():
            codes, value = self._codes[name], value_of(episode)
            code = codes.setdefault(value, len(codes))
            counts = self._counts[name]
            if code == len(counts):
                counts.append(0)
            counts[code] += 1
            self._open[name].append(code)
        for name, plain in PLAIN.items():
            self._open[name].append(plain(episode))
        self.number += 1
        if self.number % PIECE == 0:
            self._close_piece()

    def _close_piece(self) -> None:
        for name, values in self._open.items():
            if values:
                self._pieces[name].append(_script(name, len(self._pieces[name]), values))
                self._open[name] = []


def conversations_script(number: int, episodes: Sequence[ViewedEpisode]) -> str:
    """Return the script of chunk *number*."""
    return _script("episodes", number, [_body(episode) for episode in episodes])


def actions_script(number: int, episode: ViewedEpisode) -> str:
    """Return the script with the admissible actions of *episode*, or why they are not to be had."""
    try:
        value: object = admissible_actions(episode)
    except AgentGymGenError as error:
        value = str(error)
    except Exception as error:  # noqa: BLE001  (somebody else's world may raise anything)
        value = (
            "What was admissible is not known: the environment fails where the episode is played "
            f"again: {type(error).__name__}: {error}"
        )
    return _script("actions", number, value)


def failure_script(kind: str, number: int, sentence: str) -> str:
    """Return the script *number* of *kind* that cannot be made, for the reason *sentence*."""
    return _script(kind, number, sentence)


def _chunks(source: Source) -> Iterator[tuple[Any, list[ViewedEpisode]]]:
    """Yield the episodes of *source* in chunks, each with the position of its first."""
    start: Any = None
    episodes: list[ViewedEpisode] = []
    size = 0
    for position, episode in source.read():
        if not episodes:
            start = position
        episodes.append(episode)
        size += episode.characters
        if len(episodes) == CHUNK_EPISODES or size >= CHUNK_CHARS:
            yield start, episodes
            episodes, size = [], 0
    if episodes:
        yield start, episodes


def _body(episode: ViewedEpisode) -> list[object]:
    """Return what only the page of the episode shows."""
    return [
        episode.env_id,
        round(episode.reward, 6),
        episode.last_observation,
        episode.error,
        [_turn(turn) for turn in episode.turns],
    ]


def _turn(turn: ViewedTurn) -> list[object]:
    flags = int(turn.valid) + 2 * int(turn.lenient) + 4 * int(turn.truncated)
    row: list[object] = [turn.observation, turn.completion, turn.action, turn.reward, flags]
    if turn.tokens:
        # A log-probability that is not a number is null: JSON has no NaN.
        logprobs = [round(x, 4) if abs(x) < 1e6 else None for x in turn.logprobs]
        row += [turn.tokens, logprobs]
    return row


def _script(kind: str, number: int, value: object) -> str:
    data = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return f'viewerData("{kind}",{number},{data})\n'

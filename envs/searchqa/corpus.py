"""Corpora: the passages that are searched, and how a user's own are read.

A corpus has a fingerprint, which changes when any passage does: indexes are cached under it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import MEGABYTE, parse_json, read_lines, read_text

MAX_BYTES = 16 * 1024 * MEGABYTE
"""The size above which a file of passages is refused: all passages are kept in memory."""

MAX_TEXT_BYTES = 64 * MEGABYTE
"""The size above which a file that is one passage is refused."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A titled text of a corpus."""

    title: str
    """The title."""
    text: str
    """The text under it."""

    @property
    def contents(self) -> str:
        """Title and text as Search-R1 stores them in one field: the title is the first line."""
        return f"{self.title}\n{self.text}"


class Corpus:
    """Passages by number.

    Args:
        read: Returns the passage with a number.
        size: How many passages there are.
        fingerprint: A text that changes when any passage does.
    """

    def __init__(self, read: Callable[[int], Passage], size: int, fingerprint: str) -> None:
        self._read = read
        self._size = size
        self.fingerprint = fingerprint

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Corpus:
        """Return the corpus of *passages*, whose fingerprint is a hash of them all."""
        return cls(passages.__getitem__, len(passages), _hash(passages))

    def __getitem__(self, number: int) -> Passage:
        """Return the passage with *number*."""
        return self._read(number)

    def __len__(self) -> int:
        """Return how many passages there are."""
        return self._size

    def __iter__(self) -> Iterator[Passage]:
        """Return the passages in the order of their numbers."""
        return map(self._read, range(self._size))


def read_corpus(path: str | Path) -> Corpus:
    """Return the corpus at *path*.

    Args:
        path: A JSON-lines file, or a folder. A line has ``title`` and ``text``, or Search-R1's
            ``contents``, whose first line is the title. A folder has ``.txt`` and ``.md`` files,
            whose names are the titles, and such ``.jsonl`` files.

    Raises:
        DataError: if there is nothing to read, or a line is bad, naming its number.
    """
    folder_or_file = Path(path)
    passages = [passage for file in _files(folder_or_file) for passage in _read(file)]
    if not passages:
        raise DataError(
            f"No passages in {str(folder_or_file)!r}; a corpus is .jsonl, or a folder of texts"
        )
    return Corpus.of(passages)


def file_states(path: str | Path) -> tuple[tuple[str, int, int], ...]:
    """Return the files of the corpus at *path* with their sizes and times, to notice a change.

    Raises:
        DataError: if there is no such file or folder.
    """
    try:
        stats = [(file, file.stat()) for file in _files(Path(path).resolve())]
    except OSError as error:
        raise DataError(f"Corpus {str(path)!r} cannot be read: {error}") from error
    return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in {".jsonl", ".txt", ".md"})


def _read(file: Path) -> Iterator[Passage]:
    if file.suffix in {".txt", ".md"}:
        yield Passage(file.stem, " ".join(read_text(file, "Corpus", MAX_TEXT_BYTES).split()))
        return
    for number, line in read_lines(file, "Corpus", MAX_BYTES):
        yield _passage(line, f"line {number} of {str(file)!r}")


def _passage(line: str, where: str) -> Passage:
    try:
        row = parse_json(line, where)
        if "contents" in row and "text" not in row:
            title, _, text = str(row["contents"]).partition("\n")
            return Passage(title, text)
        title, text = row["title"], row["text"]
    except (DataError, LookupError, TypeError) as error:
        raise DataError(
            f"Bad passage in {where}: {error!r}; a passage is a JSON object with the texts "
            '"title" and "text", or "contents"'
        ) from error
    if not (isinstance(title, str) and isinstance(text, str) and (title or text)):
        raise DataError(f'Bad passage in {where}: "title" and "text" are texts, and one is not ""')
    return Passage(title, text)


def _hash(passages: Sequence[Passage]) -> str:
    digest = hashlib.sha256()
    for passage in passages:
        digest.update(f"{passage.title}\0{passage.text}\0".encode())
    return digest.hexdigest()[:32]


__all__ = ["Corpus", "Passage", "file_states", "read_corpus"]

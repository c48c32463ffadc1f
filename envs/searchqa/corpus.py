"""Corpora: the passages that are searched, those that ship and a user's own.

A corpus has a mark, which changes when any passage does: indexes are kept under it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agentgym_gen.envs.searchqa.generator.graph import fact_graph, data_hash
from agentgym_gen.envs.searchqa.generator.passages import Passage, write_passage
from agentgym_gen.errors import DataError
from agentgym_gen.system.untrusted_files import MEGABYTE, lines_of, parse_json, read_text

PASSAGE_VERSION = 1
"""Rises when the same facts make other passages; a test compares them with those of before."""


MAX_BYTES = 16 * 1024 * MEGABYTE
"""The size above which a file is refused: all passages are kept in memory."""


class Corpus:
    """Passages by number.

    Args:
        read: Returns the passage with a number.
        size: How many there are.
        mark: What changes when they do.
    """

    def __init__(self, read: Callable[[int], Passage], size: int, fingerprint: str) -> None:
        self._read = read
        self._size = size
        self.mark = fingerprint

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Corpus:
        """Return the corpus of *passages*, whose mark is a hash of them all."""
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


def fact_corpus(facts: str) -> Corpus:
    """Return the corpus that ships, with real or invented names; a passage is written when read.

    Raises:
        UnknownNameError: if there are no such *facts*.
    """
    graph = fact_graph(facts)
    mark = f"{facts} {data_hash('facts.json.gz')} {PASSAGE_VERSION}"
    return Corpus(functools.partial(write_passage, graph), len(graph), mark)


def read_corpus(path: str | Path) -> Corpus:
    """Return the corpus at *path*.

    Args:
        path: A JSON-lines file with ``title`` and ``text`` a line, or with Search-R1's
            ``contents``, whose first line is the title; or a folder of ``.txt`` and ``.md`` files,
            whose names are the titles, and of such ``.jsonl`` files.

    Raises:
        DataError: if there is nothing to read, or a line is bad, naming its number.
    """
    place = Path(path)
    passages = [passage for file in _files(place) for passage in _read(file)]
    if not passages:
        raise DataError(f"No passages in {str(place)!r}; a corpus is .jsonl, or a folder of texts")
    return Corpus.of(passages)


def file_states(path: str | Path) -> tuple[tuple[str, int, int], ...]:
    """Return the files of the corpus at *path* with their sizes and times, to see a change.

    Raises:
        DataError: if there is no such file or folder.
    """
    try:
        found = [(one, one.stat()) for one in _files(Path(path).resolve())]
    except OSError as error:
        raise DataError(f"Corpus {str(path)!r} cannot be read: {error}") from error
    return tuple((str(one), stat.st_size, stat.st_mtime_ns) for one, stat in found)


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    return sorted(path for path in place.rglob("*") if path.suffix in {".jsonl", ".txt", ".md"})


def _read(file: Path) -> Iterator[Passage]:
    text = read_text(file, "Corpus", MAX_BYTES)
    if file.suffix in {".txt", ".md"}:
        yield Passage(file.stem, " ".join(text.split()))
        return
    for number, line in lines_of(text):
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
    whole = hashlib.sha256()
    for passage in passages:
        whole.update(f"{passage.title}\0{passage.text}\0".encode())
    return whole.hexdigest()[:32]


__all__ = ["Corpus", "Passage", "fact_corpus", "read_corpus", "file_states"]

"""Keyword search: BM25 with Lucene's analysis and scores."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.files import cache_folder

TITLE_WEIGHT = 3
"""How many times the words of a title count."""

INDEX_VERSION = 1
"""Rises when the same corpus makes another index."""

MAX_TITLE_WEIGHT = 100
"""The most times that a title counts: it is written into the index as often."""


class BM25Retriever:
    """Keyword search with Lucene's analysis and scores.

    The index is kept in the user's cache folder, so that only the first process makes it.

    Args:
        corpus: What is searched.
        title_weight: How many times the words of a title count.
        keep: Whether the index is kept on disk.
    """

    def __init__(
        self, corpus: Corpus, *, title_weight: int = TITLE_WEIGHT, keep: bool = True
    ) -> None:
        is_whole = isinstance(title_weight, int) and not isinstance(title_weight, bool)
        if not is_whole or not 1 <= title_weight <= MAX_TITLE_WEIGHT:
            raise InvalidValueError(
                f"`title_weight` is a whole number from 1 to {MAX_TITLE_WEIGHT}, not "
                f"{title_weight!r}"
            )
        self._corpus = corpus
        self._title_weight = title_weight
        self._index = self._load_or_build() if keep else self._build()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the at most *k* best passages for *query*; none without a word of it."""
        numbers, _ = self._index.search(query, k)
        return [self._corpus[int(number)] for number in numbers]

    def _load_or_build(self) -> BM25Index:
        key = f"{self._corpus.fingerprint} {self._title_weight} {INDEX_VERSION}"
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        path = cache_folder() / f"searchqa-{name}.npz"
        try:
            index = BM25Index.load(path)
        except DataError:
            index = self._build()
            _save(index, path)
        return index

    def _build(self) -> BM25Index:
        # The contents have the title once; it is repeated to count as often as its weight.
        repeats = self._title_weight - 1
        return BM25Index.build(
            f"{passage.title}\n" * repeats + passage.contents for passage in self._corpus
        )


def _save(index: BM25Index, path: Path) -> None:
    try:
        index.save(path)
    except DataError:
        return  # a read-only home costs time at the next start, nothing else


__all__ = ["BM25Retriever"]

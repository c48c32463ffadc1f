"""Retrievers: whatever finds passages for a query.

Keyword search is here; `dense` and `remote` hold the other two. A fourth is any object with the
method of `Retriever`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.files import cache_folder
from agentgym_gen.system.imports import load_module

TITLE_WEIGHT = 3
"""How many times the words of a title count."""

INDEX_VERSION = 1
"""Rises when the same corpus makes another index."""


@runtime_checkable
class Retriever(Protocol):
    """What a world asks. It is shared by all worlds of a process, so threads use it at once."""

    def search(self, query: str, k: int) -> Sequence[Passage]:
        """Return the at most *k* best passages for *query*, the best first.

        Raises:
            BackendError: if it cannot be asked now; the episode says so and goes on.
        """


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
        if isinstance(title_weight, bool) or not isinstance(title_weight, int) or title_weight < 1:
            raise InvalidValueError(
                f"`title_weight` is a whole number from 1, not {title_weight!r}"
            )
        self._corpus = corpus
        self._title_weight = title_weight
        self._index = self._load_or_build() if keep else self._build()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the at most *k* best passages for *query*; none without a word of it."""
        numbers, _ = self._index.search(query, k)
        return [self._corpus[int(number)] for number in numbers]

    def _load_or_build(self) -> BM25Index:
        mark = f"{self._corpus.mark} {self._title_weight} {INDEX_VERSION}"
        name = hashlib.sha256(mark.encode()).hexdigest()[:32]
        path = cache_folder() / f"searchqa-{name}.npz"
        try:
            index = BM25Index.load(path)
        except DataError:
            index = self._build()
            _save(index, path)
        return index

    def _build(self) -> BM25Index:
        again = self._title_weight - 1
        return BM25Index.build(f"{one.title}\n" * again + one.contents for one in self._corpus)


def _save(index: BM25Index, path: Path) -> None:
    try:
        index.save(path)
    except DataError:
        return  # a read-only home costs time at the next start, nothing else


def make_retriever(spec: str | Retriever, corpus: Callable[[], Corpus], key: str) -> Retriever:
    """Return the retriever that *spec* means, made once a process for each corpus.

    Args:
        spec: ``bm25``; ``dense:<model>`` with the name or folder of a sentence-transformers model;
            the address of a server that speaks Search-R1's ``/retrieve``; ``module:function``,
            which is called with the corpus; or a retriever.
        corpus: Returns the corpus, if it is needed.
        key: What names the corpus.

    Raises:
        InvalidValueError: if *spec* is none of these.
        MissingExtraError: if it needs a package that is not installed.
    """
    if isinstance(spec, Retriever):
        return spec
    if not isinstance(spec, str):
        raise InvalidValueError(f"`retriever` is {_SPECS}, not {spec!r}")
    return get_or_make(("retriever", spec, key), lambda: _make(spec, corpus))


_SPECS = "'bm25', 'dense:<model>', an http address, 'module:function' or an object with `search`"


def _make(spec: str, corpus: Callable[[], Corpus]) -> Retriever:
    head, _, rest = spec.partition(":")
    if spec == "bm25":
        return BM25Retriever(corpus())
    if head in {"http", "https"}:
        from agentgym_gen.envs.searchqa.retrievers.remote import RemoteRetriever

        return RemoteRetriever(spec)
    if head == "dense" and rest:
        from agentgym_gen.envs.searchqa.retrievers.dense import DenseRetriever, sentence_encoder

        encode = sentence_encoder(rest)  # first: it is what may be missing
        return DenseRetriever(corpus(), encode, name=rest)
    return _load_factory(spec, head, rest, corpus)


def _load_factory(spec: str, module: str, name: str, corpus: Callable[[], Corpus]) -> Retriever:
    if not name:
        raise InvalidValueError(f"`retriever` is {_SPECS}, not {spec!r}")
    factory: Any = getattr(load_module(module, spec), name, None)
    if not callable(factory):
        raise InvalidValueError(f"{spec!r} names nothing that can be called with a corpus")
    made = factory(corpus())
    if not isinstance(made, Retriever):
        raise InvalidValueError(f"{spec!r} made {made!r}, which has no `search(query, k)`")
    return made


__all__ = ["BM25Retriever", "Retriever", "make_retriever"]

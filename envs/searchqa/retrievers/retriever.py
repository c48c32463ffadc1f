"""What a retriever is, and which one the option ``retriever`` means.

A retriever of a user's own is any object with the method of `Retriever`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.envs.searchqa.process_cache import get_or_make
from agentgym_gen.envs.searchqa.retrievers.bm25 import TITLE_WEIGHT, BM25Retriever
from agentgym_gen.envs.searchqa.retrievers.dense import DenseRetriever, sentence_encoder
from agentgym_gen.envs.searchqa.retrievers.remote import RemoteRetriever
from agentgym_gen.errors import InvalidValueError
from agentgym_gen.system.imports import load_module


@runtime_checkable
class Retriever(Protocol):
    """Finds passages. All worlds of a process share it, so several threads call it at once."""

    def search(self, query: str, k: int) -> Sequence[Passage]:
        """Return the at most *k* best passages for *query*, the best first.

        Raises:
            BackendError: if it is not available now; the episode reports that and goes on.
        """


def make_retriever(
    spec: str | Retriever,
    corpus: Callable[[], Corpus],
    key: str,
    *,
    title_weight: int | None = None,
) -> Retriever:
    """Return the retriever that *spec* means, made once a process for each corpus.

    Args:
        spec: ``bm25``; ``dense:<model>`` with the name or folder of a sentence-transformers model;
            the address of a server with Search-R1's ``/retrieve``; ``module:function``,
            which is called with the corpus; or a retriever.
        corpus: Returns the corpus, if it is needed.
        key: What identifies the corpus.
        title_weight: How many times ``bm25`` counts the words of a title; three times if None.

    Raises:
        InvalidValueError: if *spec* is none of these, or has no *title_weight*.
        MissingExtraError: if it needs a package that is not installed.
    """
    if title_weight is not None and spec != "bm25":
        raise InvalidValueError(f"`title_weight` is an option of 'bm25', not of {spec!r}")
    if isinstance(spec, Retriever):
        return spec
    if not isinstance(spec, str):
        raise InvalidValueError(f"`retriever` is {_SPECS}, not {spec!r}")
    weight = TITLE_WEIGHT if title_weight is None else title_weight
    return get_or_make(("retriever", spec, key, weight), lambda: _make(spec, corpus, weight))


_SPECS = "'bm25', 'dense:<model>', an http address, 'module:function' or an object with `search`"


def _make(spec: str, corpus: Callable[[], Corpus], title_weight: int) -> Retriever:
    head, _, rest = spec.partition(":")
    if spec == "bm25":
        return BM25Retriever(corpus(), title_weight=title_weight)
    if head in {"http", "https"}:
        return RemoteRetriever(spec)
    if head == "dense" and rest:
        encode = sentence_encoder(rest)  # before the corpus: its package may be missing
        return DenseRetriever(corpus(), encode, name=rest)
    return _call_factory(spec, head, rest, corpus)


def _call_factory(spec: str, module: str, name: str, corpus: Callable[[], Corpus]) -> Retriever:
    if not name:
        raise InvalidValueError(f"`retriever` is {_SPECS}, not {spec!r}")
    factory: Any = getattr(load_module(module, spec), name, None)
    if not callable(factory):
        raise InvalidValueError(f"{spec!r} names nothing that can be called with a corpus")
    retriever = factory(corpus())
    if not isinstance(retriever, Retriever):
        raise InvalidValueError(f"{spec!r} made {retriever!r}, which has no `search(query, k)`")
    return retriever


__all__ = ["Retriever", "make_retriever"]

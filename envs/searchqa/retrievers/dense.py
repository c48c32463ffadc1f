"""Retrieval by meaning: passages and queries as vectors, compared by their angle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.system.files import cache_folder, replacing
from agentgym_gen.system.untrusted_files import ARRAY_DAMAGES

Vectors = NDArray[np.float32]
"""One row a text."""

Encoder = Callable[[Sequence[str]], Vectors]
"""What makes vectors of texts."""

BATCH = 256
"""How many passages are encoded at once."""


class DenseRetriever:
    """The passages whose vectors have the smallest angle with that of the query.

    Every vector is compared: for corpora of up to about a million passages.

    Args:
        corpus: What is searched.
        encode: What makes vectors of texts.
        name: What names the model; the vectors are kept under it in the user's cache folder.
            Without a name they are not kept.
        query_prefix: What a query starts with, such as ``"query: "`` for E5.
        passage_prefix: What a passage starts with, such as ``"passage: "`` for E5.
    """

    def __init__(
        self,
        corpus: Corpus,
        encode: Encoder,
        *,
        name: str = "",
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
    ) -> None:
        e5 = "e5" in name.lower()
        self._corpus = corpus
        self._encode = encode
        self._query = ("query: " if e5 else "") if query_prefix is None else query_prefix
        self._passage = ("passage: " if e5 else "") if passage_prefix is None else passage_prefix
        self._vectors = self._load_or_encode(name) if name else self._encode_corpus()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the *k* best passages for *query*; equal ones in the order of the corpus."""
        vector = _normalized(self._encode([self._query + query]))[0]
        best = np.argsort(-(self._vectors @ vector), kind="stable")[:k]
        return [self._corpus[int(number)] for number in best]

    def _load_or_encode(self, name: str) -> Vectors:
        mark = f"{self._corpus.mark} {name} {self._passage}"
        file = f"searchqa-{hashlib.sha256(mark.encode()).hexdigest()[:32]}.npy"
        path = cache_folder() / file
        try:
            with path.open("rb") as raw:
                vectors: Vectors = np.load(raw, allow_pickle=False)
            if vectors.dtype == np.float32 and vectors.shape[:-1] == (len(self._corpus),):
                return vectors
        except ARRAY_DAMAGES:
            pass  # not there, or not whole: it is made again
        vectors = self._encode_corpus()
        try:
            with replacing(path) as whole:
                np.save(whole, vectors)
        except DataError:
            return vectors  # a read-only home costs time at the next start, nothing else
        return vectors

    def _encode_corpus(self) -> Vectors:
        return np.concatenate([_normalized(self._encode(texts)) for texts in self._batches()])

    def _batches(self) -> Iterator[list[str]]:
        for start in range(0, len(self._corpus), BATCH):
            numbers = range(start, min(start + BATCH, len(self._corpus)))
            yield [self._passage + self._corpus[number].contents for number in numbers]


def sentence_encoder(model: str) -> Encoder:
    """Return the encoder of a sentence-transformers *model*, a name or a local folder.

    Raises:
        MissingExtraError: if sentence-transformers is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]  # an extra
    except ImportError as error:
        raise missing_extra("sentence-transformers", "searchqa", "Dense retrieval") from error
    loaded = SentenceTransformer(model)

    def encode(texts: Sequence[str]) -> Vectors:
        return np.asarray(loaded.encode(list(texts), show_progress_bar=False), np.float32)

    return encode


def _normalized(vectors: Vectors) -> Vectors:
    """Return *vectors* with the length 1; one of nothing but zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


__all__ = ["DenseRetriever", "Encoder", "sentence_encoder"]

"""Dense retrieval: passages and queries as vectors, compared by their cosine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.errors import DataError, missing_extra
from agentgym_gen.system.array_files import read_array
from agentgym_gen.system.files import atomic_write, cache_folder

Vectors = NDArray[np.float32]
"""One row a text."""

Encoder = Callable[[Sequence[str]], Vectors]
"""Encodes texts as vectors."""

BATCH = 256
"""How many passages are encoded at once."""


class DenseRetriever:
    """Finds the passages whose vectors have the greatest cosine with that of the query.

    Every vector is compared: for corpora of up to about a million passages.

    Args:
        corpus: What is searched.
        encode: Encodes texts as vectors.
        name: The model's name; the vectors are cached under it in the user's cache folder.
            Without a name they are not cached.
        query_prefix: A text before each query, such as ``"query: "`` for E5.
        passage_prefix: A text before each passage, such as ``"passage: "`` for E5.
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
        is_e5 = "e5" in name.lower()  # a model that was trained with prefixes
        self._corpus = corpus
        self._encode = encode
        self._query_prefix = ("query: " if is_e5 else "") if query_prefix is None else query_prefix
        self._passage_prefix = (
            ("passage: " if is_e5 else "") if passage_prefix is None else passage_prefix
        )
        self._vectors = self._load_or_encode(name) if name else self._encode_corpus()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the *k* best passages for *query*; equal ones in the order of the corpus."""
        vector = _normalized(self._encode([self._query_prefix + query]))[0]
        best = np.argsort(-(self._vectors @ vector), kind="stable")[:k]
        return [self._corpus[int(number)] for number in best]

    def _load_or_encode(self, name: str) -> Vectors:
        key = f"{self._corpus.fingerprint} {name} {self._passage_prefix}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        path = cache_folder() / f"searchqa-{digest}.npy"
        try:
            vectors: Vectors = read_array(path)
            if vectors.dtype == np.float32 and vectors.shape[:-1] == (len(self._corpus),):
                return vectors
        except DataError:
            pass  # missing or damaged: the passages are encoded again
        vectors = self._encode_corpus()
        try:
            with atomic_write(path) as target:
                np.save(target, vectors)
        except DataError:
            return vectors  # a read-only home costs time at the next start, nothing else
        return vectors

    def _encode_corpus(self) -> Vectors:
        return np.concatenate([_normalized(self._encode(texts)) for texts in self._batches()])

    def _batches(self) -> Iterator[list[str]]:
        for start in range(0, len(self._corpus), BATCH):
            numbers = range(start, min(start + BATCH, len(self._corpus)))
            yield [self._passage_prefix + self._corpus[number].contents for number in numbers]


def sentence_encoder(model: str) -> Encoder:
    """Return the encoder of a sentence-transformers *model*, a name or a local folder.

    Raises:
        MissingExtraError: if sentence-transformers is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]  # an extra
    except ImportError as error:
        raise missing_extra(
            "sentence-transformers", "searchqa", "Dense retrieval", error
        ) from error
    transformer = SentenceTransformer(model)

    def encode(texts: Sequence[str]) -> Vectors:
        return np.asarray(transformer.encode(list(texts), show_progress_bar=False), np.float32)

    return encode


def _normalized(vectors: Vectors) -> Vectors:
    """Return *vectors* scaled to length 1; a zero vector stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


__all__ = ["DenseRetriever", "Encoder", "Vectors", "sentence_encoder"]

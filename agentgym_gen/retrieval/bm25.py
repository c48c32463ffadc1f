"""BM25 as Lucene scores it, over postings in numpy arrays.

Scores are those of ``BM25Similarity`` in its own single-precision arithmetic, with document lengths
rounded to one byte as Lucene stores them; ties keep the order of the documents. A query of several
words is an "or" of its words; a word that occurs twice counts twice. The analysis is a parameter.
Left out: fields, phrases, deletions, updates.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentgym_gen.errors import DataError, InvalidValueError
from agentgym_gen.retrieval.analysis import english_terms
from agentgym_gen.system.array_files import read_arrays
from agentgym_gen.system.files import atomic_write
from agentgym_gen.system.untrusted_files import ARRAY_ERRORS

Analyzer = Callable[[str], list[str]]
"""A function from a text to its terms."""


@dataclass(frozen=True, eq=False)
class BM25Index:
    """An index that is never changed, so that any number of threads may search it at once."""

    vocabulary: Mapping[str, int]
    """The number of each term."""
    starts: NDArray[np.int64]
    """Where the postings of each term start, and the end of the last: one more than terms."""
    documents: NDArray[np.int32]
    """The documents of all postings, in order within each term."""
    divisors: NDArray[np.float32]
    """``1 + frequency / (k1 * (1 - b + b * length / mean length))`` of all postings."""
    size: int
    """How many documents there are."""
    analyze: Analyzer = english_terms
    """The analyzer of queries."""

    @classmethod
    def build(
        cls,
        texts: Iterable[str],
        *,
        k1: float = 0.9,
        b: float = 0.4,
        analyze: Analyzer = english_terms,
    ) -> BM25Index:
        """Return the index of *texts*, which are read once; a document is numbered by its place.

        Args:
            texts: The documents.
            k1: How much a term's frequency counts; Anserini's default.
            b: How much a document's length counts, 0 to 1; Anserini's default.
            analyze: The analyzer of texts and queries.

        Raises:
            InvalidValueError: if a parameter is out of its range.
        """
        if not (0 < k1 < math.inf and 0 <= b <= 1):
            raise InvalidValueError(f"`k1` is above 0 and `b` is 0 to 1, not {k1!r} and {b!r}")
        vocabulary: dict[str, int] = {}
        terms, documents, counts, lengths = array("i"), array("i"), array("i"), array("i")
        for number, text in enumerate(texts):
            frequencies = Counter(analyze(text))
            for term in frequencies:
                terms.append(vocabulary.setdefault(term, len(vocabulary)))
            documents.extend([number] * len(frequencies))
            counts.extend(frequencies.values())
            lengths.append(frequencies.total())
        # Postings by term; the stable sort keeps the documents of a term in order.
        rows = np.frombuffer(terms, np.int32) if terms else np.zeros(0, np.int32)
        order = np.argsort(rows, kind="stable")
        docs = np.array(documents, np.int32)[order]
        norms = _norms(np.array(lengths, np.int64), k1, b)
        divisors = np.float32(1) + np.array(counts, np.float32)[order] * norms[docs]
        starts = np.zeros(len(vocabulary) + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=len(vocabulary)), out=starts[1:])
        return cls(vocabulary, starts, docs, divisors, len(lengths), analyze)

    def __len__(self) -> int:
        """Return how many documents there are."""
        return self.size

    def search(self, query: str, k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers and scores of the *k* best documents, the best first.

        A document without any of the terms is left out; ties keep the order of the documents.

        Raises:
            InvalidValueError: if *k* is below 1.
        """
        if k < 1:
            raise InvalidValueError(f"`k` is at least 1, not {k!r}")
        scores = np.zeros(self.size)
        for term, times in Counter(self.analyze(query)).items():
            number = self.vocabulary.get(term)
            if number is not None:
                self._add(scores, number, times)
        return _best(scores.astype(np.float32).astype(np.float64), k)

    def _add(self, scores: NDArray[np.float64], term: int, times: int) -> None:
        """Add to *scores* the scores of *term*, which occurs *times* times in the query."""
        postings = slice(int(self.starts[term]), int(self.starts[term + 1]))
        matches = postings.stop - postings.start
        idf = np.float32(math.log(1 + (self.size - matches + 0.5) / (matches + 0.5)))
        weight = idf * np.float32(times)
        # w - w / (1 + tf / norm) is w * tf / (tf + norm), in the order in which Lucene computes it.
        scores[self.documents[postings]] += weight - weight / self.divisors[postings]

    def save(self, path: Path) -> None:
        """Write the index to *path* (``.npz``, no pickle) in one step.

        Raises:
            DataError: if it cannot be written.
        """
        words = np.frombuffer("\n".join(self.vocabulary).encode(), np.uint8)
        with atomic_write(path) as file:
            np.savez(
                file,
                size=np.int64(self.size),
                words=words,
                starts=self.starts,
                documents=self.documents,
                divisors=self.divisors,
            )

    @classmethod
    def load(cls, path: Path, *, analyze: Analyzer = english_terms) -> BM25Index:
        """Return the index that `save` wrote to *path*.

        Args:
            path: The file.
            analyze: The analyzer with which the index was built.

        Raises:
            DataError: if there is no such file or it is not an index.
        """
        try:
            file = read_arrays(path)
            words = file["words"].tobytes().decode()
            vocabulary = {word: number for number, word in enumerate(words.split("\n")) if word}
            arrays = (file["starts"], file["documents"], file["divisors"])
            size = int(file["size"])
            _check_arrays(len(vocabulary), size, *arrays)
            return cls(vocabulary, *arrays, size, analyze)
        except ARRAY_ERRORS as error:
            raise DataError(f"Cannot read the index {path}: {error}; build it again") from error


def _check_arrays(
    terms: int,
    size: int,
    starts: NDArray[np.int64],
    documents: NDArray[np.int32],
    divisors: NDArray[np.float32],
) -> None:
    """Raise a ValueError unless the arrays belong to one index."""
    consistent = (
        (starts.shape, documents.shape) == ((terms + 1,), divisors.shape)
        and (starts.dtype.kind, documents.dtype.kind, divisors.dtype.kind) == ("i", "i", "f")
        and (int(starts[0]), int(starts[-1])) == (0, len(documents))
        and bool((np.diff(starts) >= 0).all())
        and (not len(documents) or 0 <= documents.min() <= documents.max() < size)
    )
    if not consistent:
        raise ValueError("its arrays do not belong together")


def _norms(lengths: NDArray[np.int64], k1: float, b: float) -> NDArray[np.float32]:
    """Return ``1 / (k1 * (1 - b + b * length / mean length))`` per document, as Lucene does."""
    one, mean = np.float32(1), np.float32(max(lengths.mean(), 1.0) if lengths.size else 1.0)
    stored = np.array([stored_length(int(length)) for length in lengths], np.float32)
    norms = one / (np.float32(k1) * ((one - np.float32(b)) + np.float32(b) * stored / mean))
    return np.asarray(norms, np.float32)


def stored_length(length: int) -> int:
    """Return *length* as Lucene stores it in one byte: exact up to 39, then rounded down.

    >>> tuple(stored_length(length) for length in (7, 39, 41, 100, 1000))
    (7, 39, 40, 96, 984)
    """
    if length < _EXACT_LENGTHS:
        return length
    rest = length - _EXACT_LENGTHS
    shift = max(rest.bit_length() - 4, 0)
    # The two shifts clear all but the four leading binary digits of the rest.
    return _EXACT_LENGTHS + (rest >> shift << shift)


_EXACT_LENGTHS = 24
"""Below this, Lucene's ``SmallFloat.intToByte4`` keeps every length; above, four binary digits of
the rest."""


def _best(scores: NDArray[np.float64], k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the places and values of the *k* greatest positive *scores*; ties keep their order."""
    matches = np.flatnonzero(scores > 0)
    if matches.size > k:
        # Keep the k greatest and the ties of the last of them; the stable sort below decides.
        threshold = np.partition(scores[matches], matches.size - k)[matches.size - k]
        matches = matches[scores[matches] >= threshold]
    order = np.argsort(-scores[matches], kind="stable")[:k]
    return matches[order], scores[matches[order]]


__all__ = ["Analyzer", "BM25Index", "stored_length"]

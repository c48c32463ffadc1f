"""Scores of an answer: pure functions of texts, as FlashRAG and Search-R1 define them."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection

NO_PARTIAL = frozenset({"yes", "no", "noanswer"})
"""Answers whose F1 is 0 with every other text."""

TYPOGRAPHIC_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
"""Quotation marks and apostrophes that are deleted as the two of ASCII are."""

_PUNCTUATION = str.maketrans("", "", string.punctuation + TYPOGRAPHIC_QUOTES)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalize(text: str) -> str:
    """Return *text* in lower case without punctuation, articles and spare white space.

    The rule of SQuAD, which Search-R1 and AgentGym use: ASCII punctuation is deleted, not replaced
    by a space, and it is deleted before the articles. Unlike there, typographic quotes are deleted
    too, and a letter with an accent is the same text whether Unicode has it as one sign or as two.

    >>> normalize("The Rock-n-Roll,  an era!")
    'rocknroll era'
    """
    composed = unicodedata.normalize("NFC", text)
    return " ".join(_ARTICLES.sub(" ", composed.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answers: Collection[str]) -> float:
    """Return 1 if *prediction* is one of *answers* once both are normalised, else 0.

    An answer of which normalisation leaves nothing, such as the band ``"The The"``, is matched by
    the same words in any case; nothing else matches nothing.

    >>> exact_match("the Congo!", ["Congo"]), exact_match("Congo or Peru", ["Congo"])
    (1.0, 0.0)
    """
    return float(_comparable(prediction) in map(_comparable, answers))


def _comparable(text: str) -> str:
    return normalize(text) or " ".join(text.lower().split())


def sub_exact_match(prediction: str, answers: Collection[str]) -> float:
    """Return 1 if *prediction* contains one of *answers* once both are normalised, else 0.

    A list of all candidates scores 1, so this is reported and never a reward.

    >>> sub_exact_match("Congo or Peru", ["Peru"])
    1.0
    """
    plain = normalize(prediction)
    return float(any(gold and gold in plain for gold in map(normalize, answers)))


def f1(prediction: str, answers: Collection[str]) -> float:
    """Return the greatest F1 of the words of *prediction* with those of one of *answers*, 0 to 1.

    >>> round(f1("King George the Third", ["George III"]), 3)
    0.4
    """
    return max((_word_f1(normalize(prediction), normalize(gold)) for gold in answers), default=0.0)


def _word_f1(prediction: str, gold: str) -> float:
    if prediction != gold and (prediction in NO_PARTIAL or gold in NO_PARTIAL):
        return 0.0
    words, gold_words = prediction.split(), gold.split()
    common = (Counter(words) & Counter(gold_words)).total()
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(gold_words)
    return 2 * precision * recall / (precision + recall)


def score(hops_found: int, hops: int, success: bool) -> float:
    """Return how much of a task is done, 0 to 1: the share of hops found, and 1 only on success.

    The answer counts as one more hop, so that all hops without the answer score less than 1.

    >>> score(2, 3, success=False), score(0, 3, success=True)
    (0.5, 1.0)
    """
    return 1.0 if success else hops_found / (hops + 1)

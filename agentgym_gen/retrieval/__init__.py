"""Keyword search over short texts, with the analysis rules and the scores of Lucene.

What lives here: text analysis and a BM25 index, which several environments use; it needs numpy
only. What does not: dense or remote retrievers (`agentgym_gen.envs.searchqa`).
"""

from agentgym_gen.retrieval.analysis import english_terms, stem, tokens
from agentgym_gen.retrieval.bm25 import BM25Index

__all__ = ["BM25Index", "english_terms", "stem", "tokens"]

"""Keyword search over short texts, with the analysis rules and the scores of Lucene.

Part of the core, since several environments search. It needs numpy only.
"""

from agentgym_gen.retrieval.analysis import english_terms, stem, tokens
from agentgym_gen.retrieval.bm25 import BM25Index

__all__ = ["BM25Index", "english_terms", "stem", "tokens"]

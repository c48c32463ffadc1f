"""Retrievers: whatever finds passages for a query.

What lives here: the protocol, and which retriever an option means (`retriever`); keyword search
(`bm25`), search by vectors (`dense`) and a client of a retrieval server (`remote`). What does not:
the BM25 index (`agentgym_gen.retrieval`), and the passages (`agentgym_gen.envs.searchqa.corpus`).
"""

from agentgym_gen.envs.searchqa.retrievers.bm25 import BM25Retriever
from agentgym_gen.envs.searchqa.retrievers.dense import DenseRetriever
from agentgym_gen.envs.searchqa.retrievers.remote import RemoteRetriever, RetryPolicy
from agentgym_gen.envs.searchqa.retrievers.retriever import Retriever, make_retriever

__all__ = [
    "BM25Retriever",
    "DenseRetriever",
    "RemoteRetriever",
    "Retriever",
    "RetryPolicy",
    "make_retriever",
]

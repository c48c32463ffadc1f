"""SearchQA: questions that are answered by searching a corpus.

What lives here: the rules, the tasks, the reward, corpora, and the formats of questions. What does
not: how our own passages and questions are made of facts (`generator`), and how passages are found
(`retrievers`).
"""

from agentgym_gen.envs.searchqa.corpus import Corpus, Passage
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers import (
    BM25Retriever,
    DenseRetriever,
    RemoteRetriever,
    Retriever,
    RetryPolicy,
)
from agentgym_gen.envs.searchqa.tasks import CustomTasks, FactTasks
from agentgym_gen.envs.searchqa.world import SearchQA

__all__ = [
    "BM25Retriever",
    "Corpus",
    "CustomTasks",
    "DenseRetriever",
    "FactTasks",
    "Passage",
    "Question",
    "RemoteRetriever",
    "Retriever",
    "RetryPolicy",
    "SearchQA",
]

"""SearchQA: questions that are answered by searching a corpus."""

from agentgym_gen.envs.searchqa.corpus import Corpus
from agentgym_gen.envs.searchqa.retrievers.dense import DenseRetriever
from agentgym_gen.envs.searchqa.generator.passages import Passage
from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.envs.searchqa.retrievers.remote import RemoteRetriever
from agentgym_gen.envs.searchqa.retrievers.bm25 import BM25Retriever, Retriever
from agentgym_gen.envs.searchqa.tasks import FactTasks, CustomTasks
from agentgym_gen.envs.searchqa.world import SearchQA

__all__ = [
    "BM25Retriever",
    "Corpus",
    "DenseRetriever",
    "FactTasks",
    "CustomTasks",
    "Passage",
    "Question",
    "RemoteRetriever",
    "Retriever",
    "SearchQA",
]

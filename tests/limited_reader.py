"""A child process for tests that reads a file with little memory, as under ``ulimit -v``."""

from pathlib import Path
from typing import Any

from agentgym_gen.envs.searchqa.corpus import read_corpus
from agentgym_gen.envs.searchqa.question_formats import read_questions
from agentgym_gen.errors import DataError
from agentgym_gen.retrieval import BM25Index
from agentgym_gen.system.array_files import read_array
from agentgym_gen.system.child_process import serve
from agentgym_gen.system.untrusted_files import read_bytes, read_text
from agentgym_gen.world.task_list import read_task_list

READERS: dict[str, Any] = {
    "bytes": read_bytes,
    "text": read_text,
    "corpus": read_corpus,
    "questions": read_questions,
    "task list": read_task_list,
    "index": BM25Index.load,
    "array": read_array,
}

MORE_BYTES = 100 * 2**20
"""How much more address space than at its start the process may take."""


def answer(request: dict[str, str]) -> str:
    """Read the file of *request* as its kind, and return how that went."""
    import resource

    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
    limit = pages * resource.getpagesize() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        READERS[request["kind"]](Path(request["path"]))
    except DataError as error:
        return f"DataError: {error}"
    return "read"


if __name__ == "__main__":
    serve(answer)

"""The solver: it looks for the passages of the chain that are missing, then says the answer."""

from __future__ import annotations

from collections.abc import Collection

from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.world import Command


def plan(question: Question, found: Collection[str], asked: Collection[str]) -> tuple[Command, ...]:
    """Return the searches that are left, in the order of the chain, and the answer.

    A query that was asked is not asked again: in a corpus of one's own it may find nothing.

    Args:
        question: The question.
        found: The titles of the passages that were found.
        asked: The queries that were asked.
    """
    searches = [
        Command("search", (hop.query,))
        for hop in question.hops
        if hop.title not in found and hop.query not in asked
    ]
    return (*searches, Command("answer", (question.answers[0],)))

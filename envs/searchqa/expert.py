"""The expert: it searches for the passages that are missing, then gives the answer."""

from __future__ import annotations

from collections.abc import Collection

from agentgym_gen.envs.searchqa.questions import Question
from agentgym_gen.world import Command


def plan(
    question: Question, found_titles: Collection[str], past_queries: Collection[str]
) -> tuple[Command, ...]:
    """Return the searches that are left, in the order of the chain, and the answer.

    No query is searched twice: in a user's corpus it may find nothing.

    Args:
        question: The question.
        found_titles: The titles of the passages that were found.
        past_queries: The queries that were searched.
    """
    searches = [
        Command("search", (hop.query,))
        for hop in question.hops
        if hop.title not in found_titles and hop.query not in past_queries
    ]
    return (*searches, Command("answer", (question.answers[0],)))

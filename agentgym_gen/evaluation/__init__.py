"""Evaluations: any model plays environments, and leaves rows with intervals and a page.

What lives here: what is played, the folder of results, and the score. What does not: how a model is
opened by its name (`agentgym_gen.models`), and numbers that compare several models.
"""

from agentgym_gen.evaluation.results import Column, EpisodeKey, Evaluation

__all__ = ["Column", "EpisodeKey", "Evaluation"]

"""Evaluations: any model plays environments, and leaves rows with intervals and a page.

What lives here: what is played, panels, the folder of results, the score and its page. What does
not: how a model is opened by its name (`agentgym_gen.models`), and numbers that compare models.
"""

from agentgym_gen.evaluation.panel import Panel, load_panel, panel_names
from agentgym_gen.evaluation.request import evaluate
from agentgym_gen.evaluation.results import Column, EpisodeKey, Evaluation
from agentgym_gen.evaluation.score import ColumnScore, column_scores, mean_score, score_line
from agentgym_gen.evaluation.settings import EvalSettings
from agentgym_gen.models import Decoding

__all__ = [
    "Column",
    "ColumnScore",
    "Decoding",
    "EpisodeKey",
    "EvalSettings",
    "Evaluation",
    "Panel",
    "column_scores",
    "evaluate",
    "load_panel",
    "mean_score",
    "panel_names",
    "score_line",
]

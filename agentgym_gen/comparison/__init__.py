"""Comparisons of models that were evaluated on the same tasks: what differs, where, and how surely.

What lives here: the checks that evaluations can be compared, paired differences, the profile, the
probes, and the page. What does not: playing (`agentgym_gen.evaluation`), and the statistics
themselves (`agentgym_gen.study.analysis`).
"""

from agentgym_gen.comparison.comparison import Comparison, compare
from agentgym_gen.comparison.inputs import ComparedModel
from agentgym_gen.comparison.page import write_comparison
from agentgym_gen.comparison.probes import Probe

__all__ = ["ComparedModel", "Comparison", "Probe", "compare", "write_comparison"]

"""The study: plan, run, analysis and report of how far training carries over."""

from agentgym_gen.study.analysis import Estimate, gain, read_rows, select, success_rate
from agentgym_gen.study.plan import STUDIES, Arm, Study, load_study
from agentgym_gen.study.report import report_study
from agentgym_gen.study.run import Recipe, run_study

__all__ = [
    "STUDIES",
    "Arm",
    "Estimate",
    "Recipe",
    "Study",
    "gain",
    "load_study",
    "read_rows",
    "report_study",
    "run_study",
    "select",
    "success_rate",
]

"""The study: plan, run, analysis and report of how far training carries over."""

from agentgym_gen.study.analysis import Estimate, gain, read_rows, select, success_rate
from agentgym_gen.study.plan import STUDIES, Arm, Study, load_study
from agentgym_gen.study.report import report_study, require_report_extras
from agentgym_gen.study.run import Recipe, default_workers, run_study

__all__ = [
    "STUDIES",
    "Arm",
    "Estimate",
    "Recipe",
    "Study",
    "default_workers",
    "gain",
    "load_study",
    "read_rows",
    "report_study",
    "require_report_extras",
    "run_study",
    "select",
    "success_rate",
]

"""The study: plan, run, analysis and report of how far training carries over."""

from agentgym_gen.study.analysis.analysis import Results
from agentgym_gen.study.plan.plan import Arm, Cell, EnvironmentPlan, Plan, Stage, TestPlan
from agentgym_gen.study.plan.parser import load_plan, parse_plan, preset_names, preset_text
from agentgym_gen.study.run.run import TrainingRecipe, run_plan
from agentgym_gen.study.analysis.statistics import Estimate
from agentgym_gen.study.study import Study

__all__ = [
    "Arm",
    "Cell",
    "EnvironmentPlan",
    "Estimate",
    "Plan",
    "TrainingRecipe",
    "Results",
    "Stage",
    "Study",
    "TestPlan",
    "load_plan",
    "parse_plan",
    "preset_names",
    "preset_text",
    "run_plan",
]
